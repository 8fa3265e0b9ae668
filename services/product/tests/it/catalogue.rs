//! Products come on sale.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::shop::{Shop, variant};

fn mug() -> Value {
    json!({
        "title": "Enamel mug",
        "description": "Two handles.",
        "category": "kitchen",
        "tags": ["blue", "camping", "blue"],
        "images": ["/images/mug.jpg"],
        "options": ["colour"],
        "variants": [{
            "sku": "MUG-BLUE",
            "options": {"colour": "blue"},
            "price": {"amount": 1250, "currency": "EUR"},
            "on_hand": 12,
        }],
    })
}

#[tokio::test]
async fn a_product_that_came_on_sale_is_read_by_its_id_and_by_its_slug() {
    let shop = Shop::open().await;

    let created = shop.staff().post("/api/products").json(&mug()).await.status(201);

    let id = created.text_of("id");
    assert_eq!(created.header("location"), Some(&*format!("/api/products/{id}")));
    for name in [&id, "enamel-mug"] {
        let read = shop.anyone().get(format!("/api/products/{name}")).await.status(200);
        assert_eq!((read.etag(), &read.body), (created.etag(), &created.body));
    }
    let expected = json!({
        "id": id,
        "slug": "enamel-mug",
        "title": "Enamel mug",
        "description": "Two handles.",
        "category": "kitchen",
        "tags": ["blue", "camping"],
        "images": ["/images/mug.jpg"],
        "options": ["colour"],
        "variants": [{
            "sku": "MUG-BLUE",
            "options": {"colour": "blue"},
            "price": {"amount": 1250, "currency": "EUR"},
            "available": 12,
            "on_sale": true,
        }],
        "archived": false,
        "created_at": "2026-01-31T08:00:00.000Z",
        "version": 1,
    });
    assert_eq!(created.body, expected);
}

#[tokio::test]
async fn what_came_on_sale_is_told_with_its_stock() {
    let shop = Shop::open().await;

    let created = shop.sells(&mug()).await;

    let told = shop.hears::<contracts::product::State>(1).await.remove(0);
    assert_eq!(told.product_id.to_string(), created.text_of("id"));
    assert_eq!((told.slug.as_str(), told.variants[0].price.amount), ("enamel-mug", 1250));
    let stock = shop.hears::<contracts::product::Stock>(1).await.remove(0);
    assert_eq!((stock.sku.as_str(), stock.available), ("MUG-BLUE", 12));
}

#[tokio::test]
async fn a_title_and_a_price_are_enough() {
    let shop = Shop::open().await;
    let plain = json!({"title": "Mug", "variants": [variant("MUG", 0, 0)]});
    let twin = json!({"title": "Mug", "variants": [variant("MUG-2", 0, 0)]});

    let (created, second) = (shop.sells(&plain).await, shop.sells(&twin).await);

    assert_eq!((&created["category"], &created["description"]), (&Value::Null, &json!("")));
    assert_eq!(created["slug"], "mug");
    assert!(second.text_of("slug").starts_with("mug-"), "{}", second.text);
}

#[tokio::test]
async fn only_staff_change_the_catalogue() {
    let shop = Shop::open().await;
    let id = shop.sells(&mug()).await.text_of("id");
    let one = format!("/api/products/{id}");
    let (stock, ledger) = (format!("{one}/stock"), format!("{one}/stock/ledger"));

    for (client, status) in [(shop.anyone(), 401), (shop.shopper(), 403)] {
        let _ = client.post("/api/products").json(&mug()).await.status(status);
        let _ = client.patch(&one).if_match("*").json(&json!({})).await.status(status);
        let _ = client.delete(&one).if_match("*").await.status(status);
        let _ = client.post(&stock).key("k").json(&json!({})).await.status(status);
        let _ = client.get(&ledger).await.status(status);
    }
}

#[tokio::test]
async fn a_repeated_creation_gives_the_first_answer() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    let create = |product: &Value| staff.post("/api/products").key("k-1").json(product);

    let first = create(&mug()).await.status(201);
    let again = create(&mug()).await.status(201);
    let other = create(&json!({"title": "Cup", "variants": [variant("CUP", 1, 1)]})).await;

    assert_eq!((first.text, first.headers.get("etag")), (again.text, again.headers.get("etag")));
    assert_eq!(other.status, 422);
    assert_eq!(shop.pages("/api/products?limit=5").await.len(), 1);
}

