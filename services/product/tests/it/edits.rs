//! Products change.

use serde_json::{Value, json};
use testkit::Answer;

use crate::shop::{Shop, pieces, variant};

async fn mug(shop: &Shop) -> (String, Answer) {
    let mug = json!({
        "title": "Enamel mug", "description": "Two handles.", "category": "kitchen",
        "variants": [variant("MUG", 1250, 5)],
    });
    let created = shop.sells(&mug).await;
    (format!("/api/products/{}", created.text_of("id")), created)
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_is_told() {
    let shop = Shop::open().await;
    let (path, created) = mug(&shop).await;
    let free = json!({"sku": "MUG", "price": {"amount": 0, "currency": "EUR"}});
    let edit = json!({"category": null, "variants": [free, variant("RED", 900, 3)]});

    let edited = shop.staff().patch(&path).if_match(created.etag()).json(&edit).await.status(200);

    let read = shop.anyone().get(&path).await.ok();
    assert_eq!((read.etag(), &read.body), (edited.etag(), &edited.body));
    assert_eq!((&read["category"], &read["description"]), (&Value::Null, &json!("Two handles.")));
    assert_eq!(read["variants"][0]["price"]["amount"], 0);
    assert_eq!(
        (&read["variants"][0]["available"], &read["variants"][1]["available"]),
        (&json!(5), &json!(3))
    );
    assert_eq!(read["version"], 2);
    shop.settled().await;
    let told = shop.told::<contracts::product::State>().await;
    assert_eq!((told.len(), told[0].variants.len(), told[0].variants[0].price.amount), (1, 2, 0));
}

#[tokio::test]
async fn an_edit_says_what_it_was_made_of() {
    let shop = Shop::open().await;
    let (path, created) = mug(&shop).await;
    let (old, weak) = (created.etag().to_owned(), format!("W/{}", created.etag()));
    let edit = |title: &str, tag: &str| {
        shop.staff().patch(&path).if_match(tag).json(&json!({"title": title}))
    };

    let _ = shop.staff().patch(&path).json(&json!({"title": "Cup"})).await.status(428);
    let _ = shop.staff().delete(&path).await.status(428);
    let edited = edit("Cup", &weak).await.status(200);
    let _ = edit("Bowl", &old).await.status(412);
    let _ = shop.staff().delete(&path).if_match(&old).await.status(412);
    let _ = edit("Bowl", "*").await.status(200);
    let _ = edit("Jug", edited.etag()).await.status(412);

    assert_eq!(shop.anyone().get(&path).await["title"], "Bowl");
}

#[tokio::test]
async fn a_tag_changes_with_what_is_shown() {
    let shop = Shop::open().await;
    let (path, created) = mug(&shop).await;
    let anyone = shop.anyone();
    let before = anyone.get(&path).await.ok();
    let list = anyone.get("/api/products").await.ok();
    let known = |tag: &str| anyone.get(&path).header("if-none-match", tag);
    let _ = known(before.etag()).await.status(304);
    let _ = anyone
        .get("/api/products/enamel-mug")
        .header("if-none-match", before.etag())
        .await
        .status(304);

    shop.placed(shop.order(), 1, &[pieces("MUG", 2)]).await;
    shop.settled().await;

    let sold = known(before.etag()).await.status(200);
    assert_eq!(sold["variants"][0]["available"], 3);
    assert_ne!(sold.etag(), before.etag());
    let relisted =
        anyone.get("/api/products").header("if-none-match", list.etag()).await.status(200);
    assert_eq!(relisted["items"][0]["variants"][0]["available"], 3);
    let _ = anyone.get("/api/categories").header("if-none-match", "*").await.status(304);
    let edit = shop.staff().patch(&path).json(&json!({"title": "Cup"})).if_match(created.etag());
    let edited = edit.await.status(200);
    let _ = known(edited.etag()).await.status(304);
    for document in ["openapi.json", "docs"] {
        let document = format!("/api/products/{document}");
        let shown = anyone.get(&document).await.ok();
        let again = anyone.get(&document).header("if-none-match", shown.etag()).await;
        assert_eq!((again.status, again.header("content-length")), (304, None), "{document}");
    }
}

#[tokio::test]
async fn a_repeated_edit_gives_the_first_answer() {
    let shop = Shop::open().await;
    let (path, created) = mug(&shop).await;
    let staff = shop.staff();
    let edit = || {
        let edit = staff.patch(&path).if_match(created.etag()).key("k-1");
        edit.json(&json!({"variants": [variant("RED", 1, 2)]}))
    };

    let (first, again) = (edit().await.status(200), edit().await.status(200));

    assert_eq!(first.text, again.text);
    assert_eq!(shop.available(&created.text_of("id"), "RED").await, 2);
}

#[tokio::test]
async fn a_sale_does_not_make_an_edit_stale() {
    let shop = Shop::open().await;
    let (path, created) = mug(&shop).await;
    shop.placed(shop.order(), 1, &[pieces("MUG", 2)]).await;
    shop.settled().await;

    let edit = json!({"title": "Cup"});
    let edited = shop.staff().patch(&path).if_match(created.etag()).json(&edit).await.status(200);

    assert_eq!(edited["variants"][0]["available"], 3);
}

#[tokio::test]
async fn an_earlier_slug_still_leads_to_the_product() {
    let shop = Shop::open().await;
    let (path, created) = mug(&shop).await;
    let edit = json!({"slug": "tin-mug"});

    let edited = shop.staff().patch(&path).if_match(created.etag()).json(&edit).await.status(200);
    let back = json!({"slug": "enamel-mug"});

    for slug in ["enamel-mug", "tin-mug"] {
        let read = shop.anyone().get(format!("/api/products/{slug}")).await.status(200);
        assert_eq!((&read["id"], &read["slug"]), (&created["id"], &json!("tin-mug")));
    }
    let _ = shop.staff().patch(&path).if_match(edited.etag()).json(&back).await.status(200);
}

#[tokio::test]
async fn what_is_archived_is_gone_for_shoppers_until_it_is_put_back() {
    let shop = Shop::open().await;
    let (path, created) = mug(&shop).await;

    let _ = shop.staff().delete(&path).if_match(created.etag()).await.status(204);

    let _ = shop.anyone().get(&path).await.status(404);
    let _ = shop.shopper().get("/api/products/enamel-mug").await.status(404);
    let archived = shop.staff().get(&path).await.status(200);
    assert_eq!(archived["archived"], true);
    assert!(shop.pages("/api/products?limit=5").await.is_empty());
    assert_eq!(shop.anyone().get("/api/categories").await.ok()["items"], json!([]));
    shop.settled().await;
    assert!(shop.told::<contracts::product::State>().await[0].archived);

    let back = json!({"archived": false});
    let _ = shop.staff().patch(&path).if_match(archived.etag()).json(&back).await.status(200);
    let _ = shop.anyone().get(&path).await.status(200);
}

#[tokio::test]
async fn an_edit_that_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let (path, _) = mug(&shop).await;
    shop.sells(&json!({"title": "Cup", "variants": [variant("CUP", 1, 1)]})).await;
    for (edit, status) in [
        (json!({"title": null}), 422),
        (json!({"tags": null}), 422),
        (json!({"name": "x"}), 422),
        (json!({"slug": "cup"}), 409),
        (json!({"variants": [variant("CUP", 1, 1)]}), 409),
        (json!({"variants": [{"sku": "NEW"}]}), 422),
        (json!({"variants": [{"sku": "MUG", "on_hand": 1}]}), 422),
    ] {
        let answer = shop.staff().patch(&path).if_match("*").json(&edit).await;

        assert_eq!(answer.status, status, "{edit}: {}", answer.text);
    }
    let unknown = format!("/api/products/prd_{:032x}", 7);
    let _ = shop.staff().patch(&unknown).if_match("*").json(&json!({})).await.status(404);
    let _ = shop.staff().delete(&unknown).if_match("*").await.status(404);
}
