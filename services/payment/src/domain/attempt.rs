//! One try to pay.

use contracts::payment::Failure;
use contracts::{AttemptId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CaptureMode, Dispute, Method, Outcome, Reference};

/// One try to pay; its id is the key it is sent to the provider with, however often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Names it, here and at the provider.
    pub id: AttemptId,
    /// How it pays.
    pub method: Method,
    /// Who moves its money, and when.
    #[serde(flatten)]
    pub terms: Terms,
    /// How much it moves.
    pub amount: Money,
    /// When it began.
    pub started_at: Timestamp,
    /// Whether the shopper's bank took its money back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute: Option<Dispute>,
    /// Whether it did so again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_disputes: Vec<Dispute>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: AttemptState,
}

/// Who moves the money of an attempt, and when: what the shop had chosen when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The provider, by its name: it alone can say what became of the attempt.
    #[serde(default = "first_provider")]
    pub provider: String,
    /// When the money is collected.
    #[serde(default)]
    pub capture: CaptureMode,
}

/// Before there were several providers there was this one.
fn first_provider() -> String {
    "sandbox".to_owned()
}

/// How far an attempt has come.
///
/// ```text
/// Started ─▶ Processing ─▶ ActionRequired
///    └───────────┴───────────────┼─▶ Captured
///    └───────────┴───────────────┼─▶ Declined ─ its money came all the same ─▶ Captured
///    └───────────┴───────────────┴─▶ Authorized ─▶ Capturing ─▶ Captured
///                                        └────────────┴──────▶ Declined
/// ```
///
/// Wherever it could become captured and another amount comes, it becomes mismatched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AttemptState {
    /// It is or will be sent; what the provider says of it is not known.
    Started,
    /// The provider has it and works on it.
    Processing {
        /// The provider's name for it.
        reference: Reference,
    },
    /// The shopper has to confirm it.
    ActionRequired {
        /// The provider's name for it.
        reference: Reference,
        /// Where they do that.
        url: String,
    },
    /// The money is promised.
    Authorized {
        /// The provider's name for it.
        reference: Reference,
        /// The promise ends then.
        capture_by: Timestamp,
    },
    /// The money was promised and is being collected.
    Capturing {
        /// The provider's name for it.
        reference: Reference,
        /// Since when.
        since: Timestamp,
        /// Since when the provider answers, and does not collect it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Timestamp>,
    },
    /// The money is here.
    Captured {
        /// The provider's name for it.
        reference: Reference,
        /// Since when.
        at: Timestamp,
    },
    /// Another amount came than was asked for; it goes back.
    Mismatched {
        /// The provider's name for it.
        reference: Reference,
        /// How much came.
        came: Money,
        /// When.
        at: Timestamp,
    },
    /// Nothing came of it.
    Declined {
        /// Why.
        failure: Failure,
    },
}

impl Attempt {
    /// A try that is about to be sent.
    pub fn new(id: AttemptId, method: Method, terms: Terms, amount: Money, now: Timestamp) -> Self {
        let state = AttemptState::Started;
        let (dispute, further_disputes) = (None, Vec::new());
        Self { id, method, terms, amount, started_at: now, dispute, further_disputes, state }
    }

    /// Each time a bank took its money back.
    pub fn disputes(&self) -> impl Iterator<Item = &Dispute> + Clone {
        self.dispute.iter().chain(&self.further_disputes)
    }

    /// The name under which the ledger enters a dispute: the first is entered under the attempt's.
    pub(super) fn disputes_under(&self, dispute: &Dispute) -> String {
        match &self.dispute {
            Some(first) if first.id != dispute.id => format!("{}:{}", self.id, dispute.id),
            Some(_) | None => self.id.to_string(),
        }
    }

    /// Notes a dispute, or how far it has come.
    pub(super) fn note_dispute(&mut self, dispute: Dispute) {
        if self.dispute.as_ref().is_none_or(|first| first.id == dispute.id) {
            self.dispute = Some(dispute);
        } else {
            self.further_disputes.retain(|known| known.id != dispute.id);
            self.further_disputes.push(dispute);
        }
    }

    /// Whether its end is still to come.
    pub fn is_open(&self) -> bool {
        match self.state {
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Authorized { .. }
            | AttemptState::Capturing { .. } => true,
            AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => false,
        }
    }

