//! Where a payment stands, in one word.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Attempt, AttemptState, Payment};

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStatus)]
pub enum Status {
    /// The money is here.
    Captured,
    /// The money is promised; it is collected when the goods are sent.
    Authorized,
    /// It is not known yet whether the money moves.
    Processing,
    /// The shopper has to do something before the money moves: see `next_action`.
    RequiresAction,
    /// Nothing came of the last try; another may follow.
    Declined,
    /// All the money went back.
    Refunded,
    /// Some of the money went back.
    PartiallyRefunded,
}

impl Payment {
    /// Where it stands; `None` as long as nobody tried to pay.
    pub fn status(&self) -> Option<Status> {
        self.attempts.last().map(|last| self.status_after(last))
    }

    /// Where it stands for the one who made this attempt: money that came, or is promised, counts
    /// whoever brought it, but a later attempt of somebody else does not.
    pub fn status_after(&self, attempt: &Attempt) -> Status {
        let kept = self.remaining();
        match self.attempts.iter().rfind(|attempt| attempt.is_captured()) {
            Some(paid) if kept.amount >= paid.amount.amount => Status::Captured,
            Some(_) if kept.is_positive() => Status::PartiallyRefunded,
            Some(_) => Status::Refunded,
            None if self.is_promised() => Status::Authorized,
            None => match attempt.state {
                AttemptState::Started | AttemptState::Processing { .. } => Status::Processing,
                AttemptState::ActionRequired { .. } => Status::RequiresAction,
                AttemptState::Authorized { .. } | AttemptState::Capturing { .. } => {
                    Status::Authorized
                }
                AttemptState::Captured { .. } => Status::Captured,
                AttemptState::Mismatched { .. } | AttemptState::Declined { .. } => Status::Declined,
            },
        }
    }
}
