//! What staff may write about a product, and the form in which it is kept.

use serde_json::{Value, json};

use crate::shop::{Shop, variant};

fn titled(title: &str) -> Value {
    json!({"title": title, "variants": [variant("MUG", 0, 0)]})
}

#[tokio::test]
async fn texts_are_stored_composed_and_visible() {
    let shop = Shop::open().await;
    let mug = json!({
        "title": " Cafe\u{301}\u{200b}",
        "description": "Bru\u{302}le\u{301}e\nor not",
        "category": "Cafe\u{301}",
        "tags": ["cafe\u{301}", "caf\u{e9}"],
        "options": ["Gro\u{308}\u{df}e"],
        "variants": [{
            "sku": "MUG",
            "options": {"Gro\u{308}\u{df}e": "U\u{308}ber"},
            "price": {"amount": 1, "currency": "EUR"},
        }],
    });

    let created = shop.sells(&mug).await;

    assert_eq!(created["title"], "Caf\u{e9}");
    assert_eq!(created["description"], "Br\u{fb}l\u{e9}e\nor not");
    assert_eq!(created["category"], "Caf\u{e9}");
    assert_eq!(created["tags"], json!(["caf\u{e9}"]));
    assert_eq!(created["variants"][0]["options"], json!({"Gr\u{f6}\u{df}e": "\u{dc}ber"}));
    assert_eq!(created["slug"], "cafe");
}

#[tokio::test]
async fn names_that_look_the_same_are_one() {
    let shop = Shop::open().await;
    for (number, category) in [
        "Tea sets",
        "Tea  sets",
        "Tea\u{a0}sets",
        "Tea\u{3000}sets",
        "Te\u{ad}a\u{200b} sets\u{200e}",
    ]
    .into_iter()
    .enumerate()
    {
        let sku = format!("TEA-{number}");
        let tea = json!({
            "title": "Tea", "category": category, "tags": [category], "variants": [variant(&sku, 1, 1)],
        });
        let created = shop.sells(&tea).await;
        assert_eq!(
            (&created["category"], &created["tags"][0]),
            (&json!("Tea sets"), &json!("Tea sets"))
        );
    }

    let categories = shop.anyone().get("/api/categories").await.ok();
    assert_eq!(categories["items"], json!([{"name": "Tea sets", "count": 5}]));
    for query in ["category=Tea%C2%A0sets", "category=Tea%20%20sets", "tag=Tea%E2%80%8B%20sets"] {
        assert_eq!(shop.pages(&format!("/api/products?{query}")).await.len(), 5, "{query}");
    }
}

#[tokio::test]
async fn options_are_compared_as_they_are_searched() {
    let shop = Shop::open().await;
    let price = json!({"amount": 1, "currency": "EUR"});
    let of = |sku: &str, options: &Value| json!({"sku": sku, "options": options, "price": price});
    let tee = |variants: Value| json!({"title": "Tee", "variants": variants});
    let post = |draft: Value| {
        let staff = shop.staff();
        async move { staff.post("/api/products").json(&draft).await }
    };

    for (one, other) in [
        (json!({"Size": "M"}), json!({"size": "M"})),
        (json!({"size": "M"}), json!({"size": "m"})),
        (json!({"kind": "Café"}), json!({"kind": "cafe"})),
    ] {
        let same = post(tee(json!([of("T1", &one), of("T2", &other)]))).await.status(422);
        assert_eq!(same["errors"][0]["pointer"], "/variants/0/options", "{one} {other}");
    }
    let mut twice = tee(json!([of("T1", &json!({"size": "M"}))]));
    twice["variants"][0]["options"] = json!({"caf\u{e9}": "a", "cafe\u{301}": "b"});
    let twice = post(twice).await.status(422);
    let pointer = twice["errors"][0]["pointer"].as_str().unwrap();
    assert!(pointer.starts_with("/variants/0/options/caf"), "{}", twice.text);

    let (medium, large) = (json!({"Size": "M"}), json!({"size": "L"}));
    let mut sold = tee(json!([of("T1", &medium), of("T2", &large)]));
    sold["options"] = json!(["size", "SIZE"]);
    let created = post(sold).await.status(201);
    assert_eq!(created["options"], json!(["size"]));
    assert_eq!(created["variants"][0]["options"], json!({"size": "M"}));
    let _ = shop.anyone().get("/api/products?options=a:b,A:c").await.status(400);
}

