//! What is to be done about what is open: nothing stays so for ever.

use std::time::Duration;

use common::Change;
use contracts::Timestamp;

use super::{Attempt, Outcome, Payment, Refund};

/// An answer that did not come within this is asked for.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Nobody has to wait longer until it is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// An attempt that the provider never got is sent again for so long; then it is called off, so
/// that the shopper can try something else.
const SENDING: Duration = Duration::from_secs(30);
/// An attempt that the shopper has to confirm is called off so long after the time to pay.
const MARGIN: Duration = Duration::from_mins(1);

/// What is to be done about an open attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Note what became of it.
    Settle(Outcome),
    /// Send it again, with the same key.
    Send,
    /// Call it off at the provider, and note what that came to: the money may have moved.
    CallOff,
    /// Ask again later.
    Leave,
}

impl Payment {
    /// What is to be done about an open attempt of which the provider knows this.
    pub fn step(&self, attempt: &Attempt, found: Option<Outcome>, now: Timestamp) -> Step {
        let confirmable = self.is_awaited(now.minus(MARGIN));
        let sendable = self.is_awaited(now) && now.since(attempt.started_at) < SENDING;
        match found {
            Some(outcome @ (Outcome::Captured { .. } | Outcome::Declined { .. })) => {
                Step::Settle(outcome)
            }
            Some(_) if !confirmable => Step::CallOff,
            Some(news) if attempt.next(&news, now).is_some() => Step::Settle(news),
            Some(_) => Step::Leave,
            None if sendable => Step::Send,
            None => Step::CallOff,
        }
    }

    /// Somebody asks the provider about what is open, if that is due: nobody else does for a while,
    /// and the longer it is open, the less often. `None` when it is not due.
    pub fn look(self, now: Timestamp) -> Change<Option<Self>> {
        match (self.look_at, self.began_last()) {
            (Some(look_at), Some(youngest)) if look_at <= now => {
                let pause = (now.since(youngest) / 5).clamp(FIRST_LOOK, LONGEST_PAUSE);
                Change::to(Self { look_at: Some(now.plus(pause)), ..self }).map(Some)
            }
            _ => Change::none(None),
        }
    }

    /// What is open is asked about as soon as its answer should have come.
    pub(super) fn looked_at_soon(self, now: Timestamp) -> Self {
        let look_at = self.began_last().map(|_| now.plus(FIRST_LOOK));
        Self { look_at, ..self }
    }

    /// The attempts whose end is still to come: at most one, and usually none.
    pub fn open_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.is_open())
    }

    /// The refunds whose end is still to come.
    pub fn open_refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(|refund| refund.is_open())
    }

    /// When the youngest began of what is open.
    fn began_last(&self) -> Option<Timestamp> {
        let attempts = self.open_attempts().map(|attempt| attempt.started_at);
        attempts.chain(self.open_refunds().map(|refund| refund.started_at)).max()
    }
}
