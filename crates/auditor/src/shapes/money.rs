//! Payments and their ledger, as payment keeps them.

use contracts::{AttemptId, Money, OrderId, PaymentId, RefundId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::merge::Keyed;

/// The payment of an order.
#[derive(Debug, Deserialize)]
pub(crate) struct Payment {
    #[serde(rename = "_id")]
    pub(crate) id: PaymentId,
    pub(crate) order_id: OrderId,
    pub(crate) due: Option<Due>,
    pub(crate) pay_by: Option<Timestamp>,
    pub(crate) closed: bool,
    #[serde(default)]
    pub(crate) cancelled: bool,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) look_at: Option<Timestamp>,
}

/// What an order asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Due {
    pub(crate) customer: UserId,
    pub(crate) amount: Money,
}

/// One try to pay.
#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) amount: Money,
    pub(crate) state: AttemptState,
    #[serde(default)]
    came: Option<Money>,
    #[serde(default)]
    dispute: Option<Dispute>,
    #[serde(default)]
    further_disputes: Vec<Dispute>,
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptState {
    Started,
    Processing,
    ActionRequired,
    Authorized,
    Capturing,
    Captured,
    Mismatched,
    Declined,
}

/// Money that the shopper's bank took back.
#[derive(Debug, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) amount: Money,
    pub(crate) state: DisputeState,
}

/// How far a dispute has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeState {
    Opened,
    Won,
    Lost,
}

/// Money on its way back.
#[derive(Debug, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) attempt: AttemptId,
    pub(crate) amount: Money,
    pub(crate) state: RefundState,
}

/// How far a refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundState {
    Started,
    /// Until it is clear whose the money is that a bank took.
    Waiting,
    Done,
    Failed,
}

/// Half of a movement of money.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) payment_id: PaymentId,
    pub(crate) account: Account,
    pub(crate) amount: Money,
}

/// What the ledger counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Account {
    ProviderClearing,
    CustomerFunds,
    Disputed,
    Losses,
}

impl Payment {
    /// What is read of it: no method, and nothing that staff wrote.
    pub(crate) const FIELDS: [&'static str; 19] = [
        "order_id",
        "due",
        "pay_by",
        "closed",
        "cancelled",
        "look_at",
        "attempts.id",
        "attempts.amount",
        "attempts.state",
        "attempts.came",
        "attempts.dispute.amount",
        "attempts.dispute.state",
        "attempts.further_disputes.amount",
        "attempts.further_disputes.state",
        "refunds.id",
        "refunds.attempt",
        "refunds.amount",
        "refunds.state",
        "told",
    ];

    /// The attempts that paid for the order.
    pub(crate) fn captured(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.state == AttemptState::Captured)
    }

    /// How much of the money of an attempt went back, is on its way back, or could not go back.
    pub(crate) fn back(&self, attempt: AttemptId, states: &[RefundState]) -> i64 {
        let of_it = |refund: &&Refund| refund.attempt == attempt && states.contains(&refund.state);
        self.refunds.iter().filter(of_it).map(|refund| refund.amount.amount).sum()
    }

    /// How much an attempt brought that neither goes back, nor should and cannot, nor was taken by
    /// a bank.
    pub(crate) fn kept(&self, attempt: &Attempt) -> i64 {
        let came = attempt.came().map_or(0, |came| came.amount);
        let back =
            self.back(attempt.id, &[RefundState::Started, RefundState::Done, RefundState::Failed]);
        came - back - attempt.taken()
    }
}

impl Attempt {
    /// How much it brought, whether that paid for the order or not.
    pub(crate) fn came(&self) -> Option<Money> {
        match self.state {
            AttemptState::Captured => Some(self.amount),
            AttemptState::Mismatched => self.came,
            AttemptState::Started
            | AttemptState::Processing
            | AttemptState::ActionRequired
            | AttemptState::Authorized
            | AttemptState::Capturing
            | AttemptState::Declined => None,
        }
    }

    /// Whether its money is promised and has not come yet.
    pub(crate) fn is_promised(&self) -> bool {
        matches!(self.state, AttemptState::Authorized | AttemptState::Capturing)
    }

    /// Whether its end is still to come.
    pub(crate) fn is_open(&self) -> bool {
        let undecided = matches!(
            self.state,
            AttemptState::Started | AttemptState::Processing | AttemptState::ActionRequired
        );
        undecided || self.is_promised()
    }

    /// How much of it a bank has taken, for now or for good.
    fn taken(&self) -> i64 {
        let takes = |dispute: &&Dispute| dispute.state != DisputeState::Won;
        self.disputes().filter(takes).map(|dispute| dispute.amount.amount).sum()
    }

    /// Each time a bank took its money back.
    pub(crate) fn disputes(&self) -> impl Iterator<Item = &Dispute> {
        self.dispute.iter().chain(&self.further_disputes)
    }
}

/// A payment beside the things of its order.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct OfOrder(pub(crate) Payment);

impl Keyed for Payment {
    type Key = PaymentId;

    fn key(&self) -> PaymentId {
        self.id
    }
}

impl Keyed for OfOrder {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.0.order_id
    }
}

impl Keyed for Entry {
    type Key = PaymentId;

    fn key(&self) -> PaymentId {
        self.payment_id
    }
}
