//! What providers say by themselves.

use contracts::{AttemptId, Money, PaymentId, RefundId};
use serde::{Deserialize, Serialize};

use super::ProviderError;
use crate::domain::{DisputeState, Outcome, RefundOutcome};

/// What a provider says by itself. It is kept until it was applied, so nothing of it is personal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for every repeat.
    pub id: String,
    /// What it says.
    pub about: About,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum About {
    /// What became of an attempt.
    Attempt {
        /// The payment.
        payment: PaymentId,
        /// The attempt.
        attempt: AttemptId,
        /// What became of it.
        outcome: Outcome,
    },
    /// What became of a refund.
    Refund {
        /// The payment.
        payment: PaymentId,
        /// The refund.
        refund: RefundId,
        /// What became of it.
        outcome: RefundOutcome,
    },
    /// How far a dispute has come.
    Dispute {
        /// The payment.
        payment: PaymentId,
        /// The attempt whose money is disputed.
        attempt: AttemptId,
        /// The provider's name for the dispute; empty where it has none.
        #[serde(default)]
        dispute: String,
        /// How much of it.
        amount: Money,
        /// How far it has come.
        state: DisputeState,
    },
}

/// A webhook that cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// It bears no signature that reads as one.
    #[error("the webhook is not signed")]
    Unsigned,
    /// Somebody else signed it, or it was changed on the way.
    #[error("the signature does not fit")]
    Mismatch,
    /// It was signed too long ago, or in the future.
    #[error("the webhook is too old")]
    OutOfTime,
}

/// Why a webhook was not read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unread {
    /// It cannot be trusted.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// It could not be asked what it is about: the provider is to send it again.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Notice {
    /// The payment it is about.
    pub fn payment(&self) -> PaymentId {
        match self.about {
            About::Attempt { payment, .. }
            | About::Refund { payment, .. }
            | About::Dispute { payment, .. } => payment,
        }
    }
}

#[cfg(test)]
impl Notice {
    /// What is read again of it where it was kept.
    pub(super) fn as_kept(&self) -> Self {
        let kept = mongodb::bson::serialize_to_document(self).unwrap();
        mongodb::bson::deserialize_from_document(kept).unwrap()
    }
}
