//! Money on its way back.

use std::iter::successors;

use contracts::payment::{self, RefundFailure};
use contracts::{AttemptId, Money, RefundId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Dispute, Reason};

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
    /// What asked for it, for whoever brings it to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<AskedBy>,
    /// The key it is sent with where that is not its id: a provider that refused once refuses the
    /// same key for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<RefundId>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: RefundState,
}

/// An event that asked for a refund, as it stands in the envelopes of what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    /// The event.
    pub event: String,
    /// The conversation that it is part of.
    pub conversation: String,
    /// The trace that it is part of (W3C trace context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
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

impl RefundCause {
    /// The cause as events bear it.
    pub(super) const fn told(&self) -> payment::RefundCause {
        match self {
            Self::Order => payment::RefundCause::Order,
            Self::Staff { .. } => payment::RefundCause::Staff,
            Self::Surplus => payment::RefundCause::Surplus,
            Self::WrongAmount => payment::RefundCause::WrongAmount,
        }
    }
}

/// How far a refund has come: it is sent until the provider has taken it, or refused.
///
/// ```text
/// Started ─▶ Done ─ the bank sent the money back ─▶ Failed
///    │└───────────────────────────────────────────────┘ ▲
///    └◀─ the dispute ended, and money is there ─ Waiting ┘ or none is
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RefundState {
    /// It is or will be sent, or takes its time.
    Started,
    /// A bank holds the money until it is clear whose it is; should the shop win, it is sent.
    Waiting,
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
    /// Money that is about to go back.
    pub fn new(
        id: RefundId,
        attempt: AttemptId,
        amount: Money,
        cause: RefundCause,
        now: Timestamp,
    ) -> Self {
        let state = RefundState::Started;
        Self { id, attempt, amount, started_at: now, cause, asked_by: None, key: None, state }
    }

    /// What was refused because a bank held the money is asked for again when that has ended, under
    /// another key; where it ended meanwhile, once for each time that a bank did. What staff gave they
    /// judge themselves.
    pub(super) fn awaits_dispute(&mut self, before: RefundState, disputes: &[&Dispute]) {
        let again = |key: &RefundId| Some(RefundId::from_uuid(Uuid::new_v5(&key.uuid(), b"again")));
        let mut keys = successors(Some(self.id), again).take(disputes.len());
        let is_held = disputes.iter().any(|dispute| dispute.is_open());
        let may = is_held || keys.any(|key| key == self.key());
        let refused = matches!(self.state, RefundState::Failed { .. });
        if refused && may && before == RefundState::Started && self.is_owed() {
            (self.key, self.state) = (again(&self.key()), RefundState::Waiting);
        }
    }

    /// Names the refund that takes its place, should it have failed before a dispute was heard of.
    pub(super) fn anew(id: RefundId) -> RefundId {
        RefundId::from_uuid(Uuid::new_v5(&id.uuid(), b"anew"))
    }

    /// The same for so much, which waits for the end of a dispute.
    pub(super) fn waiting_as(&self, id: RefundId, amount: Money, started_at: Timestamp) -> Self {
        let state = RefundState::Waiting;
        Self { id, amount, started_at, key: None, state, ..self.clone() }
    }

    /// What it is sent to the provider with, and known by there.
    pub fn key(&self) -> RefundId {
        self.key.unwrap_or(self.id)
    }

    /// Whether it waits for the end of a dispute.
    pub fn is_waiting(&self) -> bool {
        self.state == RefundState::Waiting
    }

    /// Whether it is there by itself, and not because a member of staff says so.
    pub(super) fn is_owed(&self) -> bool {
        match self.cause {
            RefundCause::Order | RefundCause::Surplus | RefundCause::WrongAmount => true,
            RefundCause::Staff { .. } => false,
        }
    }

    /// Whether its end is still to come.
    pub fn is_open(&self) -> bool {
        match self.state {
            RefundState::Started => true,
            RefundState::Waiting | RefundState::Done { .. } | RefundState::Failed { .. } => false,
        }
    }

    /// Whether its money went back.
    pub fn is_done(&self) -> bool {
        match self.state {
            RefundState::Done { .. } => true,
            RefundState::Started | RefundState::Waiting | RefundState::Failed { .. } => false,
        }
    }

    /// Whether its amount is taken from what can go back.
    pub fn takes(&self) -> bool {
        match self.state {
            RefundState::Started | RefundState::Done { .. } => true,
            RefundState::Waiting | RefundState::Failed { .. } => false,
        }
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<RefundFailure> {
        match self.state {
            RefundState::Failed { failure, .. } => Some(failure),
            RefundState::Started | RefundState::Waiting | RefundState::Done { .. } => None,
        }
    }

    /// What it comes to by what the provider says; `None` when that is no news.
    pub fn next(&self, outcome: RefundOutcome, at: Timestamp) -> Option<RefundState> {
        match (self.state, outcome) {
            (RefundState::Started, RefundOutcome::Done) => Some(RefundState::Done { at }),
            (RefundState::Started | RefundState::Done { .. }, RefundOutcome::Refused) => {
                Some(RefundState::Failed { failure: RefundFailure::Refused, at })
            }
            // Under the key that it has now it was never sent.
            (RefundState::Waiting | RefundState::Failed { .. }, _)
            | (RefundState::Done { .. }, RefundOutcome::Done)
            | (_, RefundOutcome::Processing) => None,
        }
    }
}