    /// Whether its money is promised and has not come yet.
    pub fn is_promised(&self) -> bool {
        match self.state {
            AttemptState::Authorized { .. } | AttemptState::Capturing { .. } => true,
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => false,
        }
    }

    /// Whether its money is being collected.
    pub fn is_capturing(&self) -> bool {
        matches!(self.state, AttemptState::Capturing { .. })
    }

    /// Whether it is known what came of it, or what the shopper has to do next.
    pub fn is_answered(&self) -> bool {
        match self.state {
            AttemptState::Started | AttemptState::Processing { .. } => false,
            AttemptState::ActionRequired { .. }
            | AttemptState::Authorized { .. }
            | AttemptState::Capturing { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => true,
        }
    }

    /// Notes that the provider, asked to collect its money, still only promises it; whether that is
    /// news.
    pub(super) fn note_refusal(&mut self, now: Timestamp) -> bool {
        let AttemptState::Capturing { refused, .. } = &mut self.state else { return false };
        refused.replace(refused.unwrap_or(now)).is_none()
    }

    /// The provider's name for it, as far as it is known.
    pub fn reference(&self) -> Option<&Reference> {
        match &self.state {
            AttemptState::Processing { reference }
            | AttemptState::ActionRequired { reference, .. }
            | AttemptState::Authorized { reference, .. }
            | AttemptState::Capturing { reference, .. }
            | AttemptState::Captured { reference, .. }
            | AttemptState::Mismatched { reference, .. } => Some(reference),
            AttemptState::Started | AttemptState::Declined { .. } => None,
        }
    }

    /// Whether it paid for the order.
    pub fn is_captured(&self) -> bool {
        matches!(self.state, AttemptState::Captured { .. })
    }

    /// Whether it brought another amount than was asked for.
    pub fn is_mismatched(&self) -> bool {
        matches!(self.state, AttemptState::Mismatched { .. })
    }

    /// How much it brought, whether that paid for the order or not.
    pub fn came(&self) -> Option<Money> {
        match self.state {
            AttemptState::Captured { .. } => Some(self.amount),
            AttemptState::Mismatched { came, .. } => Some(came),
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Authorized { .. }
            | AttemptState::Capturing { .. }
            | AttemptState::Declined { .. } => None,
        }
    }

    /// Why nothing came of it.
    pub fn failure(&self) -> Option<Failure> {
        match self.state {
            AttemptState::Declined { failure } => Some(failure),
            AttemptState::Mismatched { .. } => Some(Failure::WrongAmount),
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Authorized { .. }
            | AttemptState::Capturing { .. }
            | AttemptState::Captured { .. } => None,
        }
    }

    /// What it comes to by what the provider says; `None` when that is no news, so that it does not
    /// matter who brings it, how often, and in which order.
    pub fn next(&self, outcome: &Outcome, now: Timestamp) -> Option<AttemptState> {
        let undecided = self.is_open() && !self.is_promised();
        let asking = matches!(self.state, AttemptState::ActionRequired { .. });
        let started = matches!(self.state, AttemptState::Started);
        match outcome.clone() {
            Outcome::Processing { reference } => {
                started.then_some(AttemptState::Processing { reference })
            }
            Outcome::ActionRequired { reference, url } => {
                (undecided && !asking).then_some(AttemptState::ActionRequired { reference, url })
            }
            Outcome::Authorized { reference, capture_by } => {
                undecided.then_some(AttemptState::Authorized { reference, capture_by })
            }
            Outcome::Captured { reference, amount } if self.came().is_none() => {
                self.collected(reference, amount, now)
            }
            Outcome::Captured { .. } => None,
            Outcome::Declined { failure } => {
                self.is_open().then_some(AttemptState::Declined { failure })
            }
        }
    }

    /// Money came: what was asked for, something else, or after all nothing.
    fn collected(&self, reference: Reference, came: Money, at: Timestamp) -> Option<AttemptState> {
        if came == self.amount {
            Some(AttemptState::Captured { reference, at })
        } else if came.is_positive() {
            Some(AttemptState::Mismatched { reference, came, at })
        } else {
            let failure = Failure::WrongAmount;
            self.is_open().then_some(AttemptState::Declined { failure })
        }
    }
}
