//! What an earlier version of the service stored gains what it lacks.

use mongodb::bson::doc;
use serde_json::json;

use crate::shop::{Shop, variant};

#[tokio::test]
async fn products_without_entries_gain_them_at_start() {
    let mut shop = Shop::open().await;
    shop.stocks(&[("MUG", 3), ("CUP", 0)]).await;
    shop.collection("catalogue").await.delete_many(doc! {}).await.unwrap();
    let skus = doc! { "_id": { "$regex": "^sku:" } };
    shop.collection("addresses").await.delete_many(skus).await.unwrap();
    assert!(shop.pages("/api/products?limit=20").await.is_empty());

    shop.joined().await;

    assert_eq!(shop.pages("/api/products?in_stock=true&options=kind:mug").await.len(), 1);
    assert!(shop.pages("/api/products?in_stock=true&options=kind:cup").await.is_empty());
    let other = json!({"title": "Mug", "variants": [variant("mug", 1, 1)]});
    let _ = shop.staff().post("/api/products?limit=20").json(&other).await.status(409);
}
