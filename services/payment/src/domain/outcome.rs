//! What providers say of an attempt.

use contracts::payment::Failure;
use contracts::{Money, Timestamp};
use serde::{Deserialize, Serialize};

/// The provider's own name for a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub String);

/// When the money of an attempt is collected.
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
    /// Whether it is worth an answer: how the attempt ended, or what has to be done next.
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
