//! Giving money back.

use axum::extract::State;
use common::http::{Cardless, IdempotencyKey, Json, Path, Patience, Problem, Problems, Worded};
use common::identity::{Shopper, Staff};
use common::store::Answer;
use contracts::{Money, PaymentId, RefundId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read::visible;
use super::standing::refused;
use super::view::RefundView;
use crate::domain::{Reason, RefundCause, Refusal};
use crate::store::Payments;

/// What is to be given back, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRefund {
    /// How much; all that can go back when absent.
    #[serde(default)]
    amount: Option<Money>,
    /// Why, for those who look it up later.
    reason: Reason,
}

impl Worded for NewRefund {}

/// Give money back (staff).
///
/// All refunds together never exceed what came: the amount is taken from what can go back before
/// anything is sent. 201 says what became of it: `done`, the money went back; `failed`, the provider
/// does not give it back this way, and what it had taken is free again. 202: it is on its way.
///
/// 409: `nothing-to-refund`, `refund-too-large`, `payment-disputed`, `too-many-refunds`; each with
/// where the payment stands (`payment_status`), what may be done (`allowed`) and the most that can go
/// back (`refundable`, absent when nothing can).
#[utoipa::path(post, path = "/api/payments/{id}/refunds", tag = "payments",
    security(("bearer" = [])),
    params(("id" = PaymentId, Path, description = "the payment"),
        ("Idempotency-Key" = String, Header, description = "names this refund")),
    request_body = NewRefund,
    extensions(("x-problems" = json!({
        "409": ["nothing-promised", "nothing-to-refund", "refund-too-large", "payment-disputed", "too-many-refunds"],
        "422": ["card-number"]
    }))),
    responses(
        (status = CREATED, body = RefundView, description = "what became of it",
            headers(("Location" = String, description = "the refund"))),
        (status = ACCEPTED, body = RefundView, description = "it is on its way",
            headers(("Location" = String, description = "the refund"))),
        Problems))]
pub(super) async fn start_refund(
    State(payments): State<Payments>,
    staff: Staff,
    Path(id): Path<PaymentId>,
    key: IdempotencyKey,
    patience: Patience,
    Cardless(asked): Cardless<NewRefund>,
) -> Result<Answer, Problem> {
    patience.extend(payments.longest());
    let receipt = key.by(staff.id, &asked);
    let cause = RefundCause::Staff { by: staff.id, reason: asked.reason };
    match payments.refund(id, asked.amount, cause, receipt, RefundView::answer).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(refused(&payments, id, error).await),
    }
}

/// See a refund.
#[utoipa::path(get, path = "/api/payments/{id}/refunds/{refund_id}", tag = "payments",
    security(("bearer" = [])),
    params(("id" = PaymentId, Path, description = "the payment"),
        ("refund_id" = RefundId, Path, description = "the refund")),
    responses((status = OK, body = RefundView), Problems))]
pub(super) async fn get_refund(
    State(payments): State<Payments>,
    shopper: Shopper,
    Path((id, refund_id)): Path<(PaymentId, RefundId)>,
) -> Result<Json<RefundView>, Problem> {
    let stored = payments.get(id).await?.ok_or(Refusal::NotKnown)?;
    let payment = visible(&payments, &shopper, stored.value).await?;
    let view = payment.as_ref().and_then(|payment| RefundView::find(payment, refund_id));
    Ok(Json(view.ok_or(Refusal::NotKnown)?))
}
