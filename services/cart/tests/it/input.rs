//! Whatever is sent, the answer is never a 500.

use serde_json::json;

use crate::shelf::Shelf;

#[tokio::test]
async fn bad_input_is_refused_in_words() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    let deep = "[".repeat(10_000);
    let long = format!(r#"{{"quantity":1,"x":"{}"}}"#, "x".repeat(300_000));
    let cases = [
        ("{", 400),
        ("", 400),
        (deep.as_str(), 400),
        (long.as_str(), 413),
        (r#"{"quantity":0}"#, 422),
        (r#"{"quantity":-1}"#, 422),
        (r#"{"quantity":1e400}"#, 422),
        (r#"{"quantity":99999999999999999999}"#, 422),
        (r#"{"quantity":"1"}"#, 422),
        (r#"{"quantity":1,"price":0}"#, 422),
        ("{}", 422),
        ("[]", 422),
        ("null", 422),
    ];

    for (body, status) in cases {
        let put = shelf.alice.put("/api/cart/items/MUG").body(body);
        let answer = put.header("content-type", "application/json").await;
        let shown = &body[..body.len().min(40)];
        assert_eq!(answer.status, status, "{shown}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{shown}");
    }
    let put = shelf.alice.put("/api/cart/items/MUG").body(r#"{"quantity":1}"#);
    put.header("content-type", "text/plain").await.status(415);
    let _ =
        shelf.alice.put("/api/cart/items/a%20b").json(&json!({ "quantity": 1 })).await.status(400);
    shelf.alice.get("/api/cart").bearer("forged").await.status(401);
    let tagged = shelf.alice.delete("/api/cart").if_match("nonsense");
    tagged.await.status(400);
}
