//! Whatever is asked, the answer is one that the asker can understand.

use serde_json::{Value, json};
use testkit::Client;

use crate::house::{ALICE, House, PASSWORD, person};

const ENDPOINTS: [&str; 3] = ["/api/auth/register", "/api/auth/login", "/api/auth/refresh"];

/// What does not fit, and the pointer that says so.
fn misfits() -> Vec<(&'static str, Value, &'static str)> {
    let [register, login, refresh] = ENDPOINTS;
    vec![
        (register, person("alice", PASSWORD), "/email"),
        (register, person("", PASSWORD), "/email"),
        (register, person("alice@example.com\u{0}", PASSWORD), "/email"),
        (register, person("a@b@example.com", PASSWORD), "/email"),
        (register, person(&format!("{}@example.com", "a".repeat(300)), PASSWORD), "/email"),
        (register, person("a@-übung.de", PASSWORD), "/email"),
        (register, person("a@xn--zzzzzz--.de", PASSWORD), "/email"),
        (register, person("ä@example.com", PASSWORD), "/email"),
        (register, person("a@b\u{202e}c.de", PASSWORD), "/email"),
        (register, person(ALICE, ""), "/password"),
        (register, person(ALICE, "1234567"), "/password"),
        (register, person(ALICE, &"🔑".repeat(129)), "/password"),
        (register, json!({ "email": ALICE, "password": 12_345_678 }), "/password"),
        (register, json!({ "email": [ALICE], "password": PASSWORD }), "/email"),
        (register, json!({ "email": { "$ne": "" }, "password": PASSWORD }), "/email"),
        (register, json!({ "email": ALICE }), "/password"),
        (register, json!({ "email": ALICE, "password": PASSWORD, "role": "admin" }), "/role"),
        (register, json!({ "email": ALICE, "password": PASSWORD, "name": "" }), "/name"),
        (register, json!({ "email": ALICE, "password": PASSWORD, "name": "a\nb" }), "/name"),
        (register, named("a\u{2028}b"), "/name"),
        (register, named("\u{200b}"), "/name"),
        (register, named("\u{3164}"), "/name"),
        (register, named("\u{202e}ecilA"), "/name"),
        (
            register,
            json!({ "email": ALICE, "password": PASSWORD, "name": "a".repeat(101) }),
            "/name",
        ),
        (login, person("alice", PASSWORD), "/email"),
        (login, json!({ "email": ALICE, "password": null }), "/password"),
        (login, json!({ "email": ALICE, "password": { "$gt": "" } }), "/password"),
        (login, json!({ "email": ALICE }), "/password"),
        (login, json!({ "email": ALICE, "password": PASSWORD, "name": "x" }), "/name"),
        (refresh, json!({}), "/refresh_token"),
        (refresh, json!({ "refresh_token": 7 }), "/refresh_token"),
        (refresh, json!({ "refresh_token": "x", "x": 1 }), "/x"),
    ]
}

fn named(name: &str) -> Value {
    json!({ "email": ALICE, "password": PASSWORD, "name": name })
}

#[tokio::test]
async fn what_does_not_fit_is_pointed_at() {
    let (_house, replica) = House::with_a_door().await;

    for (path, body, pointer) in misfits() {
        let answer = replica.door().post(path).json(&body).await.status(422);

        assert_eq!(answer["errors"][0]["pointer"], pointer, "{path} {body}");
        assert!(!answer.text.contains("12345678"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let (_house, replica) = House::with_a_door().await;

    for path in ENDPOINTS {
        let ask =
            |body: &[u8], kind| replica.door().post(path).body(body).header("content-type", kind);
        for body in [&b""[..], b"{", b"nonsense", b"\xff\xfe", b"{\"email\": \"a\"} trailing"] {
            let _ = ask(body, "application/json").await.status(400);
        }
        for body in [&b"[]"[..], b"\"text\"", b"7", b"null"] {
            let _ = ask(body, "application/json").await.status(422);
        }
        let _ = ask("[".repeat(200).as_bytes(), "application/json").await.status(400);
        let _ = ask(b"{}", "text/plain").await.status(415);
        let _ = ask(&vec![b' '; 300 * 1024], "application/json").await.status(413);
    }
}

#[tokio::test]
async fn whoever_shows_no_good_token_is_nobody() {
    let (_house, replica) = House::with_a_door().await;
    let ask = async |client: &Client, header: Option<&str>| {
        for request in [client.get("/api/auth/me"), client.post("/api/auth/logout")] {
            let request = match header {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            let answer = request.await.status(401);
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
    };

    ask(&replica.door(), None).await;
    for value in ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "bearer a b c", "x"] {
        ask(&replica.door(), Some(value)).await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (_house, replica) = House::with_a_door().await;

    let _ = replica.door().get("/api/auth/nothing").await.status(404);
    let _ = replica.door().get("/api/auth/login").await.status(405);
    let _ = replica.door().post("/api/auth/me").await.status(405);
    let _ = replica.door().get("/api/auth/openapi.json").await.status(200);
    let _ = replica.door().get("/api/auth/docs").await.status(200);
}

#[tokio::test]
async fn nobody_is_called_by_the_number_of_a_card() {
    let (house, replica) = House::with_a_door().await;
    let form = |name: &str| json!({ "email": ALICE, "password": PASSWORD, "name": name });
    let register = |form: &Value| replica.door().post("/api/auth/register").json(form);
    for name in ["4242424242424242", "Alice 4242 4242-4242.4242", "4242/4242\u{a0}4242\u{2011}4242"]
    {
        let refused = register(&form(name)).await.status(422);
        assert_eq!(refused["type"], "urn:souk:problem:card-number", "{name}");
        assert!(!refused.text.contains("4242"), "{}", refused.text);
    }
    // A password is nobody's business, and an address may be made of whatever digits it likes.
    let digits = ("4242424242424242@example.com", "4242424242424242");
    for (email, password) in [(digits.0, PASSWORD), ("eve@example.com", digits.1)] {
        let _ = register(&person(email, password)).await.status(201);
    }
    let alice = register(&form("Alice")).await.status(201);

    let seen = replica.me(&alice).await.etag().to_owned();
    let called = json!({ "name": "4242 4242 4242 4242" });
    let change = replica.door_with(&alice).patch("/api/auth/me").json(&called).if_match(&seen);

    assert_eq!(change.await.status(422)["type"], "urn:souk:problem:card-number");
    assert!(!format!("{:?}", house.stored("users").await).contains("4242 "));
}
