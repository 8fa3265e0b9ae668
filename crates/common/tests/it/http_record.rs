//! What is logged and measured of a request, and what is not.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use common::http::Limits;
use contracts::auth::Role;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;

use crate::http_app::{App, ask, noon, token};

const ORDER: &str = "/orders/ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";

/// Catches what is logged by this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn catch(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || log.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn a_request_leaves_one_line_without_what_is_private() {
    let (app, log) = (App::new(), Log::default());
    let guard = log.catch();
    let good = token(Role::Shopper, noon());

    let request = ask(Method::POST, "/checkout?coupon=SECRET")
        .header("authorization", &good)
        .header("content-type", "application/json")
        .header("x-request-id", "r-1")
        .header("idempotency-key", "k-SECRET");
    app.send(request.body(Body::from(r#"{"note": "SECRET"}"#)).unwrap()).await;
    drop(guard);

    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let (fields, span) = (&lines[0]["fields"], &lines[0]["span"]);
    assert_eq!(fields["http.status"], 200);
    assert!(fields["http.duration_ms"].is_number());
    assert_eq!(span["http.method"], "POST");
    assert_eq!(span["http.route"], "/checkout");
    assert_eq!(span["request.id"], "r-1");
    assert_eq!(span["trace.id"].as_str().unwrap().len(), 32);
    assert!(!log.text().contains("SECRET") && !log.text().contains("eyJ"), "{}", log.text());
}

#[tokio::test]
async fn neither_a_bad_body_nor_a_panic_is_repeated_in_the_log() {
    let (app, log) = (App::new(), Log::default());
    let guard = log.catch();

    app.post("/orders", r#"{"lines": "SECRET"}"#).await;
    app.get("/panic").await;
    app.get("/nowhere/SECRET").await;
    drop(guard);

    assert!(!log.text().to_lowercase().contains("secret"), "{}", log.text());
    assert!(log.text().contains("endpoint panicked"));
}

#[tokio::test]
async fn a_request_whose_client_went_away_is_logged_all_the_same() {
    let (app, log) = (App::new(), Log::default());
    let guard = log.catch();

    let mut request = Box::pin(app.get("/never"));
    assert!(futures_util::poll!(&mut request).is_pending());
    drop(request);
    drop(guard);

    assert_eq!(log.lines()[0]["fields"]["http.status"], 499);
}

#[tokio::test]
async fn requests_are_measured_by_route_and_long_polls_apart() {
    let app = App::with(Limits { timeout: Duration::from_secs(5), ..Limits::default() });
    let recorder = PrometheusBuilder::new().build_recorder();
    let guard = metrics::set_default_local_recorder(&recorder);

    app.get("/orders?limit=1").await;
    app.get("/nowhere/else").await;
    app.get_as(Role::Guest, &format!("{ORDER}?wait=5s")).await;
    app.send(ask(Method::from_bytes(b"BREW").unwrap(), "/orders").body(Body::empty()).unwrap())
        .await;
    drop(guard);

    let measured = recorder.handle().render();
    for line in [
        r#"souk_http_request_duration_seconds_count{method="GET",route="/orders",status="200"} 1"#,
        r#"souk_http_request_duration_seconds_count{method="GET",route="none",status="404"} 1"#,
        r#"souk_http_request_duration_seconds_count{method="OTHER",route="/orders",status="405"} 1"#,
        r#"souk_http_wait_duration_seconds_count{method="GET",route="/orders/{id}",status="200"} 1"#,
    ] {
        assert!(measured.contains(line), "{line}\n{measured}");
    }
}
