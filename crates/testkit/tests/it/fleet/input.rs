//! Whatever is sent to whichever service, the answer is never a 5xx and always says what is wrong.

use serde_json::json;
use testkit::{Answer, Client};

use super::shop::Shop;

const SOMEBODY: &str = "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
const NOTHING: &str = "pay_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";

/// Every endpoint that takes a body, and whether it is for staff.
fn endpoints(product: &str) -> Vec<(&'static str, String)> {
    vec![
        ("POST", "/api/auth/register".into()),
        ("POST", "/api/auth/login".into()),
        ("POST", "/api/auth/refresh".into()),
        ("PUT", "/api/cart/items/MUG".into()),
        ("POST", "/api/cart/checkout".into()),
        ("POST", "/api/payments".into()),
        ("POST", "/api/products".into()),
        ("PATCH", format!("/api/products/{product}")),
        ("POST", format!("/api/products/{product}/stock")),
        ("POST", format!("/api/orders/{SOMEBODY}/ship")),
        ("POST", format!("/api/payments/{NOTHING}/refunds")),
        ("POST", "/api/payments/webhooks/sandbox".into()),
    ]
}

fn bodies() -> Vec<String> {
    let money = |amount: &str| {
        format!(
            r#"{{"title":"x","variants":[{{"sku":"X","on_hand":1,"price":{{"amount":{amount},"currency":"EUR"}}}}]}}"#
        )
    };
    vec![
        String::new(),
        "{".into(),
        "[".repeat(50_000),
        r#"{"a":"#.repeat(50_000),
        "null".into(),
        "[]".into(),
        "42".into(),
        "\"\\ud800\"".into(),
        "{\"\u{0}\":1}".into(),
        r#"{"unknown":1}"#.into(),
        r#"{"quantity":-1,"delta":-1,"email":-1}"#.into(),
        r#"{"quantity":1e999}"#.into(),
        r#"{"quantity":18446744073709551616}"#.into(),
        r#"{"email":"not an address","password":"x"}"#.into(),
        r#"{"order_id":"usr_1","method":"pm_card_visa"}"#.into(),
        format!(r#"{{"order_id":"{SOMEBODY}","method":"{}"}}"#, "x".repeat(5000)),
        r#"{"expected_total":{"amount":1.5,"currency":"EUR"}}"#.into(),
        r#"{"expected_total":{"amount":1,"currency":"euro"}}"#.into(),
        r#"{"sku":"MUG","delta":9223372036854775807,"reason":"x"}"#.into(),
        r#"{"sku":"MUG","delta":-9223372036854775808,"reason":"x"}"#.into(),
        r#"{"carrier":"","tracking":""}"#.into(),
        money("-1"),
        money("9223372036854775807"),
        money("\"1\""),
    ]
}

#[tokio::test]
async fn no_body_of_a_request_makes_a_service_fail() {
    let shop = Shop::open().await;
    let product = shop.sells("MUG", 1250, 5).await;

    for (method, path) in endpoints(&product) {
        for body in bodies() {
            let request = shop.staff.client.request(method.parse().unwrap(), path.clone());
            let request = request.key("k").if_match("*").header("content-type", "application/json");
            is_refused(&request.body(body.clone()).await, &body);
        }
        let request = shop.staff.client.request(method.parse().unwrap(), path.clone()).key("k");
        let typed = request.clone().if_match("*").header("content-type", "text/plain").body("{}");
        is_refused(&typed.await, "text/plain");
        let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(300_000));
        let large = request.if_match("*").header("content-type", "application/json").body(large);
        is_refused(&large.await, "300 kB");
    }
    shop.nothing_is_dead().await;
}

