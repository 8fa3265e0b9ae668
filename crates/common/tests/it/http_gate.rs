//! What stands before every endpoint.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use common::http::Limits;
use contracts::auth::Role;
use serde_json::Value;
use testkit::eventually;
use tokio::time::timeout;

use crate::http_app::{App, ask};
use crate::identity_signer::{ALICE, SESSION};

const SOON: Duration = Duration::from_secs(20);

const ORDER: &str = "/orders/ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_request_keeps_its_name_and_its_trace() {
    let app = App::new();
    let request =
        ask(Method::GET, "/cause").header("x-request-id", "r-1").header("traceparent", TRACE);

    let heard = app.send(request.body(Body::empty()).unwrap()).await;

    assert_eq!(heard.header("x-request-id"), Some("r-1"));
    let trace = heard.header("traceparent").unwrap();
    assert!(trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{trace}");
    assert_ne!(trace, TRACE, "it is a step of its own");
    assert!(heard.text.contains(r#"correlation_id: "r-1""#), "{}", heard.text);
    assert!(heard.text.contains(trace), "{}", heard.text);
}

#[tokio::test]
async fn a_request_without_a_sane_name_gets_one() {
    let app = App::new();

    for (name, value) in [
        ("x-request-id", "a b"),
        ("x-request-id", ""),
        ("x-request-id", "<script>"),
        ("x-request-id", &"x".repeat(129)),
        ("traceparent", "00-zz-zz-01"),
        ("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
    ] {
        let request = ask(Method::GET, "/nowhere").header(name, value);
        let heard = app.send(request.body(Body::empty()).unwrap()).await;

        let problem = heard.problem(404, "not-found");
        assert!(heard.header("x-request-id").unwrap().starts_with("req_"));
        let trace_id = problem["trace_id"].as_str().unwrap();
        assert_eq!((trace_id.len(), trace_id.contains("zz")), (32, false));
    }
}

#[tokio::test]
async fn headers_and_addresses_have_a_bound() {
    let app = App::new();
    let large = ask(Method::GET, "/anyone").header("x-large", "x".repeat(16 * 1024));

    let heard = app.send(large.body(Body::empty()).unwrap()).await;
    heard.problem(431, "request-header-fields-too-large");
    app.get(&format!("/anyone?{}", "x".repeat(9_000))).await.problem(414, "uri-too-long");
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let app = App::with(Limits { timeout: Duration::from_millis(20), ..Limits::default() });

    let heard = app.get("/never").await;

    heard.problem(503, "unavailable");
    assert_eq!(heard.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn who_asks_for_patience_gets_it() {
    let app = App::with(Limits { timeout: Duration::from_millis(20), ..Limits::default() });

    assert_eq!(app.post("/import", "").await.text, "imported");
}

#[tokio::test]
async fn beyond_so_many_at_once_the_others_are_told_to_come_back() {
    let limits = Limits { requests: 1, timeout: Duration::from_millis(50), ..Limits::default() };
    let app = App::with(limits);

    let (slow, turned_away) = tokio::join!(biased; app.get("/never"), app.get("/anyone"));

    slow.problem(503, "unavailable");
    let problem = turned_away.problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("at once"), "{problem}");
    assert_eq!(turned_away.header("retry-after"), Some("1"));
    let still = app.get("/anyone").await.problem(503, "unavailable");
    assert!(
        still["detail"].as_str().unwrap().contains("at once"),
        "it is still worked on: {still}"
    );
}

#[tokio::test]
async fn slow_request_goes_on_after_its_time() {
    let limits = Limits { requests: 1, timeout: Duration::from_millis(20), ..Limits::default() };
    let app = App::with(limits);

    let heard = app.post("/slow", "").await;

    let problem = heard.problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("too long"), "{problem}");
    app.slow.begun.acquire().await.unwrap().forget();
    app.slow.go_on.add_permits(1);
    app.slow.done.acquire().await.unwrap().forget();
    eventually("its place is free again", SOON, async || {
        (app.get("/anyone").await.status == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn write_goes_on_after_client_hangs_up() {
    let app = App::new();
    let client = app.post("/slow", "");
    let hung_up = async {
        tokio::select! {
            _ = client => panic!("it was answered"),
            begun = app.slow.begun.acquire() => begun.unwrap().forget(),
        }
    };

    hung_up.await;

    app.slow.go_on.add_permits(1);
    timeout(SOON, app.slow.done.acquire()).await.expect("it was dropped").unwrap().forget();
}

#[tokio::test]
async fn abandoned_long_poll_gives_back_its_room() {
    let app = App::with(Limits { long_polls_per_person: 1, ..Limits::default() });
    let path = format!("{ORDER}/poll?wait=25s");
    let poll = app.get_as(Role::Guest, &path);
    let hung_up = async {
        tokio::select! {
            _ = poll => panic!("it was answered"),
            begun = app.slow.begun.acquire() => begun.unwrap().forget(),
        }
    };

    hung_up.await;

    eventually("there is room again", SOON, async || app.gate.long_polls().enter(ALICE)).await;
}

#[tokio::test]
async fn who_waits_stands_apart_and_longer() {
    let limits = Limits { requests: 1, timeout: Duration::from_millis(20), ..Limits::default() };
    let app = App::with(limits);

    let heard = app.get_as(Role::Guest, &format!("{ORDER}?wait=3600s")).await;
    assert_eq!(heard.json()["pause"], 1000, "it reads at least every second");
    let heard = app.get_as(Role::Guest, &format!("{ORDER}?wait=300ms")).await;
    assert!((200..=300).contains(&heard.json()["pause"].as_u64().unwrap()), "{}", heard.text);
    let heard = app.get(ORDER).await;
    assert_eq!(heard.json()["pause"], Value::Null, "who does not ask does not wait");
    app.get(&format!("{ORDER}?wait=1s")).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn without_room_to_wait_the_answer_comes_at_once() {
    let app = App::with(Limits { long_polls_per_person: 1, ..Limits::default() });
    let held = app.gate.long_polls().enter(ALICE);

    let heard = app.get_as(Role::Guest, &format!("{ORDER}?wait=5s")).await;
    assert_eq!(heard.json()["pause"], Value::Null);
    assert_eq!(app.get_as(Role::Guest, &format!("{ORDER}/events")).await.text, "false");
    drop(held);

    assert_eq!(app.get_as(Role::Guest, &format!("{ORDER}/events")).await.text, "true");
}

#[tokio::test]
async fn a_stop_ends_all_waiting() {
    let app = App::new();
    app.stopping.cancel();

    let heard = app.get_as(Role::Guest, &format!("{ORDER}?wait=5s")).await;

    assert_eq!(heard.json()["pause"], Value::Null);
}

#[tokio::test]
async fn nobody_waits_beyond_the_end_of_their_token() {
    let app = App::new();
    let token = crate::http_app::token(Role::Guest, app.clock.now());
    app.clock.advance(Duration::from_secs(301));

    let request = ask(Method::GET, &format!("{ORDER}?wait=5s")).header("authorization", token);
    let heard = app.send(request.body(Body::empty()).unwrap()).await;

    assert_eq!(heard.json()["pause"], Value::Null, "only the leeway is left of it");
}

#[tokio::test]
async fn pages_of_other_origins_are_kept_out_unless_named() {
    let preflight = || {
        ask(Method::OPTIONS, "/orders")
            .header("origin", "https://shop.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key")
            .body(Body::empty())
            .unwrap()
    };
    let closed = App::new();
    let open = App::open_to(Limits::default(), &["https://shop.example"]);
    let other = App::open_to(Limits::default(), &["https://other.example"]);

    let allowed = |heard: &crate::http_app::Heard| {
        heard.header("access-control-allow-origin").map(ToOwned::to_owned)
    };
    assert_eq!(allowed(&closed.send(preflight()).await), None);
    assert_eq!(allowed(&other.send(preflight()).await), None);
    let heard = open.send(preflight()).await;
    assert_eq!(allowed(&heard).as_deref(), Some("https://shop.example"));
    assert!(heard.header("access-control-allow-headers").unwrap().contains("idempotency-key"));
    let real = ask(Method::GET, "/shopper").header("origin", "https://shop.example");
    let heard = open.send(real.body(Body::empty()).unwrap()).await;
    heard.problem(401, "unauthorized");
    assert_eq!(allowed(&heard).as_deref(), Some("https://shop.example"));
    assert!(heard.header("access-control-expose-headers").unwrap().contains("etag"));
}

#[tokio::test]
async fn what_is_for_one_person_is_stored_nowhere() {
    let app = App::new();

    let theirs = app.get_as(Role::Shopper, "/shopper").await;
    assert_eq!(theirs.header("cache-control"), Some("no-store"));
    assert_eq!(app.post("/orders", "{}").await.header("cache-control"), Some("no-store"));
    let public = app.get("/anyone").await;
    assert_eq!(public.header("cache-control"), None);
    assert_eq!(public.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(public.header("referrer-policy"), Some("no-referrer"));
    assert!(public.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
}

#[tokio::test]
async fn while_no_keys_are_known_who_signed_in_is_told_to_come_back() {
    let app = App::without_keys();

    let heard = app.get_as(Role::Guest, "/shopper").await;

    heard.problem(503, "unavailable");
    assert_eq!(heard.header("retry-after"), Some("1"));
    assert_eq!(app.get("/anyone").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_signed_out_is_not_let_in_again() {
    let app = App::new();

    app.identity.revoke(SESSION);

    app.get_as(Role::Guest, "/shopper").await.problem(401, "unauthorized");
}
