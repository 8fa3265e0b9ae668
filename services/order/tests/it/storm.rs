//! Many things at once, in two replicas.

use contracts::order::{Cancelled, Paid, RefundDue};
use futures_util::future::join_all;

use crate::shop::{Purchase, Shop, eur};

#[tokio::test]
async fn whoever_pays_while_the_order_is_cancelled_gets_the_money_back() {
    let shop = Shop::with_replicas(2).await;
    let purchases = join_all((0..24).map(|_| shop.buys_what_is_there())).await;

    let storms =
        purchases.iter().enumerate().map(async |(number, Purchase { customer, order })| {
            let alice = shop.shopper_at(number % 2, *customer);
            let cancel = alice.post(format!("/api/orders/{order}/cancel"));
            let pay = async || {
                let capture = shop.capture(*order);
                shop.peer.tell(&capture).await;
                shop.peer.tell(&capture).await;
            };
            if number % 3 == 0 {
                pay().await;
                assert!(cancel.await.is_ok());
            } else {
                let (cancelled, ()) = tokio::join!(cancel.into_future(), pay());
                assert!(cancelled.is_ok());
            }
        });
    join_all(storms).await;
    shop.has_heard_all().await;

    for Purchase { order, .. } in &purchases {
        assert_eq!(shop.until(*order, "cancelled").await["status"], "cancelled");
        assert_eq!(shop.peer.hears::<RefundDue>(*order).await.amount, eur(2500));
        assert_eq!(shop.peer.told::<RefundDue>(*order).await.len(), 1, "{order}");
        assert_eq!(shop.peer.told::<Cancelled>(*order).await.len(), 1, "{order}");
        assert!(shop.peer.told::<Paid>(*order).await.len() <= 1, "{order}");
    }
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn of_many_who_send_an_order_one_does() {
    let shop = Shop::with_replicas(2).await;
    let order = shop.sells().await.order;
    let parcels = (0..16).map(|number| {
        let parcel = serde_json::json!({ "carrier": "Hermes", "tracking": format!("H-{number}") });
        let path = format!("/api/orders/{order}/ship");
        shop.staff().post(path).json(&parcel).key(&format!("k-{number}"))
    });

    let answers = join_all(parcels.map(IntoFuture::into_future)).await;

    let sent: Vec<_> = answers.iter().filter(|answer| answer.is_ok()).collect();
    assert_eq!(sent.len(), 1);
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
    let shown = shop.until(order, "shipped").await;
    assert_eq!(shown["tracking"], sent[0]["tracking"]);
}