#[tokio::test]
async fn no_path_and_no_query_makes_a_service_fail() {
    let shop = Shop::open().await;
    let staff = &shop.staff.client;
    let ids =
        ["x", "ord_", "ord_zz", "%00", "%ff", "..%2f..", "usr_0190b0e1c7f67c3e9d1a2b3c4d5e6f70"];
    for id in ids {
        for path in ["/api/orders/", "/api/payments/", "/api/products/", "/api/auth/sessions/"] {
            is_refused(&staff.get(format!("{path}{id}")).await, id);
        }
        is_refused(&staff.delete(format!("/api/cart/items/{id}%20")).await, id);
    }
    let queries = [
        "cursor=x",
        "cursor=%00",
        "cursor=eyJ9",
        "cursor=bnVsbA",
        "limit=0",
        "limit=-1",
        "limit=99999999999999999999",
        "limit=x",
    ];
    for query in queries {
        for path in ["/api/orders", "/api/products"] {
            let answer = staff.get(format!("{path}?{query}")).await;
            assert!(answer.status < 500, "{query}: {}", answer.text);
        }
    }
    is_refused(&staff.get("/api/payments?order_id=x").await, "order_id=x");
    is_refused(&staff.get(format!("/api/orders/{SOMEBODY}?wait=x")).await, "wait=x");
    is_refused(&staff.request("BREW".parse().unwrap(), "/api/cart").await, "BREW");
    is_refused(&staff.get("/api/cart/none").await, "no such path");
}

#[tokio::test]
async fn nobody_gets_at_what_is_not_theirs() {
    let shop = Shop::open().await;
    let product = shop.sells("MUG", 1250, 5).await;
    let (alice, mallory) = (shop.guest().await, shop.guest().await);
    let order = alice.buys("MUG", 1, "pm_card_visa").await.text_of("id");
    let payment = alice.payments(&order).await[0]["id"].as_str().unwrap().to_owned();

    let mallorys = &mallory.client;
    mallorys.get(format!("/api/orders/{order}")).await.status(404);
    mallorys.post(format!("/api/orders/{order}/cancel")).key("c").await.status(404);
    mallorys.get(format!("/api/payments/{payment}")).await.status(404);
    let pays = json!({ "order_id": order, "method": "pm_card_visa" });
    mallorys.post("/api/payments").json(&pays).key("p").await.status(404);
    let found = mallorys.get(format!("/api/payments?order_id={order}")).await;
    assert!(found.status == 404 || found["items"] == json!([]), "{}", found.text);
    let parcel = json!({ "carrier": "x", "tracking": "y" });
    mallorys.post(format!("/api/orders/{order}/ship")).json(&parcel).key("s").await.status(403);
    mallorys.post(format!("/api/orders/{order}/deliver")).key("d").await.status(403);
    mallorys.get("/api/orders?all=true").await.status(403);
    mallorys
        .post(format!("/api/payments/{payment}/refunds"))
        .json(&json!({ "reason": "x" }))
        .key("r")
        .await
        .status(403);
    let thing = json!({ "title": "x", "variants": [] });
    mallorys.post("/api/products").json(&thing).key("n").await.status(403);
    mallorys.delete(format!("/api/products/{product}")).if_match("*").await.status(403);
    let change = json!({ "sku": "MUG", "delta": 1, "reason": "x" });
    mallorys
        .post(format!("/api/products/{product}/stock"))
        .json(&change)
        .key("t")
        .await
        .status(403);
    mallorys.get(format!("/api/products/{product}/stock/ledger")).await.status(403);
}

#[tokio::test]
async fn a_token_that_auth_did_not_sign_opens_nothing() {
    let shop = Shop::open().await;
    let guest = shop.guest().await;
    let (head, rest) = guest.token().split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let forged = [
        String::new(),
        "x".into(),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{head}.{}.{signature}", claims.to_ascii_lowercase()),
        format!("{head}.{claims}.{}", signature.chars().rev().collect::<String>()),
        format!("{head}.{claims}"),
        "x".repeat(12_000),
    ];

    for token in forged {
        for path in ["/api/auth/me", "/api/cart", "/api/orders", "/api/payments?order_id=x"] {
            let answer = shop.client.get(path).bearer(&token).await;
            assert_eq!(answer.status, 401, "{path} {token}: {}", answer.text);
            is_problem(&answer);
        }
    }
    let nobody: &Client = &shop.client;
    nobody.get("/api/cart").await.status(401);
}

fn is_refused(answer: &Answer, sent: &str) {
    let shown: String = sent.chars().take(60).collect();
    assert!((400..500).contains(&answer.status), "{} {shown}: {answer:?}", answer.asked);
    is_problem(answer);
}

fn is_problem(answer: &Answer) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let kind = answer["type"].as_str().unwrap_or_default();
    assert!(kind.starts_with("urn:souk:problem:"), "{answer:?}");
    assert_eq!(answer["status"], answer.status);
}
