//! The sandbox's own page, where a shopper confirms a charge or refuses to.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use common::http::{Path, Problem};
use contracts::AttemptId;
use utoipa_axum::router::OpenApiRouter;

use crate::provider::{Sandbox, Standing};

/// Nothing is loaded and nothing runs; forms go to the page's own host.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
);

/// The page and what its buttons do. It belongs to the provider, not to the shop's API.
pub fn router() -> OpenApiRouter<Sandbox> {
    const PAGE: &str = "/api/payments/sandbox/authorize/{attempt}";
    OpenApiRouter::new()
        .route(PAGE, get(ask))
        .route(&format!("{PAGE}/confirm"), post(confirm))
        .route(&format!("{PAGE}/refuse"), post(refuse))
}

async fn ask(
    State(sandbox): State<Sandbox>,
    Path(attempt): Path<AttemptId>,
) -> Result<Response, Problem> {
    let standing = sandbox.standing(attempt).await?.ok_or_else(Problem::not_found)?;
    Ok(([(CONTENT_SECURITY_POLICY, POLICY)], Html(page(attempt, &standing))).into_response())
}

async fn confirm(
    State(sandbox): State<Sandbox>,
    Path(attempt): Path<AttemptId>,
) -> Result<Redirect, Problem> {
    decide(&sandbox, attempt, true).await
}

async fn refuse(
    State(sandbox): State<Sandbox>,
    Path(attempt): Path<AttemptId>,
) -> Result<Redirect, Problem> {
    decide(&sandbox, attempt, false).await
}

async fn decide(sandbox: &Sandbox, attempt: AttemptId, yes: bool) -> Result<Redirect, Problem> {
    sandbox.decide(attempt, yes).await?.ok_or_else(Problem::not_found)?;
    Ok(Redirect::to(&format!("/api/payments/sandbox/authorize/{attempt}")))
}

fn page(attempt: AttemptId, standing: &Standing) -> String {
    let content = match standing {
        Standing::RequiresAction => format!(
            "<p>The shop asks for money. This is a sandbox: none moves.</p>\
             <form method=\"post\" action=\"{attempt}/confirm\"><button>Confirm</button></form>\
             <form method=\"post\" action=\"{attempt}/refuse\"><button>Refuse</button></form>"
        ),
        Standing::Captured | Standing::Authorized { .. } => {
            "<p>The payment is confirmed. You can go back to the shop.</p>".into()
        }
        Standing::Processing { .. } => "<p>The payment is being worked on.</p>".into(),
        Standing::Declined { .. } => {
            "<p>The payment was not made. You can go back to the shop.</p>".to_owned()
        }
    };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Sandbox payment</title>\
         <style>body{{font:1.1rem system-ui;max-width:30rem;margin:4rem auto;padding:0 1rem}}\
         form{{display:inline}}button{{font:inherit;padding:.5rem 1.5rem;margin-right:1rem}}</style>\
         <h1>Confirm your payment</h1>{content}</html>"
    )
}
