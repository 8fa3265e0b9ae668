//! Money that goes back, as it is shown.

use contracts::order::RefundReason;
use contracts::payment::RefundFailure;
use contracts::{Money, RefundId, Sku, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Note, Order, Refund, RefundLine, RefundState};

/// Money that was asked to go back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(in crate::http) struct RefundView {
    /// Names it, here and in the payment.
    id: RefundId,
    /// What became of it.
    status: RefundStatus,
    /// Why it failed; only when it did. Then staff may ask anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<RefundFailure>,
    /// How much was asked for.
    amount: Money,
    /// How much of it is for the shipping; only when that goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping: Option<Money>,
    /// Why.
    reason: RefundReason,
    /// Why, in the words of staff; only when they gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    /// What it is for; empty when all that is left of an order given up goes back, and when it was made
    /// on the payment itself.
    lines: Vec<RefundLineView>,
    /// When it was asked for.
    asked_at: Timestamp,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RefundStatus {
    /// It is on its way.
    Asked,
    /// The money went back.
    Refunded,
    /// The money did not go back.
    Failed,
}

/// Pieces whose money goes back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefundLine)]
struct RefundLineView {
    /// What.
    sku: Sku,
    /// How many pieces.
    quantity: u32,
    /// How much goes back for them: their share of what was paid.
    amount: Money,
}

impl RefundView {
    /// The refund of this id.
    pub(in crate::http) fn find(order: &Order, id: RefundId) -> Option<Self> {
        order.payment.refunds.iter().find(|known| known.id == id).map(Self::from)
    }
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        let (status, failure) = match refund.state {
            RefundState::Asked => (RefundStatus::Asked, None),
            RefundState::Refunded => (RefundStatus::Refunded, None),
            RefundState::Failed { failure } => (RefundStatus::Failed, Some(failure)),
        };
        Self {
            id: refund.id,
            status,
            failure,
            amount: refund.amount,
            shipping: refund.shipping,
            reason: refund.reason,
            note: refund.note.clone(),
            lines: refund.lines.iter().map(RefundLineView::from).collect(),
            asked_at: refund.asked_at,
        }
    }
}

impl From<&RefundLine> for RefundLineView {
    fn from(line: &RefundLine) -> Self {
        Self { sku: line.sku.clone(), quantity: line.quantity, amount: line.amount }
    }
}
