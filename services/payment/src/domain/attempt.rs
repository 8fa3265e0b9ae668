//! One try to pay.

use contracts::payment::Failure;
use contracts::{AttemptId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::Method;

/// One try to pay; its id is the key it is sent to the provider with, however often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Names it, here and at the provider.
    pub id: AttemptId,
    /// How it pays.
    pub method: Method,
    /// How much it moves.
    pub amount: Money,
    /// When it began.
    pub started_at: Timestamp,
    /// How far it has come.
    #[serde(flatten)]
    pub state: AttemptState,
}

/// How far an attempt has come.
///
/// ```text
/// Started ─▶ Processing ─▶ ActionRequired
///    └───────────┴───────────────┴─▶ Captured
///    └───────────┴───────────────┴─▶ Declined ─ its money came all the same ─▶ Captured
/// ```
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
    /// The money is here.
    Captured {
        /// The provider's name for it.
        reference: Reference,
        /// Since when.
        at: Timestamp,
    },
    /// Nothing came of it.
    Declined {
        /// Why.
        failure: Failure,
    },
}

/// The provider's own name for a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub String);

/// When the money of an attempt is to be collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// As soon as it is authorised.
    #[default]
    AtOnce,
    /// When the shop asks for it.
    Later,
}

/// What the provider says became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It works on it.
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
    /// The money moved.
    Captured {
        /// The provider's name for it.
        reference: Reference,
        /// How much of it.
        amount: Money,
    },
    /// It did not, and will not.
    Declined {
        /// Why.
        failure: Failure,
    },
}

impl Outcome {
    /// Whether it is worth an answer: how the attempt ended, or what the shopper has to do next.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Processing { .. } => false,
            Self::ActionRequired { .. }
            | Self::Authorized { .. }
            | Self::Captured { .. }
            | Self::Declined { .. } => true,
        }
    }
}

impl Attempt {
    /// A try that is about to be sent.
    pub fn new(id: AttemptId, method: Method, amount: Money, now: Timestamp) -> Self {
        Self { id, method, amount, started_at: now, state: AttemptState::Started }
    }

    /// Whether its end is still to come.
    pub fn is_open(&self) -> bool {
        match self.state {
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. } => true,
            AttemptState::Captured { .. } | AttemptState::Declined { .. } => false,
        }
    }

    /// Whether its end is known, or what the shopper has to do next.
    pub fn is_answered(&self) -> bool {
        match self.state {
            AttemptState::Started | AttemptState::Processing { .. } => false,
            AttemptState::ActionRequired { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Declined { .. } => true,
        }
    }

    /// The provider's name for it, as far as it is known.
    pub fn reference(&self) -> Option<&Reference> {
        match &self.state {
            AttemptState::Processing { reference }
            | AttemptState::ActionRequired { reference, .. }
            | AttemptState::Captured { reference, .. } => Some(reference),
            AttemptState::Started | AttemptState::Declined { .. } => None,
        }
    }

    /// The provider's name for the money it brought, if it did.
    pub fn captured(&self) -> Option<&Reference> {
        match &self.state {
            AttemptState::Captured { reference, .. } => Some(reference),
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Declined { .. } => None,
        }
    }

    /// What it comes to by what the provider says; `None` when that is no news, so that it does not
    /// matter who brings it, how often, and in which order.
    pub fn next(&self, outcome: &Outcome, now: Timestamp) -> Option<AttemptState> {
        use AttemptState::{ActionRequired, Captured, Declined, Processing, Started};

        match (&self.state, outcome) {
            (
                Started | Processing { .. } | ActionRequired { .. } | Declined { .. },
                Outcome::Captured { reference, .. },
            ) => Some(Captured { reference: reference.clone(), at: now }),
            (
                Started | Processing { .. } | ActionRequired { .. },
                Outcome::Declined { failure },
            ) => Some(Declined { failure: *failure }),
            (Started | Processing { .. }, Outcome::ActionRequired { reference, url }) => {
                Some(ActionRequired { reference: reference.clone(), url: url.clone() })
            }
            (Started, Outcome::Processing { reference }) => {
                Some(Processing { reference: reference.clone() })
            }
            (_, Outcome::Authorized { .. })
            | (Captured { .. } | Declined { .. }, _)
            | (ActionRequired { .. }, Outcome::ActionRequired { .. })
            | (Processing { .. } | ActionRequired { .. }, Outcome::Processing { .. }) => None,
        }
    }
}
