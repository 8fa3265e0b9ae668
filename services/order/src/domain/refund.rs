//! Money that is to go back, and what became of it.

use contracts::order::{CancelReason, RefundReason};
use contracts::payment::RefundFailure;
use contracts::{Money, OrderId, RefundId, Sku, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Goods, Note};

/// Money that the order asked to be given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Names it, here and in payment.
    pub id: RefundId,
    /// How much was asked for.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
    /// Why, in the words of who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// What it is for; nothing when all that is left of an order given up goes back.
    #[serde(default)]
    pub lines: Vec<RefundLine>,
    /// How much of it is for the shipping; nothing when that does not go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What became of it.
    pub state: RefundState,
}

/// Pieces whose money goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    /// What.
    pub sku: Sku,
    /// How many pieces.
    pub quantity: u32,
    /// How many of them had not been sent, and will not be.
    pub unsent: u32,
    /// How much goes back for them.
    pub amount: Money,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum RefundState {
    /// Payment was told.
    Asked,
    /// The money went back.
    Refunded,
    /// It did not, and is free to be asked for anew.
    Failed {
        /// Why.
        failure: RefundFailure,
    },
}

/// What staff give back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivingBack {
    /// Names the refund.
    pub id: RefundId,
    /// For what.
    pub goods: Goods,
    /// Whether the shipping goes back, too.
    pub shipping: bool,
    /// Whether pieces that are no longer to be sent are for sale again, now or when the order ends.
    pub restock: bool,
    /// Why.
    pub note: Note,
}

/// What makes an order ask for a refund by itself; each does so once.
#[derive(Clone, Debug)]
pub(super) struct Because {
    pub(super) reason: RefundReason,
    /// Tells the cause from every other of this order.
    pub(super) cause: String,
}

impl Because {
    /// The order was given up.
    pub(super) fn given_up(reason: CancelReason) -> Self {
        let reason = match reason {
            CancelReason::OutOfStock => RefundReason::OutOfStock,
            CancelReason::Customer | CancelReason::Staff => RefundReason::Cancelled,
            CancelReason::Refunded | CancelReason::NotCollected => RefundReason::Cancelled,
            CancelReason::Unknown => RefundReason::Unknown,
        };
        Self { reason, cause: "given up".to_owned() }
    }

    /// The goods that late money was for were gone.
    pub(super) fn lapsed(round: u32) -> Self {
        Self { reason: RefundReason::TooLate, cause: format!("expired {round}") }
    }

    /// So much is to go back.
    pub(super) fn refund(&self, order: OrderId, amount: Money, asked_at: Timestamp) -> Refund {
        Refund::whole(self.id(order), amount, self.reason, asked_at)
    }

    /// The refund of an order for this cause is always the same one.
    fn id(&self, order: OrderId) -> RefundId {
        const REFUNDS: Uuid = Uuid::from_u128(0x1c1d_0b52_8f3e_4c39_a6f1_52d7_9f6a_3b84);
        let name = format!("{order} {}", self.cause);
        RefundId::from_uuid(Uuid::new_v5(&REFUNDS, name.as_bytes()))
    }
}

impl Refund {
    /// A refund that is asked for, of no particular goods.
    pub(super) fn whole(
        id: RefundId,
        amount: Money,
        reason: RefundReason,
        asked_at: Timestamp,
    ) -> Self {
        let (note, lines, shipping) = (None, Vec::new(), None);
        let state = RefundState::Asked;
        Self { id, amount, reason, note, lines, shipping, asked_at, state }
    }

    /// Whether its money is on its way or went back.
    pub fn is_live(&self) -> bool {
        match self.state {
            RefundState::Asked | RefundState::Refunded => true,
            RefundState::Failed { .. } => false,
        }
    }

    /// Whether payment has yet to say what became of it.
    pub fn is_open(&self) -> bool {
        match self.state {
            RefundState::Asked => true,
            RefundState::Refunded | RefundState::Failed { .. } => false,
        }
    }
}
