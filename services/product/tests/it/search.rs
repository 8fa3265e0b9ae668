//! Products are found however their names are written, and by what one variant is.

use futures_util::future::join_all;
use mongodb::bson::doc;
use serde_json::{Value, json};

use crate::shop::{Shop, pieces, variant};

async fn named(shop: &Shop, titles: &[&str]) {
    for (number, title) in titles.iter().enumerate() {
        let sku = format!("S{number}");
        shop.sells(&json!({"title": title, "variants": [variant(&sku, 100, 1)]})).await;
    }
}

async fn found(shop: &Shop, query: &str) -> Vec<String> {
    let items = shop.pages(&format!("/api/products?{query}")).await;
    items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

fn in_currency(sku: &str, amount: i64, currency: &str) -> Value {
    let price = json!({"amount": amount, "currency": currency});
    json!({"sku": sku, "options": {"kind": sku}, "price": price, "on_hand": 1})
}

#[tokio::test]
async fn spellings_of_a_word_find_each_other() {
    let shop = Shop::open().await;
    named(&shop, &["Café au lait", "Cafe\u{301} noir", "Za’atar", "Straßenkarte"]).await;

    for (query, expected) in [
        ("q=cafe", 2),
        ("q=CAF%C3%89", 2),
        ("q=cafe%CC%81", 2),
        ("q=za'atar", 1),
        ("q=za%E2%80%99atar", 1),
        ("q=zaatar", 1),
        ("q='", 1),
        ("q=strassen", 1),
        ("q=karte", 1),
        ("q=tee", 0),
    ] {
        assert_eq!(found(&shop, query).await.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn punctuation_of_a_search_does_not_matter() {
    let shop = Shop::open().await;
    named(&shop, &["Hammered tray", "Café Crème", "C++ Primer", "O´Neill", "Gəncə", "3″ pipe"])
        .await;

    for (query, title) in [
        ("q=tray%2C%20hammered", "Hammered tray"),
        ("q=hammered%20tray!", "Hammered tray"),
        ("q=%22hammered%20tray%22", "Hammered tray"),
        ("q=caf%C3%A9.", "Café Crème"),
        ("q=(caf%C3%A9)", "Café Crème"),
        ("q=caf%C3%A9%20%26%20cr%C3%A8me", "Café Crème"),
        ("q=-caf%C3%A9", "Café Crème"),
        ("q=c%2B%2B", "C++ Primer"),
        ("q=o'neill", "O´Neill"),
        ("q=o%60neill", "O´Neill"),
        ("q=gence", "Gəncə"),
        ("q=3%22", "3″ pipe"),
    ] {
        assert_eq!(found(&shop, query).await, [title], "{query}");
    }
}

#[tokio::test]
async fn titles_are_sorted_as_in_a_dictionary() {
    let shop = Shop::open().await;
    let sorted = ["Ähre", "apple", "Apple", "Éclair", "Österreich", "Zebra", "zebra 2", "Žito"];
    let mut shuffled = sorted;
    shuffled.reverse();
    named(&shop, &shuffled).await;

    for limit in [1, 3, 100] {
        assert_eq!(found(&shop, &format!("sort=title&limit={limit}")).await, sorted, "{limit}");
    }
}

#[tokio::test]
async fn one_variant_meets_all_that_is_asked() {
    let shop = Shop::open().await;
    let tee = |sku: &str, size: &str, amount: i64, on_hand: u32| {
        let price = json!({"amount": amount, "currency": "EUR"});
        json!({"sku": sku, "options": {"Größe": size}, "price": price, "on_hand": on_hand})
    };
    let variants = json!([tee("S", "S", 1000, 0), tee("M", "M", 3000, 5)]);
    shop.sells(&json!({"title": "Tee", "variants": variants})).await;

    for (query, expected) in [
        ("in_stock=true&max_price=1000", 0),
        ("in_stock=true&min_price=2000", 1),
        ("max_price=1000", 1),
        ("in_stock=true&options=gr%C3%B6%C3%9Fe:s", 0),
        ("in_stock=true&options=grosse:M", 1),
        ("options=grosse:s&max_price=1000", 1),
        ("options=grosse:m&max_price=1000", 0),
        ("in_stock=true&max_price=1000&sort=price", 0),
    ] {
        assert_eq!(found(&shop, query).await.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn the_cheapest_fitting_variant_sorts() {
    let shop = Shop::open().await;
    let sold_out = json!([variant("A1", 1, 0), variant("A2", 500, 1)]);
    shop.sells(&json!({"title": "A", "variants": sold_out})).await;
    shop.sells(&json!({"title": "B", "variants": [variant("B", 300, 1)]})).await;

    assert_eq!(found(&shop, "sort=price&limit=1").await, ["A", "B"]);
    assert_eq!(found(&shop, "sort=price&limit=1&in_stock=true").await, ["B", "A"]);
    assert_eq!(found(&shop, "sort=price_desc&limit=1&in_stock=true").await, ["A", "B"]);
}

#[tokio::test]
async fn prices_of_two_currencies_are_never_compared() {
    let shop = Shop::open().await;
    shop.sells(&json!({"title": "Euro", "variants": [in_currency("E", 900, "EUR")]})).await;
    assert_eq!(found(&shop, "max_price=1000").await, ["Euro"]);

    shop.sells(&json!({"title": "Yen", "variants": [in_currency("Y", 500, "JPY")]})).await;
    let both = json!([in_currency("B1", 100, "JPY"), in_currency("B2", 2000, "EUR")]);
    shop.sells(&json!({"title": "Both", "variants": both})).await;

    for query in ["max_price=1000", "min_price=1", "sort=price", "sort=price_desc"] {
        let refused = shop.anyone().get(format!("/api/products?{query}")).await.status(400);
        assert!(refused.text.contains("currency"), "{}", refused.text);
    }
    assert_eq!(found(&shop, "max_price=1000&currency=EUR").await, ["Euro"]);
    assert_eq!(found(&shop, "sort=price&currency=EUR&limit=1").await, ["Euro", "Both"]);
    assert_eq!(found(&shop, "sort=price_desc&currency=JPY&limit=1").await, ["Yen", "Both"]);
    let cursor = shop.anyone().get("/api/products?sort=price&currency=EUR&limit=1").await.ok();
    let cursor = cursor.text_of("next_cursor");
    let other = format!("/api/products?sort=price&currency=JPY&limit=1&cursor={cursor}");
    let _ = shop.anyone().get(other).await.status(400);
}

#[tokio::test]
async fn sold_out_products_leave_and_return() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 2), ("CUP", 1)]).await.text_of("id");
    let (first, second) = (shop.order(), shop.order());
    let stocked = "in_stock=true&options=kind:mug";

    shop.placed(first, 1, &[pieces("MUG", 1)]).await;
    shop.placed(second, 1, &[pieces("MUG", 1), pieces("CUP", 1)]).await;
    shop.settled().await;
    assert!(found(&shop, "in_stock=true").await.is_empty());

    shop.expired(first, 1, &[]).await;
    shop.settled().await;
    assert_eq!(found(&shop, stocked).await.len(), 1);
    let counted = json!({"sku": "mug", "delta": -1, "reason": "broken"});
    let stock = format!("/api/products/{product}/stock");
    let _ = shop.staff().post(&stock).key("k").json(&counted).await.status(200);
    assert!(found(&shop, stocked).await.is_empty());
}

#[tokio::test]
async fn simultaneous_movements_keep_the_catalogue_true() {
    let shop = Shop::with_replicas(2).await;
    let skus = ["A", "B", "C", "D", "E", "F"];
    let product = shop.stocks(&skus.map(|sku| (sku, 1))).await.text_of("id");
    let path = format!("/api/products/{product}");

    let orders = skus.map(|sku| {
        let order = shop.order();
        let (shop, line) = (&shop, [pieces(sku, 1)]);
        async move { shop.placed(order, 1, &line).await }
    });
    let changes = skus.iter().enumerate().map(|(at, sku)| {
        let (staff, path, sku) = (shop.staff_at(at % 2), path.clone(), (*sku).to_owned());
        async move {
            let title = json!({"title": format!("Goods {at}")});
            let _ = staff.patch(&path).if_match("*").json(&title).await;
            let delta = if at % 2 == 0 { 1 } else { -1 };
            let counted = json!({"sku": sku, "delta": delta, "reason": "counted"});
            let _ = staff.post(format!("{path}/stock")).key(&sku).json(&counted).await;
        }
    });
    futures_util::join!(join_all(orders), join_all(changes));
    shop.settled().await;

    for sku in skus {
        let listed = found(&shop, &format!("in_stock=true&options=kind:{sku}")).await.len();
        assert_eq!(listed == 1, shop.available(&product, sku).await > 0, "{sku}");
    }
}

#[tokio::test]
async fn campaign_tags_change_no_list() {
    let shop = Shop::open().await;
    named(&shop, &["Mug"]).await;

    let query = "utm_source=news&gclid=x&fbclid=y&mc_eid=z&q=mug";

    assert_eq!(found(&shop, query).await, ["Mug"]);
    let _ = shop.anyone().get("/api/products?colour=red").await.status(400);
}

#[tokio::test]
async fn unreadable_products_are_passed_over() {
    let shop = Shop::open().await;
    let names: Vec<_> = (0..6).map(|number| format!("MUG-{number}")).collect();
    for name in &names {
        shop.sells(&json!({"title": name, "variants": [variant(name, 900, 1)]})).await;
    }
    let products = shop.collection("products").await;
    for number in [1, 4] {
        let this = doc! { "variants.sku": &names[number] };
        products.update_one(this, doc! { "$set": { "title": 5 } }).await.unwrap();
    }
    let stock = shop.collection("stock").await;
    let spoilt = doc! { "$set": { "on_hand": "many" } };
    stock.update_one(doc! { "_id": &names[5] }, spoilt).await.unwrap();

    assert_eq!(shop.pages("/api/products?limit=1").await.len(), 3);
    assert_eq!(shop.pages("/api/products?limit=2&sort=title").await.len(), 3);
}
