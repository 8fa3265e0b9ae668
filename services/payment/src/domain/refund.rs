//! Money on its way back.

use contracts::payment::RefundFailure;
use contracts::{AttemptId, Money, RefundId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::Reason;

/// Money that goes back; its id is the key it is sent to the provider with, however often.
///
/// Its amount is taken from what can go back as soon as it begins, so that all refunds together
/// never exceed what was captured. When it fails, its amount is free again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// Names it, here and at the provider.
    pub id: RefundId,
    /// Whose money it is.
    pub attempt: AttemptId,
    /// How much goes back.
    pub amount: Money,
    /// When it began.
    pub started_at: Timestamp,
    /// Why it goes back.
    pub cause: RefundCause,
    /// How far it has come.
    #[serde(flatten)]
    pub state: RefundState,
}

/// Why money goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RefundCause {
    /// The order asked for it.
    Order,
    /// A member of staff gave it.
    Staff {
        /// Who.
        by: UserId,
        /// Why.
        reason: Reason,
    },
    /// The order was paid twice.
    Surplus,
    /// Another amount came than was asked for.
    WrongAmount,
}

/// How far a refund has come: it is sent until the provider has taken it, or refused.
///
/// ```text
/// Started ─▶ Done ─ the bank sent the money back ─▶ Failed
///    └────────────────────────────────────────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RefundState {
    /// It is or will be sent, or takes its time.
    Started,
    /// The provider gave the money back.
    Done {
        /// When that was known.
        at: Timestamp,
    },
    /// The money does not go back this way.
    Failed {
        /// Why.
        failure: RefundFailure,
        /// When that was known.
        at: Timestamp,
    },
}

/// What the provider says became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOutcome {
    /// The money went back.
    Done,
    /// It takes its time.
    Processing,
    /// The money does not go back, however often it is asked.
    Refused,
}

impl Refund {
    /// Whether its end is still to come.
    pub fn is_open(&self) -> bool {
        match self.state {
            RefundState::Started => true,
            RefundState::Done { .. } | RefundState::Failed { .. } => false,
        }
    }

    /// Whether its money went back.
    pub fn is_done(&self) -> bool {
        match self.state {
            RefundState::Done { .. } => true,
            RefundState::Started | RefundState::Failed { .. } => false,
        }
    }

    /// Whether its amount is taken from what can go back.
    pub fn takes(&self) -> bool {
        match self.state {
            RefundState::Started | RefundState::Done { .. } => true,
            RefundState::Failed { .. } => false,
        }
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<RefundFailure> {
        match self.state {
            RefundState::Failed { failure, .. } => Some(failure),
            RefundState::Started | RefundState::Done { .. } => None,
        }
    }

    /// What it comes to by what the provider says; `None` when that is no news.
    pub fn next(&self, outcome: RefundOutcome, at: Timestamp) -> Option<RefundState> {
        match (self.state, outcome) {
            (RefundState::Started, RefundOutcome::Done) => Some(RefundState::Done { at }),
            (RefundState::Started | RefundState::Done { .. }, RefundOutcome::Refused) => {
                Some(RefundState::Failed { failure: RefundFailure::Refused, at })
            }
            (RefundState::Failed { .. }, _)
            | (RefundState::Done { .. }, RefundOutcome::Done)
            | (_, RefundOutcome::Processing) => None,
        }
    }
}
