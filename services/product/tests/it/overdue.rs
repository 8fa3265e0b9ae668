//! Orders of which nothing is heard.

use std::time::Duration;

use contracts::product::{ReservationOverdue, Reserved};

use crate::shop::{Shop, pieces};

#[tokio::test]
async fn an_order_that_is_quiet_for_too_long_is_asked_about_again_and_again() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5)]).await.text_of("id");
    let (quiet, done) = (shop.order(), shop.order());
    for order in [quiet, done] {
        shop.placed(order, 1, &[pieces("MUG", 1)]).await;
    }
    shop.hears::<Reserved>(2).await;
    shop.paid(done, &[pieces("MUG", 1)]).await;
    shop.settled().await;
    let reserved_at = shop.clock.now();
    assert!(shop.told::<ReservationOverdue>().await.is_empty());

    shop.clock.advance(Duration::from_secs(2));
    let asked = shop.hears::<ReservationOverdue>(1).await;
    shop.clock.advance(Duration::from_secs(2));
    let again = shop.hears::<ReservationOverdue>(2).await;

    assert_eq!(asked, [ReservationOverdue { order_id: quiet, reserved_at }]);
    assert_eq!(again.len(), 2);
    assert_eq!(shop.available(&product, "MUG").await, 3);
}
