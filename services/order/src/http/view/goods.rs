//! Goods on their way, there and back, as they are shown.

use contracts::{RefundId, ReturnId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{PiecesView, pieces};
use crate::domain::{Label, Note, Order, Parcel, Return, ReturnStage, ReturnState, Waiting};

/// A parcel that was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Parcel)]
pub(super) struct ParcelView {
    /// Which parcel of the order it is, from 1.
    number: u32,
    /// Who carries it; only where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Label>,
    /// Where it can be followed; only if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Label>,
    /// What is in it.
    lines: Vec<PiecesView>,
    /// When it left.
    sent_at: Timestamp,
    /// When it arrived; null until it does.
    delivered_at: Option<Timestamp>,
}

/// A parcel that is sent as soon as its money is here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingParcel)]
pub(super) struct WaitingView {
    /// Who will carry it; only where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Label>,
    /// Where it can be followed; only if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Label>,
    /// What is in it.
    lines: Vec<PiecesView>,
    /// Since when it waits.
    since: Timestamp,
}

/// Goods that the shopper sends back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Return)]
pub(in crate::http) struct ReturnView {
    /// Names it.
    id: ReturnId,
    /// Where it stands.
    status: ReturnStage,
    /// What is to come back.
    lines: Vec<PiecesView>,
    /// Why, in the shopper's words.
    reason: Note,
    /// When it was asked for.
    requested_at: Timestamp,
    /// What really came; only once it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_lines: Option<Vec<PiecesView>>,
    /// When it came; only once it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<Timestamp>,
    /// Whether what came is for sale again; only once it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    restocked: Option<bool>,
    /// The refund for it; only when one is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    /// When staff agreed or did not; only once they said so and the goods are not here yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<Timestamp>,
}

impl From<&Parcel> for ParcelView {
    fn from(parcel: &Parcel) -> Self {
        Self {
            number: parcel.number,
            carrier: parcel.carrier.clone(),
            tracking: parcel.tracking.clone(),
            lines: pieces(&parcel.lines),
            sent_at: parcel.sent_at,
            delivered_at: parcel.delivered_at,
        }
    }
}

impl From<&Waiting> for WaitingView {
    fn from(waiting: &Waiting) -> Self {
        Self {
            carrier: waiting.carrier.clone(),
            tracking: waiting.tracking.clone(),
            lines: pieces(&waiting.lines),
            since: waiting.since,
        }
    }
}

impl ReturnView {
    /// The return of this id.
    pub(in crate::http) fn find(order: &Order, id: ReturnId) -> Option<Self> {
        order.returns.iter().find(|known| known.id == id).map(Self::from)
    }
}

impl From<&Return> for ReturnView {
    fn from(known: &Return) -> Self {
        let arrival = known.arrival();
        Self {
            id: known.id,
            status: known.stage(),
            lines: pieces(&known.lines),
            reason: known.reason.clone(),
            requested_at: known.requested_at,
            received_lines: arrival.map(|arrival| pieces(&arrival.lines)),
            received_at: arrival.map(|arrival| arrival.at),
            restocked: arrival.map(|arrival| arrival.restock),
            refund_id: arrival.and_then(|arrival| arrival.refund),
            decided_at: decided_at(&known.state),
        }
    }
}

fn decided_at(state: &ReturnState) -> Option<Timestamp> {
    match state {
        ReturnState::Approved { at } | ReturnState::Rejected { at } => Some(*at),
        ReturnState::Requested
        | ReturnState::Received(_)
        | ReturnState::Settled(_)
        | ReturnState::Refunded(_) => None,
    }
}
