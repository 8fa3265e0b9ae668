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

#[tokio::test]
async fn unreadable_products_do_not_hold_up_a_start() {
    let mut shop = Shop::open().await;
    for name in ["CUP", "MUG", "POT"] {
        shop.sells(&json!({"title": name, "variants": [variant(name, 900, 1)]})).await;
    }
    let spoilt = doc! { "$set": { "title": 5 } };
    let products = shop.collection("products").await;
    products.update_one(doc! { "variants.sku": "CUP" }, spoilt).await.unwrap();
    let spoilt = doc! { "$set": { "on_hand": "many" } };
    let stock = shop.collection("stock").await;
    stock.update_one(doc! { "_id": "MUG" }, spoilt).await.unwrap();
    shop.collection("catalogue").await.delete_many(doc! {}).await.unwrap();

    shop.joined().await;

    let listed = shop.pages("/api/products?in_stock=true").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["title"], "POT");
}
