//! Shoppers look for products.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::shop::{Shop, pieces, variant};

/// A shop of six products; the last one is out of stock.
async fn filled() -> Shop {
    let shop = Shop::open().await;
    for (title, category, tags, price, on_hand) in [
        ("Blue mug", "kitchen", json!(["tin"]), 1250, 3),
        ("red Cup", "kitchen", json!(["clay"]), 900, 3),
        ("Apron", "kitchen", json!(["blue"]), 2500, 3),
        ("C++ (2nd ed.)", "books", json!([]), 4000, 3),
        ("Zine .*", "books", json!([]), 0, 3),
        ("Lamp", "light", json!(["tin"]), 1250, 0),
    ] {
        let sku = title.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let description = format!("A thing called {title}.");
        shop.sells(&json!({
            "title": title, "description": description, "category": category, "tags": tags,
            "variants": [variant(&sku, price, on_hand)],
        }))
        .await;
        shop.clock.advance(std::time::Duration::from_millis(5));
    }
    shop
}

fn titles(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn products_are_found_by_what_is_said_of_them() {
    let shop = filled().await;
    for (query, found) in [
        ("q=blue", vec!["Apron", "Blue mug"]),
        ("q=MUG%20thing", vec!["Blue mug"]),
        ("q=mug%20cup", vec![]),
        ("q=c%2B%2B", vec!["C++ (2nd ed.)"]),
        ("q=.*", vec!["Zine .*"]),
        ("q=(2nd", vec!["C++ (2nd ed.)"]),
        ("category=books", vec!["Zine .*", "C++ (2nd ed.)"]),
        ("tag=tin", vec!["Lamp", "Blue mug"]),
        ("tag=tin&in_stock=true", vec!["Blue mug"]),
        ("min_price=1250&max_price=2500", vec!["Lamp", "Apron", "Blue mug"]),
        ("max_price=0", vec!["Zine .*"]),
        ("q=&sort=title", vec!["Apron", "Blue mug", "C++ (2nd ed.)", "Lamp", "red Cup", "Zine .*"]),
        ("sort=price&category=kitchen", vec!["red Cup", "Blue mug", "Apron"]),
        ("sort=price_desc&category=kitchen", vec!["Apron", "Blue mug", "red Cup"]),
    ] {
        let items = shop.pages(&format!("/api/products?{query}")).await;

        assert_eq!(titles(&items), found, "{query}");
    }
}

#[tokio::test]
async fn every_product_is_on_one_page() {
    let shop = filled().await;
    for sort in ["newest", "title", "price", "price_desc"] {
        for rest in ["", "&in_stock=true"] {
            let whole = shop.pages(&format!("/api/products?limit=100&sort={sort}{rest}")).await;
            let parts = shop.pages(&format!("/api/products?limit=1&sort={sort}{rest}")).await;

            assert_eq!(parts, whole, "{sort}{rest}");
            let ids: HashSet<_> = parts.iter().map(|item| item["id"].to_string()).collect();
            assert_eq!(ids.len(), if rest.is_empty() { 6 } else { 5 });
        }
    }
}

#[tokio::test]
async fn what_is_set_aside_is_not_in_stock() {
    let shop = filled().await;
    shop.placed(shop.order(), 1, &[pieces("Bluemug", 3)]).await;
    shop.settled().await;

    let items = shop.pages("/api/products?category=kitchen&in_stock=true").await;

    assert_eq!(titles(&items), ["Apron", "red Cup"]);
}

#[tokio::test]
async fn categories_are_counted() {
    let shop = filled().await;

    let categories = shop.anyone().get("/api/categories").await.ok();

    let expected = json!({"items": [
        {"name": "books", "count": 2}, {"name": "kitchen", "count": 3}, {"name": "light", "count": 1},
    ]});
    assert_eq!(categories.body, expected);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused() {
    let shop = filled().await;
    let page = shop.anyone().get("/api/products?limit=1&sort=title").await.ok();
    let cursor = page.text_of("next_cursor");
    for (path, status) in [
        (format!("/api/products?sort=price&cursor={cursor}"), 400),
        ("/api/products?cursor=nonsense".into(), 400),
        ("/api/products?limit=0".into(), 400),
        ("/api/products?sort=best".into(), 400),
        ("/api/products?in_stock=perhaps".into(), 400),
        ("/api/products?min_price=cheap".into(), 400),
        ("/api/products?colour=blue".into(), 400),
        ("/api/products?q=a&q=b".into(), 400),
        ("/api/products?q=a%00b".into(), 400),
        (format!("/api/products?q={}", "x".repeat(101)), 400),
        ("/api/products/%00".into(), 404),
        ("/api/products/No.Such".into(), 404),
        ("/api/products/prd_1".into(), 404),
        (format!("/api/products/prd_{:032x}", 1), 404),
        ("/api/products/a%2Fb".into(), 404),
    ] {
        let answer = shop.anyone().get(&path).await;

        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
}
