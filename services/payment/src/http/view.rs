//! How payments are shown.

use common::store::Answer;
use contracts::payment::{Failure, RefundFailure};
use contracts::{AttemptId, Money, OrderId, PaymentId, RefundId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    Attempt, AttemptState, Dispute, DisputeState, Payment, Refund, RefundState, Status,
};

/// A payment: what is paid for one order, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentView {
    id: PaymentId,
    order_id: OrderId,
    /// What the order costs.
    amount: Money,
    status: Status,
    /// What the shopper has to do before the money moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<NextAction>,
    /// Why nothing came of the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// Until when money that is promised can be collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_by: Option<Timestamp>,
    /// What the shopper's bank took back, until it is clear whose it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<DisputeView>,
    /// What went or goes back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView>,
}

/// What the shopper has to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum NextAction {
    /// Go to a page of the provider.
    Redirect {
        /// Its address, relative to the shop's where it has no host.
        #[schema(example = "/api/payments/sandbox/authorize/att_0190b0e1c7f67c3e9d1a2b3c4d5e6f70")]
        url: String,
    },
}

/// Money that goes back.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(super) struct RefundView {
    id: RefundId,
    payment_id: PaymentId,
    amount: Money,
    status: RefundStatus,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<RefundFailure>,
}

/// Money that the shopper's bank took back.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Dispute)]
pub(super) struct DisputeView {
    amount: Money,
    opened_at: Timestamp,
    status: DisputeStatus,
}

/// How far a dispute has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DisputeStatus {
    /// The bank holds the money: it cannot go back.
    Opened,
    /// The shop has it again.
    Won,
    /// The shop lost it.
    Lost,
}

/// How far a refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStatus {
    /// It is on its way, or waits for the end of a dispute.
    Processing,
    /// The money went back.
    Done,
    /// The money does not go back this way; what it had taken can go back by another refund.
    Failed,
}

impl PaymentView {
    /// The payment, as soon as somebody tried to pay.
    pub(super) fn of(payment: &Payment) -> Option<Self> {
        Self::after(payment, payment.attempts.last()?)
    }

    /// The payment as the one sees it who made this attempt.
    fn after(payment: &Payment, attempt: &Attempt) -> Option<Self> {
        let pending = Some(attempt).filter(|_| !payment.is_paid());
        let refunds = payment.refunds.iter();
        Some(Self {
            id: payment.id,
            order_id: payment.order_id,
            amount: payment.due?.amount,
            status: payment.status_after(attempt),
            next_action: pending.and_then(NextAction::of),
            failure: pending.and_then(Attempt::failure),
            capture_by: payment.open_attempts().find_map(capture_by),
            disputes: payment
                .attempts
                .iter()
                .flat_map(Attempt::disputes)
                .map(DisputeView::of)
                .collect(),
            refunds: refunds.map(|refund| RefundView::of(payment, refund)).collect(),
        })
    }

    /// The answer to who pays: 202 while it is not known what became of the attempt.
    pub(super) fn answer(payment: &Payment, id: AttemptId) -> Answer {
        let view = payment.attempt(id).and_then(|attempt| Self::after(payment, attempt));
        let known = view.as_ref().is_some_and(|view| view.status != Status::Processing);
        answer(known, &view, format!("/api/payments/{}", payment.id))
    }
}

impl NextAction {
    fn of(attempt: &Attempt) -> Option<Self> {
        match &attempt.state {
            AttemptState::ActionRequired { url, .. } => Some(Self::Redirect { url: url.clone() }),
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::Authorized { .. }
            | AttemptState::Capturing { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => None,
        }
    }
}

impl DisputeView {
    fn of(dispute: &Dispute) -> Self {
        let status = match dispute.state {
            DisputeState::Opened => DisputeStatus::Opened,
            DisputeState::Won => DisputeStatus::Won,
            DisputeState::Lost => DisputeStatus::Lost,
        };
        Self { amount: dispute.amount, opened_at: dispute.opened_at, status }
    }
}

impl RefundView {
    fn of(payment: &Payment, refund: &Refund) -> Self {
        let status = match refund.state {
            RefundState::Started | RefundState::Waiting => RefundStatus::Processing,
            RefundState::Done { .. } => RefundStatus::Done,
            RefundState::Failed { .. } => RefundStatus::Failed,
        };
        Self {
            id: refund.id,
            payment_id: payment.id,
            amount: refund.amount,
            status,
            failure: refund.failure(),
        }
    }

    /// The refund of this id.
    pub(super) fn find(payment: &Payment, id: RefundId) -> Option<Self> {
        let mut refunds = payment.refunds.iter();
        refunds.find(|refund| refund.id == id).map(|refund| Self::of(payment, refund))
    }

    /// The answer to who gives money back: 202 while it is not known what became of it.
    pub(super) fn answer(payment: &Payment, id: RefundId) -> Answer {
        let view = payment.refund_of(id).map(|refund| Self::of(payment, refund));
        let known = view.as_ref().is_some_and(|view| view.status != RefundStatus::Processing);
        answer(known, &view, format!("/api/payments/{}/refunds/{id}", payment.id))
    }
}

fn capture_by(attempt: &Attempt) -> Option<Timestamp> {
    match attempt.state {
        AttemptState::Authorized { capture_by, .. } => Some(capture_by),
        AttemptState::Started
        | AttemptState::Processing { .. }
        | AttemptState::ActionRequired { .. }
        | AttemptState::Capturing { .. }
        | AttemptState::Captured { .. }
        | AttemptState::Mismatched { .. }
        | AttemptState::Declined { .. } => None,
    }
}

fn answer(known: bool, view: &impl Serialize, path: String) -> Answer {
    if known {
        Answer::new(201, view).located(path)
    } else {
        Answer::new(202, view).located(path).retry_after(1)
    }
}
