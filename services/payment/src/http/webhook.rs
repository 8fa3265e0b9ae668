//! What providers say by themselves.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode};
use common::http::{Path, Problem, Problems};
use common::store::Cause;

use crate::store::Payments;

/// Tell what became of an attempt, a refund or a dispute (provider).
///
/// Each provider signs the body in a header of its own: `t=<seconds since 1970>,v1=<hex>`, where `v1`
/// is the HMAC-SHA256 of `<t>.<body>` and `t` is at most five minutes away. Each notice counts once,
/// however often and in whatever order they come. 200 also for what is not understood; what is about
/// something that is not known yet is kept for three days and applied as soon as that is known.
#[utoipa::path(post, path = "/api/payments/webhooks/{provider}", tag = "provider",
    params(("provider" = String, Path, example = "sandbox", description = "who tells"),
        ("Souk-Sandbox-Signature" = Option<String>, Header,
            description = "proves that the sandbox tells"),
        ("Stripe-Signature" = Option<String>, Header, description = "proves that Stripe tells")),
    request_body(content = String, content_type = "application/json",
        description = "of the sandbox: `{id, type, attempt_id, payment_id, reference, amount?, \
            capture_by?, failure?, refund_id?}`, where `type` is `charge.processing`, \
            `charge.authorized`, `charge.captured`, `charge.declined`, `refund.done`, \
            `refund.refused`, `dispute.opened`, `dispute.won` or `dispute.lost`; of Stripe: its events"),
    extensions(("x-problems" = json!({ "400": ["webhook-not-trusted"] }))),
    responses((status = OK, description = "heard"), Problems))]
pub(super) async fn hear_provider(
    State(payments): State<Payments>,
    Path(name): Path<String>,
    cause: Cause,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Problem> {
    let provider = payments.providers.named(&name).ok_or_else(Problem::not_found)?;
    // Read only for a provider that there is.
    let body = Bytes::from_request(request, &()).await;
    let body = body.map_err(|unread| Problem::of(unread.status()))?;
    if let Some(notice) = payments.read_notice(provider.as_ref(), &headers, &body).await? {
        payments.hear(provider.name(), notice, cause).await?;
    }
    Ok(StatusCode::OK)
}
