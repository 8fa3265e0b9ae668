//! What others copy is told again after the broker lost it.

use contracts::product::{Reserved, State, Stock};

use crate::shop::{Shop, pieces};

#[tokio::test]
async fn products_and_stock_are_told_again_as_they_are_now() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5), ("CUP", 2)]).await.text_of("id");
    shop.placed(shop.order(), 1, &[pieces("MUG", 3)]).await;
    shop.hears::<Reserved>(1).await;
    shop.settled().await;

    shop.loses_its_memory().await;

    let state = shop.hears::<State>(1).await.remove(0);
    assert_eq!(state.product_id.to_string(), product);
    let mut stock: Vec<_> = shop.hears::<Stock>(2).await;
    stock.sort_by(|one, other| one.sku.cmp(&other.sku));
    let available: Vec<_> = stock.iter().map(|it| (it.sku.as_str(), it.available)).collect();
    assert_eq!(available, [("CUP", 2), ("MUG", 2)]);
}
