//! Bodies of requests: how large, how fast and how coded they may be.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use common::http::Limits;
use futures_util::{StreamExt as _, stream};
use tokio::sync::oneshot;

use crate::http::ORDER;
use crate::http_app::{App, LARGE, ask};

#[tokio::test]
async fn a_compressed_body_is_refused_with_what_is_accepted() {
    let app = App::new();
    let send = async |codings: &[&str], path: &str, body: &'static str| {
        let request = ask(Method::POST, path).header("content-type", "application/json");
        let request =
            codings.iter().fold(request, |it, coding| it.header("content-encoding", *coding));
        app.send(request.body(Body::from(body)).unwrap()).await
    };

    for codings in [&["gzip"][..], &["br"], &["identity, GZip"], &["identity", "deflate"], &["x"]] {
        for path in ["/orders", "/bytes", "/words", "/maybe"] {
            let heard = send(codings, path, ORDER).await;
            heard.problem(415, "unsupported-media-type");
            assert_eq!(heard.header("accept-encoding"), Some("identity"), "{codings:?} {path}");
        }
    }
    for codings in [&["identity"][..], &["Identity"], &[""], &[]] {
        assert_eq!(send(codings, "/orders", ORDER).await.status, StatusCode::OK, "{codings:?}");
    }
    assert_eq!(send(&["gzip"], "/maybe", "").await.status, StatusCode::OK, "no body is coded");
    let plain = app.send(ask(Method::POST, "/orders").body(Body::from("{}")).unwrap()).await;
    plain.problem(415, "unsupported-media-type");
    assert_eq!(plain.header("accept-encoding"), None, "its media type is what is wrong");
}

#[tokio::test]
async fn a_large_body_is_refused_whoever_reads_it() {
    let app = App::with(Limits { body: 100, ..Limits::default() });

    for path in ["/orders", "/bytes"] {
        app.post(path, " ".repeat(101)).await.problem(413, "body-too-large");
    }
    assert_eq!(app.post("/bytes", " ".repeat(100)).await.text, "100");
}

#[tokio::test]
async fn route_may_allow_larger_bodies() {
    let app = App::new();

    assert_eq!(app.post("/large", " ".repeat(LARGE)).await.text, LARGE.to_string());
    app.post("/large", " ".repeat(LARGE + 1)).await.problem(413, "body-too-large");
    app.post("/bytes", " ".repeat(16 * 1024 + 1)).await.problem(413, "body-too-large");
}

#[tokio::test]
async fn body_that_stalls_ends_with_408() {
    let app = App::with(Limits { body_grace: Duration::from_millis(20), ..Limits::default() });
    let half = stream::once(async { Ok::<_, Infallible>("[1,") }).chain(stream::pending());

    let heard = app.post("/bytes", Body::from_stream(half)).await;

    heard.problem(408, "request-timeout");
    assert_eq!(heard.header("connection"), Some("close"));
}

#[tokio::test]
async fn answer_closes_unless_body_was_read() {
    let app = App::new();
    let endless = || Body::from_stream(stream::pending::<Result<&str, Infallible>>());
    let coded =
        |body: Body| Request::post("/bytes").header("content-encoding", "gzip").body(body).unwrap();
    let long = format!("/bytes?{}", "x".repeat(9_000));

    for (heard, status) in [
        (app.post("/nowhere", endless()).await, 404),
        (app.post("/bytes", " ".repeat(2 * 1024 * 1024)).await, 413),
        (app.send(coded(endless())).await, 415),
        (app.post(&long, endless()).await, 414),
    ] {
        assert_eq!((heard.status.as_u16(), heard.header("connection")), (status, Some("close")));
    }
    for heard in [app.post("/bytes", "[1]").await, app.send(coded("[1]".into())).await] {
        assert_eq!(heard.header("connection"), None, "{}", heard.status);
    }
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_refused() {
    let app = App::with(Limits { in_flight: 1000, ..Limits::default() });

    let heard = app.post("/large", " ".repeat(501)).await;

    heard.problem(503, "unavailable");
    assert_eq!(heard.header("retry-after"), Some("1"));
    assert_eq!(app.post("/large", " ".repeat(500)).await.text, "500", "its bytes are free again");
}

#[tokio::test]
async fn slow_body_holds_no_place() {
    let body_grace = Duration::from_millis(500);
    let app = App::with(Limits { requests: 1, body_grace, ..Limits::default() });
    let (started, starts) = oneshot::channel();
    let first = async move {
        let _ = started.send(());
        Ok::<_, Infallible>("[1,")
    };
    let half = Body::from_stream(stream::once(first).chain(stream::pending()));

    let stalled = app.post("/bytes", half);
    let honest = async {
        starts.await.unwrap();
        app.get("/anyone").await
    };
    let (stalled, honest) = tokio::join!(stalled, honest);

    assert_eq!(honest.status, StatusCode::OK);
    stalled.problem(408, "request-timeout");
}
