//! Entity tags, and requests that depend on them (RFC 9110, section 13).

use axum::body::Body;
use axum::http::{Method, StatusCode};
use contracts::auth::Role;

use crate::http_app::{App, Heard, ask, noon, token};

async fn read(app: &App, method: Method, path: &str, headers: &[(&str, &str)]) -> Heard {
    let request =
        headers.iter().fold(ask(method, path), |it, (name, value)| it.header(*name, *value));
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn tag(app: &App, path: &str) -> String {
    read(app, Method::GET, path, &[]).await.header("etag").unwrap().to_owned()
}

#[tokio::test]
async fn every_answer_that_is_read_has_a_tag() {
    let app = App::new();

    for path in ["/tagged/7", "/orders", "/orders?limit=2", "/anyone"] {
        let shown = tag(&app, path).await;
        assert!(shown.len() > 16 && !shown.starts_with("W/"), "{path}: {shown}");
        assert_eq!(shown, tag(&app, path).await, "{path}: the same bytes");
        let head = read(&app, Method::HEAD, path, &[]).await;
        assert_eq!(head.header("etag"), Some(&*shown), "{path}: HEAD");
    }
    assert_ne!(tag(&app, "/orders").await, tag(&app, "/orders?limit=2").await);
    assert_ne!(
        tag(&app, "/tagged/7").await,
        tag(&app, "/tagged/8").await,
        "one version, two bodies"
    );
    assert!(tag(&app, "/tagged/7").await.starts_with("\"0-00000000-"), "an edit reads its version");
    for (path, status) in [("/nowhere", 404), ("/shopper", 401), ("/extra", 409), ("/answer", 202)]
    {
        let heard = app.get(path).await;
        assert_eq!((heard.status.as_u16(), heard.header("etag")), (status, None), "{path}");
    }
}

#[tokio::test]
async fn what_is_known_already_is_not_sent() {
    let app = App::new();
    let shown = tag(&app, "/tagged/7").await;
    let inner = shown.trim_matches('"');

    for known in [
        shown.clone(),
        format!("W/{shown}"),
        format!("\"x\", {shown}"),
        format!(" , {shown} ,,W/\"y\""),
        format!("\"a,b\", {shown}"),
        "*".into(),
        " * ".into(),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let heard = read(&app, method, "/tagged/7", &[("if-none-match", &known)]).await;
            assert_eq!((heard.status, &*heard.text), (StatusCode::NOT_MODIFIED, ""), "{known}");
            assert_eq!(heard.header("etag"), Some(&*shown), "{known}");
            assert_eq!(heard.header("cache-control"), Some("max-age=5"), "{known}");
            assert_eq!(heard.header("content-type"), None, "{known}");
            assert!(heard.header("x-request-id").is_some(), "{known}");
        }
    }
    let lines = [("if-none-match", "\"x\""), ("if-none-match", &*shown)];
    assert_eq!(read(&app, Method::GET, "/tagged/7", &lines).await.status, 304, "two lines");
    for unknown in ["\"x\"", "\"0-00000000\"", inner, "\"", "", ",", "*, \"x\"", "W/"] {
        let heard = read(&app, Method::GET, "/tagged/7", &[("if-none-match", unknown)]).await;
        assert_eq!((heard.status, &*heard.text), (StatusCode::OK, "7"), "{unknown}");
    }
}

#[tokio::test]
async fn conditions_change_nothing_about_a_refusal() {
    let app = App::new();

    for name in ["if-none-match", "if-match"] {
        read(&app, Method::GET, "/nowhere", &[(name, "*")]).await.problem(404, "not-found");
        read(&app, Method::GET, "/shopper", &[(name, "*")]).await.problem(401, "unauthorized");
    }
    let theirs = token(Role::Guest, noon());
    let known = [("authorization", &*theirs), ("if-none-match", "*")];
    let heard = read(&app, Method::GET, "/shopper", &known).await;
    assert_eq!((heard.status.as_u16(), heard.header("cache-control")), (304, Some("no-store")));
}

#[tokio::test]
async fn a_read_ignores_if_match() {
    let app = App::new();
    let shown = tag(&app, "/tagged/7").await;

    for matching in [&*shown, "*", "\"x\"", "nonsense"] {
        let answer = read(&app, Method::GET, "/tagged/7", &[("if-match", matching)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{matching}");
    }
}

#[tokio::test]
async fn an_answer_to_an_edit_bears_the_tag_that_is_read() {
    let app = App::new();

    let edited = read(&app, Method::PUT, "/tagged/7", &[("if-none-match", "*")]).await;

    assert_eq!(edited.status, StatusCode::OK);
    assert_eq!(edited.header("etag"), Some(&*tag(&app, "/tagged/7").await));
    assert_eq!(app.post("/maybe", "").await.header("etag"), None, "it shows no version");
}
