//! SKUs and slugs: unique whatever their case, corrected, freed and borne by others.

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::Answer;

use crate::shop::{Shop, pieces, variant};

async fn patch(shop: &Shop, id: &str, edit: Value) -> Answer {
    shop.staff().patch(format!("/api/products/{id}")).if_match("*").json(&edit).await
}

async fn count(shop: &Shop, id: &str, sku: &str, delta: i64) -> Answer {
    let counted = json!({"sku": sku, "delta": delta, "reason": "counted"});
    let key = shop.clock.uuid().to_string();
    shop.staff().post(format!("/api/products/{id}/stock")).key(&key).json(&counted).await
}

#[tokio::test]
async fn skus_differing_in_case_are_one() {
    let shop = Shop::open().await;
    let id = shop.stocks(&[("MUG", 3)]).await.text_of("id");

    let other = json!({"title": "Cup", "variants": [variant("mug", 1, 1)]});
    let other = shop.staff().post("/api/products").json(&other).await.status(409);
    assert_eq!(other["errors"][0]["pointer"], "/variants/0/sku");
    let twice = json!({"title": "Cup", "variants": [variant("Cup", 1, 1), variant("CUP", 1, 1)]});
    let _ = shop.staff().post("/api/products").json(&twice).await.status(422);
    let edit = json!({"variants": [{"sku": "Mug", "price": {"amount": 7, "currency": "EUR"}}]});
    let edited = patch(&shop, &id, edit).await.status(200);

    assert_eq!(edited["variants"].as_array().unwrap().len(), 1);
    assert_eq!(edited["variants"][0]["price"]["amount"], 7);
    assert_eq!(count(&shop, &id, "mug", 2).await.status(200)["sku"], "MUG");
    let ledger = shop.pages(&format!("/api/products/{id}/stock/ledger?sku=mug")).await;
    assert_eq!(ledger.len(), 2);
}