#[tokio::test]
async fn a_sku_and_a_chosen_slug_are_one_products_own() {
    let shop = Shop::open().await;
    shop.sells(&mug()).await;
    let staff = shop.staff();
    let create = |product: Value| staff.post("/api/products").json(&product);

    let sku = create(json!({"title": "Cup", "variants": [variant("MUG-BLUE", 1, 1)]})).await;
    let slug = json!({"title": "Cup", "slug": "enamel-mug", "variants": [variant("CUP", 1, 1)]});
    let slug = create(slug).await;

    assert_eq!(sku.clone().status(409)["errors"][0]["pointer"], "/variants/0/sku");
    assert_eq!(slug.clone().status(409)["errors"][0]["pointer"], "/slug");
}

#[tokio::test]
async fn a_race_for_a_sku_has_one_winner() {
    let shop = Shop::with_replicas(2).await;
    let product = |title: String| json!({"title": title, "variants": [variant("MUG", 1, 5)]});

    let asked = (0..12).map(|number| {
        let staff = shop.staff_at(number % 2);
        async move { staff.post("/api/products").json(&product(format!("Mug {number}"))).await }
    });
    let statuses: Vec<u16> = join_all(asked).await.iter().map(|answer| answer.status).collect();

    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 11, "{statuses:?}");
    assert_eq!(shop.pages("/api/products?limit=5").await.len(), 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_said_where() {
    let shop = Shop::open().await;
    let with = |field: &str, value: Value| {
        let mut product = mug();
        product[field] = value;
        product
    };
    let with_variant = |field: &str, value: Value| {
        let mut product = mug();
        product["variants"][0][field] = value;
        product
    };
    let price = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    for (product, pointer) in [
        (with("title", json!("")), "/title"),
        (with("title", json!("x".repeat(201))), "/title"),
        (with("title", json!("a\u{0}b")), "/title"),
        (with("title", Value::Null), "/title"),
        (with("slug", json!("Not A Slug")), "/slug"),
        (with("slug", json!("docs")), "/slug"),
        (with("slug", json!("import")), "/slug"),
        (with("description", json!("x".repeat(10_001))), "/description"),
        (with("tags", json!(vec!["x"; 51])), "/tags"),
        (with("tags", json!(["x", 1])), "/tags/1"),
        (with("images", json!(["javascript:alert(1)"])), "/images/0"),
        (with("options", json!(["size"])), "/options"),
        (with("variants", json!([])), "/variants"),
        (with("variants", json!(vec![variant("MUG", 1, 1); 101])), "/variants"),
        (with("variants", json!([variant("A", 1, 1), variant("A", 1, 1)])), "/variants/1/sku"),
        (with("on_hand", json!(1)), "/on_hand"),
        (with("id", json!("prd_1")), "/id"),
        (with_variant("sku", json!("A B")), "/variants/0/sku"),
        (with_variant("sku", json!(format!("ord_{:032x}", 1))), "/variants/0/sku"),
        (with_variant("price", price(-1)), "/variants/0/price"),
        (with_variant("price", price(1_000_000_000_001)), "/variants/0/price"),
        (with_variant("on_hand", json!(-1)), "/variants/0/on_hand"),
        (with_variant("on_hand", json!(1.5)), "/variants/0/on_hand"),
        (with_variant("options", json!({"a\nb": "blue"})), "/variants/0/options"),
        (with_variant("available", json!(3)), "/variants/0/available"),
    ] {
        let answer = shop.staff().post("/api/products").json(&product).await;

        assert_eq!(answer.status, 422, "{product}: {}", answer.text);
        let said = answer["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert!(said.starts_with(pointer), "{product}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_cards_number_comes_into_no_catalogue() {
    const CARD: &str = "4242 4242 4242 4242";
    let shop = Shop::open().await;
    let id = shop.sells(&mug()).await.text_of("id");
    let (staff, one) = (shop.staff(), format!("/api/products/{id}"));
    let written = json!({"title": "Cup", "description": CARD, "variants": [variant("C", 1, 1)]});
    let counted = json!({"sku": "MUG-BLUE", "delta": 1, "reason": format!("paid with {CARD}")});

    let created = staff.post("/api/products").json(&written).await;
    let edited = staff.patch(&one).if_match("*").json(&json!({"title": CARD})).await;
    let adjusted = staff.post(format!("{one}/stock")).key("k").json(&counted).await;

    for refused in [created, edited, adjusted] {
        let refused = refused.status(422);
        assert_eq!(refused["type"], "urn:souk:problem:card-number");
        assert!(!refused.text.contains("4242"), "{}", refused.text);
    }
    let price = json!({"amount": 1, "currency": "EUR"});
    let number = json!({"sku": "4242424242424242", "price": price});
    let number = json!({"title": "Cup", "variants": [number]});
    let _ = staff.post("/api/products").json(&number).await.status(201);
}
