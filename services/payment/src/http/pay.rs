//! Paying.

use axum::extract::State;
use common::http::{Cardless, IdempotencyKey, Patience, Problem, Problems, Worded};
use common::identity::Shopper;
use common::store::Answer;
use contracts::{OrderId, PaymentId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::standing::refused;
use super::view::PaymentView;
use crate::domain::Method;
use crate::store::Payments;

/// What is to be paid, and from what.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPayment {
    /// The order; its whole total is paid.
    order_id: OrderId,
    /// How it is paid.
    method: Method,
}

impl Worded for NewPayment {}

/// Pay for an order.
///
/// Answers 201 with what became of the attempt, also when it was declined: then another may follow,
/// with another key. 202 means that this is not known yet: ask again with the same key, or read the
/// payment. However often it is sent with one key, the money is asked for once.
///
/// 404: there is no such order of yours; with `Retry-After` while the order is younger than a minute
/// and its payment may be due in a moment. 409: `already-paid`, `payment-in-progress`,
/// `order-not-payable` (with `reason`: `nothing_to_pay`, `out_of_stock`, `cancelled`, `expired`),
/// `too-many-attempts`; each with where the payment stands (`payment_status`, absent until a payment was tried, and `pay_by`) and what may be done
/// (`allowed`: `pay`, `confirm`, and for staff `refund` with at most `refundable`).
#[utoipa::path(post, path = "/api/payments", tag = "payments", security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "names this attempt to pay")),
    request_body = NewPayment,
    extensions(("x-problems" = json!({
        "404": ["not-found"],
        "409": ["payment-in-progress", "already-paid", "order-not-payable", "too-many-attempts"],
        "422": ["card-number"]
    }))),
    responses(
        (status = CREATED, body = PaymentView, description = "what became of it",
            headers(("Location" = String, description = "the payment"))),
        (status = ACCEPTED, body = PaymentView, description = "not known yet",
            headers(("Location" = String, description = "the payment"))),
        Problems))]
pub(super) async fn start_payment(
    State(payments): State<Payments>,
    shopper: Shopper,
    key: IdempotencyKey,
    patience: Patience,
    Cardless(asked): Cardless<NewPayment>,
) -> Result<Answer, Problem> {
    patience.extend(payments.longest());
    let receipt = key.by(shopper.id, &asked);
    let people = payments.people(&shopper).await?;
    let NewPayment { order_id, method } = asked;
    match payments.pay(order_id, method, people, receipt, PaymentView::answer).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(refused(&payments, PaymentId::of(order_id), error).await),
    }
}
