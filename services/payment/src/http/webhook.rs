//! What providers say by themselves.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use common::http::{Path, Problem, Problems};
use common::store::{Cause, Receipt, UpdateError};

use crate::domain::Refusal;
use crate::store::Payments;

/// The one provider there is.
const SANDBOX: &str = "sandbox";

/// Tell what became of an attempt (provider).
///
/// The body is signed: `Souk-Sandbox-Signature: t=<seconds since 1970>,v1=<hex>`, where `v1` is the
/// HMAC-SHA256 of `<t>.<body>` and `t` is at most five minutes away. Each notice counts once. 204
/// also for what is not understood, and for payments that are not known.
#[utoipa::path(post, path = "/api/payments/webhooks/{provider}", tag = "provider",
    params(("provider" = String, Path, example = "sandbox", description = "who tells"),
        ("Souk-Sandbox-Signature" = String, Header, description = "proves who tells")),
    request_body(content = String, content_type = "application/json",
        description = "`{id, type, attempt_id, payment_id, reference, failure?}`, where `type` is \
            `charge.captured` or `charge.declined`"),
    responses((status = NO_CONTENT, description = "heard"), Problems))]
pub(super) async fn hear_provider(
    State(payments): State<Payments>,
    Path(provider): Path<String>,
    cause: Cause,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    if provider != SANDBOX {
        return Err(Problem::not_found());
    }
    let Some(notice) = payments.read_notice(&headers, &body).await? else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let receipt = Receipt::named(&format!("webhook:{provider}:{}", notice.id), cause);
    match payments.hear(notice, receipt).await {
        // An attempt is noted before it is sent: this is none of ours.
        Ok(()) | Err(UpdateError::Refused(Refusal::NotKnown)) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error.into()),
    }
}
