//! What every endpoint accepts and answers, whatever is sent to it.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use common::http::{Cursor, Limits};
use contracts::auth::Role;
use serde_json::{Value, json};

use crate::http_app::{App, ask, token};

const ONE: &str = "/orders/ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
pub(crate) const ORDER: &str = r#"{"lines": [{"sku": "MUG-BLUE", "quantity": 2}]}"#;

#[tokio::test]
async fn a_body_comes_back_as_it_was_read() {
    let heard = App::new().post("/orders", ORDER).await;

    assert_eq!(heard.status, StatusCode::OK, "{}", heard.text);
    assert_eq!(heard.header("content-type"), Some("application/json"));
    assert_eq!(heard.json()["lines"][0]["sku"], "MUG-BLUE");
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let app = App::with(Limits { body: 1024 * 1024, ..Limits::default() });
    let deep = |open: &str, close: &str| open.repeat(65) + &close.repeat(65);

    for body in [
        String::new(),
        "{".into(),
        "nonsense".into(),
        r#"{"lines": []"#.into(),
        r#"{"lines": [],}"#.into(),
        r#"{"lines": []} {}"#.into(),
        r#"{"unknown": 1, "lines""#.into(),
        r#"{"lines": [], "note": "\ud800"}"#.into(),
        r#"{"lines": [], "note": "\x"}"#.into(),
        r#"{"lines": 01}"#.into(),
        "\u{feff}{}".into(),
        deep("[", "]"),
        deep(r#"{"lines":"#, "}"),
        "[".repeat(100_000),
        r#"{"a":"#.repeat(50_000),
    ] {
        app.post("/orders", body).await.problem(400, "malformed");
    }
    app.post("/orders", b"{\"note\": \"\xff\"}".to_vec()).await.problem(400, "malformed");
}

#[tokio::test]
async fn values_that_do_not_fit_are_named() {
    let app = App::new();

    for (body, pointer, detail) in [
        ("[]", "", "expected an object"),
        ("[[], null]", "", "expected an object"),
        ("null", "", "expected an object"),
        ("7", "", "expected an object"),
        ("{}", "/lines", "missing field"),
        (r#"{"lines": null}"#, "/lines", "expected an array"),
        (r#"{"lines": [], "price": 1}"#, "/price", "unknown field"),
        (r#"{"lines": [], "lines": []}"#, "/lines", "duplicate field"),
        (r#"{"lines": [], "l\u0069nes": 1}"#, "/lines", "duplicate field `lines`"),
        (r#"{"lines": [{"sku": "A", "sku": "A"}]}"#, "/lines/0/sku", "duplicate field `sku`"),
        (r#"{"lines": [], "note": 1}"#, "/note", "expected a string"),
        (r#"{"lines": [], "note": 1.0}"#, "/note", "expected a string"),
        (r#"{"lines": [{"sku": "A"}]}"#, "/lines/0/quantity", "missing field"),
        (r#"{"lines": [{"sku": "A", "quantity": 0}]}"#, "/lines/0/quantity", "1 to 999"),
        (r#"{"lines": [{"sku": "A", "quantity": "2"}]}"#, "/lines/0/quantity", "a whole number"),
        (r#"{"lines": [{"sku": "A", "quantity": 1e99}]}"#, "/lines/0/quantity", "a whole number"),
        (r#"{"lines": [{"sku": "a b", "quantity": 1}]}"#, "/lines/0/sku", "a SKU is"),
        (r#"{"lines": [], "a/b~c": 1}"#, "/a~1b~0c", "unknown field"),
    ] {
        let problem = app.post("/orders", body).await.problem(422, "invalid");

        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}: {problem}");
        assert!(error["detail"].as_str().unwrap().contains(detail), "{body}: {problem}");
        assert!(!problem.to_string().contains("New"), "shows how it is made: {problem}");
    }
}

#[tokio::test]
async fn a_field_given_twice_is_refused_everywhere() {
    let app = App::new();

    for (path, body) in [
        ("/orders", r#"{"lines": [], "note": "a", "note": "b"}"#),
        ("/words", r#"{"lines": [], "note": "a", "note": "b"}"#),
        ("/any", r#"{"note": "a", "note": "a"}"#),
    ] {
        let problem = app.post(path, body).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/note", "{path}: {problem}");
    }
    let nested = r#"[{}, {"a": [{"b/c": 1, "d": {"b/c": 2}, "b/c": 3}]}]"#;
    let problem = app.post("/any", nested).await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/1/a/0/b~1c", "{problem}");
}

#[tokio::test]
async fn a_whole_number_is_an_integer_however_written() {
    let app = App::new();

    for path in ["/orders", "/words"] {
        for number in ["2", "2.0", "2.000", "2e0", "20e-1", "0.2E+1"] {
            let body = format!(r#"{{"lines": [{{"sku": "A", "quantity": {number}}}]}}"#);
            let heard = app.post(path, body).await;
            assert_eq!(heard.status, StatusCode::OK, "{path} {number}: {}", heard.text);
            assert_eq!(heard.json()["lines"][0]["quantity"], 2, "{path} {number}");
        }
        for number in ["2.5", "0.0", "-0", "1e99", "2.0000000000000000001", "-2.0"] {
            let body = format!(r#"{{"lines": [{{"sku": "A", "quantity": {number}}}]}}"#);
            app.post(path, body).await.problem(422, "invalid");
        }
    }
    let exact = app.post("/any", "9007199254740993.0").await;
    assert_eq!(exact.text, "9007199254740993");
}

#[tokio::test]
async fn a_detail_does_not_repeat_much_of_what_was_sent() {
    let body = format!(r#"{{"lines": [], "{}": 1}}"#, "x".repeat(10_000));

    let heard = App::new().post("/orders", body).await;

    heard.problem(422, "invalid");
    assert!(heard.text.len() < 1_000, "{} bytes", heard.text.len());
}

#[tokio::test]
async fn only_json_is_understood() {
    let app = App::new();

    for (kind, understood) in [
        (Some("application/json"), true),
        (Some("application/json; charset=utf-8"), true),
        (Some("Application/JSON;charset=UTF-8"), true),
        (Some("application/merge-patch+json"), true),
        (Some("text/json"), false),
        (Some("application/jsonp"), false),
        (Some("text/plain"), false),
        (Some("application/x-www-form-urlencoded"), false),
        (Some("json"), false),
        (Some(""), false),
        (None, false),
    ] {
        let mut request = ask(Method::POST, "/orders");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let heard = app.send(request.body(Body::from(ORDER)).unwrap()).await;

        if understood {
            assert_eq!(heard.status, StatusCode::OK, "{kind:?}");
        } else {
            heard.problem(415, "unsupported-media-type");
        }
    }
}

#[tokio::test]
async fn addresses_that_do_not_read_are_malformed() {
    let app = App::new();

    for path in [
        "/orders/7".to_owned(),
        "/orders/usr_0190b0e1c7f67c3e9d1a2b3c4d5e6f70".into(),
        "/orders/%ff".into(),
        "/orders/%00".into(),
        "/orders?min=few".into(),
        "/orders?min=".into(),
        "/orders?min=1&min=2".into(),
        "/orders?max=1".into(),
        "/orders?limit=0".into(),
        "/orders?limit=-1".into(),
        "/orders?limit=1&limit=2".into(),
        "/orders?cursor=%20".into(),
        "/orders?cursor=bm9wZQ".into(),
        format!("/orders?cursor={}", "A".repeat(4000)),
        format!("{ONE}?wait=soon"),
        format!("{ONE}?wait=-1s"),
        format!("{ONE}?wait=1m"),
        format!("{ONE}?wait=1s500ms"),
    ] {
        let heard = app.get_as(Role::Guest, &path).await;

        assert!(heard.problem(400, "malformed")["detail"].is_string(), "{path}: {}", heard.text);
        for internal in ["Failed to", "deserialize", "OrderId", "i64"] {
            assert!(!heard.text.contains(internal), "{path}: {}", heard.text);
        }
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let app = App::new();
    let mut cursor = Cursor::encode(&-1_i64);
    let mut seen = Vec::new();

    loop {
        let cursor_text = serde_json::to_value(&cursor).unwrap();
        let path = format!("/orders?limit=2&cursor={}", cursor_text.as_str().unwrap());
        let page = app.get(&path).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Ok(next) = serde_json::from_value(page["next_cursor"].clone()) else { break };
        cursor = next;
    }

    assert_eq!(seen, [0, 1, 2, 3, 4].map(Value::from));
    assert_eq!(app.get("/orders?min=3").await.json()["items"], json!([3, 4]));
}

#[tokio::test]
async fn what_is_no_endpoint_is_a_problem_too() {
    let app = App::new();

    app.get("/nowhere").await.problem(404, "not-found");
    let wrong = app.send(ask(Method::DELETE, "/orders").body(Body::empty()).unwrap()).await;
    wrong.problem(405, "method-not-allowed");
    assert_eq!(wrong.header("allow"), Some("POST,GET,HEAD"));
    let odd =
        app.send(ask(Method::from_bytes(b"BREW").unwrap(), "/orders").body(Body::empty()).unwrap());
    odd.await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn a_problem_tells_what_its_endpoint_says_of_it() {
    let problem = App::new().get("/extra").await.problem(409, "order-already-paid");

    assert_eq!(problem["title"], "Order already paid");
    assert_eq!(problem["detail"], "it was paid");
    assert_eq!(problem["errors"], json!([{"pointer": "/a~b", "detail": "no"}]));
    assert_eq!(problem["paid_at"], "2026-01-31T12:00:00.000Z");
}

#[tokio::test]
async fn a_panic_shows_nothing_of_itself() {
    let heard = App::new().get("/panic").await;

    let problem = heard.problem(500, "internal");
    assert_eq!(problem["detail"], Value::Null);
    assert!(!heard.text.contains("secret"), "{}", heard.text);
}

#[tokio::test]
async fn an_answer_of_a_commit_goes_out_with_its_headers() {
    let heard = App::new().get("/answer").await;

    assert_eq!(heard.status, StatusCode::ACCEPTED);
    assert_eq!(heard.header("content-type"), Some("application/json"));
    assert_eq!(heard.header("location"), Some("/orders/ord_1"));
    assert_eq!(heard.header("retry-after"), Some("3"));
    assert_eq!(heard.json(), json!({"order_id": "ord_1"}));
}

#[tokio::test]
async fn an_edit_says_what_it_is_about() {
    let app = App::new();
    let edit = async |lines: &[&str]| {
        let request = lines
            .iter()
            .fold(ask(Method::PATCH, ONE), |request, line| request.header("if-match", *line));
        app.send(request.body(Body::empty()).unwrap()).await
    };

    edit(&[]).await.problem(428, "if-match-required");
    for bad in ["", "3", "\"a", "\"a\" \"b\""] {
        edit(&[bad]).await.problem(400, "malformed");
    }
    assert_eq!(edit(&["*"]).await.text, "Any");
    assert_eq!(edit(&[r#"W/"3-x""#, r#""4-x""#]).await.text, r#"Tags(["3-x", "4-x"])"#);
}

#[tokio::test]
async fn a_key_tells_a_repeat_from_another_request() {
    let app = App::new();
    let receipt = async |path: &str, key: &str, body: &str| {
        let request = ask(Method::POST, path)
            .header("content-type", "application/json")
            .header("x-request-id", "r-1")
            .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            .header("idempotency-key", key);
        let text = app.send(request.body(Body::from(body.to_owned())).unwrap()).await.text;
        text.split(", cause").next().unwrap().to_owned()
    };

    let first = receipt("/checkout", "k", r#"{"a": 1, "b": 2}"#).await;

    assert!(first.contains("http:usr:k"), "{first}");
    assert_eq!(first, receipt("/checkout", "\"k\"", r#"{ "b": 2, "a": 1}"#).await);
    assert_ne!(first, receipt("/checkout", "k", r#"{"a": 1, "b": 3}"#).await);
    assert_ne!(first, receipt("/checkout?x=1", "k", r#"{"a": 1, "b": 2}"#).await);
    assert_ne!(first, receipt("/checkout", "k2", r#"{"a": 1, "b": 2}"#).await);
}

#[tokio::test]
async fn a_key_is_asked_for_and_has_to_read() {
    let app = App::new();
    app.post("/checkout", "{}").await.problem(400, "idempotency-key-required");
    assert_eq!(app.post("/maybe", "").await.text, "false");

    for keys in [&["a b"][..], &[""], &["\"\""], &["a", "a"], &["\u{e9}"]] {
        for path in ["/checkout", "/maybe"] {
            let request = keys.iter().fold(ask(Method::POST, path), |request, key| {
                request.header("idempotency-key", key.as_bytes())
            });
            app.send(request.body(Body::empty()).unwrap()).await.problem(400, "malformed");
        }
    }
}

#[tokio::test]
async fn only_those_come_in_who_may() {
    let app = App::new();

    for (path, role, status) in [
        ("/shopper", Role::Guest, 200),
        ("/shopper", Role::Shopper, 200),
        ("/staff", Role::Guest, 403),
        ("/staff", Role::Shopper, 403),
        ("/staff", Role::Staff, 200),
        ("/staff", Role::Admin, 200),
        ("/admin", Role::Staff, 403),
        ("/admin", Role::Admin, 200),
        ("/anyone", Role::Guest, 200),
    ] {
        assert_eq!(app.get_as(role, path).await.status.as_u16(), status, "{path} {role:?}");
    }
    app.get_as(Role::Unknown, "/shopper").await.problem(403, "forbidden");
    assert_eq!(app.get("/anyone").await.text, "false");
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_how() {
    let app = App::new();
    let good = token(Role::Shopper, crate::http_app::noon());
    let raw = good.trim_start_matches("Bearer ");

    let missing = app.get("/shopper").await;
    missing.problem(401, "unauthorized");
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    for bad in
        [raw, "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", &format!("Bearer {raw}x"), ""]
    {
        for path in ["/shopper", "/staff", "/admin", "/anyone"] {
            let request = ask(Method::GET, path).header("authorization", bad);
            let heard = app.send(request.body(Body::empty()).unwrap()).await;

            heard.problem(401, "unauthorized");
            assert_eq!(heard.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        }
    }
    let lower = ask(Method::GET, "/shopper").header("authorization", format!("bearer {raw}"));
    assert_eq!(app.send(lower.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    let twice =
        ask(Method::GET, "/shopper").header("authorization", &good).header("authorization", &good);
    app.send(twice.body(Body::empty()).unwrap()).await.problem(401, "unauthorized");
}
