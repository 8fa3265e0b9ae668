//! Staff count the stock.

use std::collections::BTreeMap;

use contracts::product::Stock;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::shop::{Shop, pieces};

fn counted(sku: &str, delta: i64) -> Value {
    json!({"sku": sku, "delta": delta, "reason": "counted"})
}

/// Plays a ledger back from nothing: on hand and reserved by SKU.
fn played(ledger: &[Value]) -> BTreeMap<String, (i64, i64)> {
    let mut counters = BTreeMap::<_, (i64, i64)>::new();
    for row in ledger {
        let number = |field: &str| row[field].as_i64().unwrap();
        let (on_hand, reserved) =
            counters.entry(row["sku"].as_str().unwrap().to_owned()).or_default();
        *on_hand += number("on_hand_delta");
        *reserved += number("reserved_delta");
        assert_eq!((*on_hand, *reserved), (number("on_hand"), number("reserved")), "{row}");
    }
    counters
}

#[tokio::test]
async fn an_adjustment_is_made_once_and_told() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5)]).await.text_of("id");
    let path = format!("/api/products/{product}/stock");
    let staff = shop.staff();
    let adjust = || staff.post(&path).key("k-1").json(&counted("MUG", -2));

    let (first, again) = (adjust().await.status(200), adjust().await.status(200));

    assert_eq!(first.text, again.text);
    assert_eq!((&first["on_hand"], &first["available"]), (&json!(3), &json!(3)));
    assert_eq!(shop.available(&product, "MUG").await, 3);
    shop.settled().await;
    assert_eq!(shop.told::<Stock>().await[0].available, 3);
    let ledger = shop.ledger(&product).await;
    assert_eq!(ledger.len(), 2);
    assert_eq!(
        (&ledger[1]["kind"], &ledger[1]["reason"]),
        (&json!("adjustment"), &json!("counted"))
    );
    assert!(ledger[1]["actor"].as_str().unwrap().starts_with("usr_"));
}

#[tokio::test]
async fn an_adjustment_leaves_what_is_promised() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5), ("CUP", 1)]).await.text_of("id");
    let other = shop.stocks(&[("POT", 1)]).await.text_of("id");
    shop.placed(shop.order(), 1, &[pieces("MUG", 3)]).await;
    shop.settled().await;
    let adjust = |product: &str, body: &Value, key: &str| {
        shop.staff().post(format!("/api/products/{product}/stock")).key(key).json(body)
    };

    let refused = adjust(&product, &counted("MUG", -3), "k-1").await.status(409);
    assert_eq!(refused["available"], 2);
    let _ = adjust(&product, &counted("MUG", -2), "k-1").await.status(200);
    for (at, body, status) in [
        (&product, counted("MUG", 1_000_000_000), 409),
        (&product, counted("MUG", 0), 422),
        (&product, counted("MUG", i64::MAX), 422),
        (&product, counted("NONE", 1), 422),
        (&product, counted("POT", 1), 422),
        (&product, json!({"sku": "MUG", "delta": 1}), 422),
        (&other, counted("MUG", 1), 422),
        (&format!("prd_{:032x}", 7), counted("MUG", 1), 404),
    ] {
        let answer = adjust(at, &body, "k-2").await;
        assert_eq!(answer.status, status, "{at} {body}: {}", answer.text);
    }
    let path = format!("/api/products/{product}/stock");
    let _ = shop.staff().post(path).json(&counted("MUG", 1)).await.status(400);
    assert_eq!(shop.available(&product, "MUG").await, 0);
}

#[tokio::test]
async fn pieces_counted_out_at_once_are_never_more_than_there_are() {
    let shop = Shop::with_replicas(2).await;
    let product = shop.stocks(&[("MUG", 20)]).await.text_of("id");
    let path = format!("/api/products/{product}/stock");

    let asked = (0..32).map(|number| {
        let staff = shop.staff_at(number % 2);
        let request = staff.post(&path).key(&format!("k-{number}")).json(&counted("MUG", -1));
        async move { request.await.status }
    });
    let statuses = join_all(asked).await;

    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 12, "{statuses:?}");
    let ledger = shop.ledger(&product).await;
    assert_eq!((ledger.len(), played(&ledger)["MUG"]), (21, (0, 0)));
}

#[tokio::test]
async fn the_ledger_of_an_order_plays_back_to_what_is_there() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 9), ("CUP", 4)]).await.text_of("id");
    let (kept, left, returned) = (shop.order(), shop.order(), shop.order());
    let lines = [pieces("MUG", 2), pieces("CUP", 1)];
    for order in [kept, left, returned] {
        shop.placed(order, 1, &lines).await;
    }
    shop.settled().await;
    shop.paid(kept, &lines).await;
    shop.expired(left, 1, &lines).await;
    shop.paid(returned, &lines).await;
    shop.settled().await;
    shop.cancelled(returned, &lines).await;
    shop.settled().await;

    let ledger = shop.ledger(&product).await;

    let kinds = |order: &str| -> Vec<&str> {
        let of_order = |row: &&Value| row["order_id"] == order && row["sku"] == "MUG";
        ledger.iter().filter(of_order).map(|row| row["kind"].as_str().unwrap()).collect()
    };
    assert_eq!(kinds(&kept.to_string()), ["allocation", "sale"]);
    assert_eq!(kinds(&left.to_string()), ["allocation", "release"]);
    assert_eq!(kinds(&returned.to_string()), ["allocation", "sale", "return"]);
    assert_eq!(played(&ledger), [("CUP".into(), (3, 0)), ("MUG".into(), (7, 0))].into());
    let of_cup = shop.pages(&format!("/api/products/{product}/stock/ledger?sku=CUP")).await;
    assert_eq!(of_cup.len(), ledger.len() / 2);
}