#[tokio::test]
async fn spellings_race_for_one_sku() {
    let shop = Shop::with_replicas(2).await;
    let asked = ["MUG", "mug", "Mug", "mUG", "muG", "MuG"].iter().enumerate().map(|(at, sku)| {
        let product = json!({"title": format!("Mug {at}"), "variants": [variant(sku, 1, 5)]});
        let staff = shop.staff_at(at % 2);
        async move { staff.post("/api/products").json(&product).await.status }
    });

    let statuses = join_all(asked).await;

    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn variants_differ_in_their_options() {
    let shop = Shop::open().await;
    let blue = |sku: &str| {
        let price = json!({"amount": 1, "currency": "EUR"});
        json!({"sku": sku, "options": {"colour": "blue"}, "price": price})
    };
    let refused = json!({"title": "Mug", "variants": [blue("A"), blue("B")]});
    let refused = shop.staff().post("/api/products").json(&refused).await.status(422);
    assert_eq!(refused["errors"][0]["pointer"], "/variants/0/options");

    let id = shop.sells(&json!({"title": "Mug", "variants": [blue("A")]})).await.text_of("id");
    let _ = patch(&shop, &id, json!({"variants": [blue("B")]})).await.status(422);
    let off = json!({"variants": [{"sku": "A", "on_sale": false}, blue("B")]});
    let _ = patch(&shop, &id, off).await.status(200);
    let on = json!({"variants": [{"sku": "A", "on_sale": true}]});
    let _ = patch(&shop, &id, on).await.status(422);
}

#[tokio::test]
async fn option_names_hold_dots_and_dollars() {
    let shop = Shop::open().await;
    let price = json!({"amount": 1, "currency": "EUR"});
    let names = ["dim. (cm)", "$", "$ref", "$id", "a.b.c", "price in $", ".", "%2E"];
    let options: Value = names.iter().map(|name| ((*name).to_owned(), json!("1.5 $"))).collect();
    let variants = json!([{"sku": "A", "options": options, "price": price}]);

    let created = shop.sells(&json!({"title": "Box", "variants": variants})).await;

    let id = created.text_of("id");
    assert_eq!(created["variants"][0]["options"], options);
    let _ = patch(&shop, &id, json!({"title": "Crate"})).await.status(200);
    let read = shop.anyone().get(format!("/api/products/{id}")).await.ok();
    assert_eq!(read["variants"][0]["options"], options);
    let found = shop.pages("/api/products?options=dim.%20(cm):1.5%20$").await;
    assert_eq!(found.len(), 1);
    let told = shop.hears::<contracts::product::State>(1).await.remove(0);
    assert_eq!(json!(told.variants[0].options), options);
}

#[tokio::test]
async fn a_variant_goes_off_sale_alone() {
    let shop = Shop::open().await;
    let id = shop.stocks(&[("MUG", 3), ("CUP", 3)]).await.text_of("id");

    let off = json!({"variants": [{"sku": "MUG", "on_sale": false}]});
    let edited = patch(&shop, &id, off).await.status(200);

    let (mug, cup) = (&edited["variants"][0], &edited["variants"][1]);
    assert_eq!((&mug["on_sale"], &mug["available"]), (&json!(false), &json!(0)));
    assert_eq!((&cup["on_sale"], &cup["available"]), (&json!(true), &json!(3)));
    assert!(shop.pages("/api/products?options=kind:mug").await.is_empty());
    shop.settled().await;
    assert!(shop.told::<contracts::product::State>().await[0].variants[0].off_sale);
    let on = json!({"variants": [{"sku": "MUG", "on_sale": true}]});
    assert_eq!(patch(&shop, &id, on).await.status(200)["variants"][0]["available"], 3);
}

#[tokio::test]
async fn staff_list_what_is_archived() {
    let shop = Shop::open().await;
    let id = shop.stocks(&[("MUG", 3)]).await.text_of("id");
    shop.stocks(&[("CUP", 3)]).await;
    let _ = shop.staff().delete(format!("/api/products/{id}")).if_match("*").await.status(204);

    let archived = shop.pages("/api/products?archived=true").await;

    assert_eq!(archived.iter().map(|it| it["id"].as_str().unwrap()).collect::<Vec<_>>(), [&id]);
    assert_eq!(shop.pages("/api/products?archived=false").await.len(), 1);
    let _ = shop.anyone().get("/api/products?archived=true").await.status(401);
    let _ = shop.shopper().get("/api/products?archived=true").await.status(403);
}

#[tokio::test]
async fn freed_names_are_borne_by_others() {
    let shop = Shop::open().await;
    let mug = json!({"title": "Mug", "variants": [variant("MUG", 1, 2)]});
    let id = shop.sells(&mug).await.text_of("id");
    let sold = shop.order();
    shop.placed(sold, 1, &[pieces("MUG", 1)]).await;
    shop.paid(sold, &[pieces("MUG", 1)]).await;
    shop.settled().await;
    let free = || shop.staff().post(format!("/api/products/{id}/free-names")).if_match("*");

    let _ = free().await.status(409);
    let _ = shop.staff().delete(format!("/api/products/{id}")).if_match("*").await.status(204);
    assert_eq!(free().await.status(409)["type"], "urn:souk:problem:stock-left");
    let _ = count(&shop, &id, "MUG", -1).await.status(200);
    let bare = free().await.status(200);
    assert_eq!(bare["variants"], json!([]));
    let _ = free().await.status(200);

    shop.clock.advance(std::time::Duration::from_secs(1));
    let again = shop.sells(&mug).await;
    assert_eq!(again["slug"], "mug");
    shop.cancelled(sold, &[pieces("MUG", 1)]).await;
    shop.settled().await;
    assert_eq!(shop.available("mug", "MUG").await, 2, "what comes back is of the other product");
    assert_eq!(shop.dead_letters().await, 0);
    let back = patch(&shop, &id, json!({"archived": false})).await.status(422);
    assert_eq!(back["errors"][0]["pointer"], "/variants");
}

#[tokio::test]
async fn a_corrected_sku_takes_its_stock_along() {
    let shop = Shop::open().await;
    let id = shop.stocks(&[("MGU", 5)]).await.text_of("id");
    let (held, sold, late) = (shop.order(), shop.order(), shop.order());
    shop.placed(held, 1, &[pieces("MGU", 1)]).await;
    shop.placed(sold, 1, &[pieces("MGU", 1)]).await;
    shop.paid(sold, &[pieces("MGU", 1)]).await;
    shop.settled().await;

    let edit = json!({"variants": [{"sku": "MGU", "new_sku": "MUG"}]});
    let edited = patch(&shop, &id, edit).await.status(200);
    assert_eq!(edited["variants"][0]["sku"], "MUG");
    assert_eq!(edited["variants"][0]["available"], 3);

    // One that was checked out under the former SKU, and is placed only now.
    shop.placed(late, 1, &[pieces("MGU", 2), pieces("MUG", 1)]).await;
    shop.settled().await;
    assert_eq!(shop.available(&id, "MUG").await, 0);
    assert!(shop.pages("/api/products?in_stock=true").await.is_empty());
    let too_late = shop.order();
    shop.placed(too_late, 1, &[pieces("MGU", 1)]).await;
    assert_eq!(shop.hears::<contracts::product::Refused>(1).await[0].order_id, too_late);

    shop.expired(held, 1, &[]).await;
    shop.cancelled(sold, &[pieces("MGU", 1)]).await;
    shop.cancelled(late, &[]).await;
    shop.settled().await;
    assert_eq!(shop.available(&id, "MUG").await, 5);
    assert_eq!(shop.pages("/api/products?in_stock=true").await.len(), 1);
    assert_eq!(shop.dead_letters().await, 0);
    let mut sums = std::collections::BTreeMap::<String, (i64, i64)>::new();
    for row in shop.ledger(&id).await {
        let sum = sums.entry(row["sku"].as_str().unwrap().to_owned()).or_default();
        sum.0 += row["on_hand_delta"].as_i64().unwrap();
        sum.1 += row["reserved_delta"].as_i64().unwrap();
    }
    assert_eq!((sums["MGU"], sums["MUG"]), ((0, 0), (5, 0)), "{sums:?}");
}

#[tokio::test]
async fn orders_during_a_correction_oversell_nothing() {
    let shop = Shop::with_replicas(2).await;
    let id = shop.stocks(&[("MGU", 5)]).await.text_of("id");
    let orders: Vec<_> = (0..8).map(|_| shop.order()).collect();
    let placed = join_all(orders.iter().enumerate().map(|(at, order)| {
        let (shop, line) = (&shop, [pieces(if at % 2 == 0 { "MGU" } else { "MUG" }, 1)]);
        async move { shop.placed(*order, 1, &line).await }
    }));
    let edit = json!({"variants": [{"sku": "MGU", "new_sku": "MUG"}]});

    let (_, edited) = futures_util::join!(placed, patch(&shop, &id, edit));
    let _ = edited.status(200);
    shop.settled().await;

    let held = shop.told::<contracts::product::Reserved>().await.len();
    let refused = shop.told::<contracts::product::Refused>().await.len();
    assert!(held <= 5 && held + refused == 8, "{held} held, {refused} refused");
    let left = usize::try_from(shop.available(&id, "MUG").await).unwrap();
    assert_eq!(left, 5 - held, "what is not held can be sold");
}

#[tokio::test]
async fn a_former_sku_may_be_anothers() {
    let shop = Shop::open().await;
    let wrong = shop.stocks(&[("B", 2)]).await.text_of("id");
    let sold = shop.order();
    shop.placed(sold, 1, &[pieces("B", 1)]).await;
    shop.paid(sold, &[pieces("B", 1)]).await;
    shop.settled().await;
    shop.clock.advance(std::time::Duration::from_secs(1));

    let edit = json!({"variants": [{"sku": "B", "new_sku": "A"}]});
    let _ = patch(&shop, &wrong, edit).await.status(200);
    let right = shop.stocks(&[("B", 7)]).await.text_of("id");
    shop.cancelled(sold, &[pieces("B", 1)]).await;
    shop.settled().await;

    assert_eq!(shop.available(&wrong, "A").await, 2);
    assert_eq!(shop.available(&right, "B").await, 7);
    let taken = json!({"variants": [{"sku": "A", "new_sku": "b"}]});
    let _ = patch(&shop, &wrong, taken).await.status(409);
    assert_eq!(shop.dead_letters().await, 0);
}