#[tokio::test]
async fn unreadable_texts_are_refused() {
    let shop = Shop::open().await;
    let post = |draft: Value| {
        let staff = shop.staff();
        async move { staff.post("/api/products").json(&draft).await.status(422) }
    };

    for hidden in [
        "\u{300}",
        "\u{fffc}",
        "\u{fdd0}",
        "\u{e000}",
        "\u{200b}",
        "\u{2060}",
        "\u{feff}",
        "\u{3164}",
        "\u{2800}",
        "\u{200d}\u{200e}",
    ] {
        let refused = post(titled(hidden)).await;
        assert_eq!(refused["errors"][0]["pointer"], "/title", "{hidden:?}");
    }
    for turned in ["gpj.\u{202e}exe", "a\u{202a}b", "a\u{2066}b\u{2069}", "a\u{202d}b\u{202c}"] {
        let mut draft = titled("Mug");
        draft["description"] = json!(turned);
        let refused = post(draft).await;
        assert_eq!(refused["errors"][0]["pointer"], "/description", "{turned:?}");
    }
    for broken in ["a\u{2028}b", "a\u{2029}b", "a\u{85}b", "a\u{b}b", "a\u{c}b", "a\r\nb"] {
        let mut draft = titled("Mug");
        draft["tags"] = json!(["fine", broken]);
        let refused = post(draft).await;
        assert_eq!(refused["errors"][0]["pointer"], "/tags/1", "{broken:?}");
    }
}

#[tokio::test]
async fn slugs_lose_no_letters() {
    let shop = Shop::open().await;

    for (number, (title, slug)) in [
        ("Třešeň", "tresen"),
        ("Đakovo", "dakovo"),
        ("ﬁne", "fine"),
        ("İstanbul", "istanbul"),
        ("Bru\u{302}le\u{301}e", "brulee"),
        ("Кружка", "kruzhka"),
    ]
    .into_iter()
    .enumerate()
    {
        let sku = format!("MUG-{number}");
        let created = shop.sells(&json!({"title": title, "variants": [variant(&sku, 0, 0)]})).await;
        assert_eq!(created["slug"], slug, "{title}");
    }
}

#[tokio::test]
async fn prices_are_in_currencies_that_exist() {
    let shop = Shop::open().await;
    let priced = |currency: &str| {
        let price = json!({"amount": 100, "currency": currency});
        json!({"title": "Mug", "variants": [{"sku": format!("MUG-{currency}"), "price": price}]})
    };

    for currency in ["XXX", "XTS", "EUT", "XAU", "XDR", "DEM", "HRK", "CHE", "eur"] {
        let refused = shop.staff().post("/api/products").json(&priced(currency)).await.status(422);
        assert_eq!(refused["errors"][0]["pointer"], "/variants/0/price/currency", "{currency}");
    }
    for currency in ["EUR", "JPY", "KWD", "XOF"] {
        let _ = shop.sells(&priced(currency)).await;
    }
}

#[tokio::test]
async fn products_stored_by_earlier_rules_are_shown() {
    let shop = Shop::open().await;
    let created = shop.sells(&titled("Mug")).await;
    let (id, path) = (created.text_of("id"), format!("/api/products/{}", created.text_of("id")));
    shop.rewrite(&id, "title", "a\u{202e}b\u{2028}c").await;
    shop.rewrite(&id, "variants.0.price.currency", "DEM").await;

    let shown = shop.anyone().get(&path).await.status(200);

    assert_eq!(shown["title"], "a\u{202e}b\u{2028}c");
    assert_eq!(shown["variants"][0]["price"]["currency"], "DEM");
    let listed = shop.anyone().get("/api/products").await.status(200);
    assert_eq!(listed["items"][0]["id"], id);
    let mended = json!({"title": "Cup"});
    let edit = shop.staff().patch(&path).if_match(shown.etag()).json(&mended).await;
    assert_eq!(edit.status(200)["title"], "Cup");
}

#[tokio::test]
async fn card_numbers_are_refused_and_others_taken() {
    let shop = Shop::open().await;
    let described = |number: usize, text: &str| {
        let sku = format!("BOOK-{number}");
        json!({"title": "Book", "description": text, "variants": [variant(&sku, 0, 0)]})
    };

    let ordinary = [
        "ISBN 978-3-16-148002-7",
        "ISBN-13: 9783161480027",
        "IMEI 490154203237518",
        "EAN 4006381333931",
        "Hotline: Tel. 0049 171 23456700",
        "+49 171 23456700",
        "IBAN DE89 3704 0044 0532 0130 00",
    ];
    for (number, text) in ordinary.into_iter().enumerate() {
        let _ = shop.sells(&described(number, text)).await;
    }
    for text in [
        "4242424242424242",
        "Visa 4242 4242 4242 4242, thanks",
        "mc5555-5555-5555-4444",
        "3782 822463 10005",
        "６０１１ １１１１ １１１１ １１１７",
        "3056\u{a0}930902\u{2011}5904",
        "ISBN 978-3-16-148002-7 and 3530 1113 3330 0000",
    ] {
        let draft = described(99, text);
        let refused = shop.staff().post("/api/products").json(&draft).await.status(422);
        assert_eq!(refused["type"], "urn:souk:problem:card-number", "{text}");
    }
}
