//! What is to be done about what is open: nothing stays so for ever.

use std::time::Duration;

use common::Change;
use contracts::Timestamp;

use super::{Attempt, AttemptState, Outcome, Payment, Refund};

/// An answer that did not come within this is asked for.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Nobody has to wait longer until an attempt is asked about again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Banks may take days to give money back.
const LONGEST_REFUND_PAUSE: Duration = Duration::from_mins(10);
/// An attempt that the provider never got is sent again for so long; then it is called off, so
/// that the shopper can try something else.
const SENDING: Duration = Duration::from_secs(30);
/// An attempt that the shopper has to confirm is called off so long after it began,
const CONFIRMING: Duration = Duration::from_mins(5);
/// or so long after the time to pay.
const MARGIN: Duration = Duration::from_mins(1);

/// Money that nobody can be asked to collect for so long does not come,
const COLLECTING: Duration = Duration::from_hours(24);
/// nor does money that the provider, though it is asked, does not collect for so long.
const REFUSING: Duration = Duration::from_mins(2);

/// What is to be done about an open attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Note what became of it.
    Settle(Outcome),
    /// Send it again, with the same key.
    Send,
    /// Collect its money, with a key of its own.
    Capture,
    /// Call it off at the provider, and note what that came to: the money may have moved.
    CallOff,
    /// Ask again later.
    Leave,
}

impl Payment {
    /// What is to be done about an open attempt of which the provider knows this.
    pub fn step(&self, attempt: &Attempt, found: Option<Outcome>, now: Timestamp) -> Step {
        match found {
            Some(outcome @ (Outcome::Captured { .. } | Outcome::Declined { .. })) => {
                Step::Settle(outcome)
            }
            Some(_) if attempt.is_promised() => self.step_promised(attempt, now),
            Some(news) => self.step_to(attempt, news, now),
            None if !attempt.is_promised() && self.is_sendable(attempt, now) => Step::Send,
            None => Step::CallOff,
        }
    }

    /// Somebody asks the provider about what is open, if that is due: nobody else does for a while,
    /// and the longer it is open, the less often. `None` when it is not due.
    pub fn look(self, now: Timestamp) -> Change<Option<Self>> {
        if self.look_at.is_none_or(|look_at| now < look_at) {
            return Change::none(None);
        }
        let attempts = self.open_attempts().map(|attempt| self.next_look(attempt, now));
        let refunds = self.open_refunds().map(|refund| {
            now.plus((now.since(refund.started_at) / 5).clamp(FIRST_LOOK, LONGEST_REFUND_PAUSE))
        });
        let look_at = attempts.chain(refunds).min();
        Change::to(Self { look_at, ..self }).map(Some)
    }

    /// What is open is asked about as soon as its answer should have come; what is promised, when
    /// the promise ends.
    pub(super) fn watched(self, now: Timestamp) -> Self {
        let soon = now.plus(FIRST_LOOK);
        let attempts =
            self.open_attempts().map(|attempt| self.rests_until(attempt).unwrap_or(soon));
        let look_at = attempts.chain(self.open_refunds().map(|_| soon)).min();
        Self { look_at: look_at.map(|at| at.max(soon)), ..self }
    }

    /// The attempts whose end is still to come: at most one, and usually none.
    pub fn open_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.is_open())
    }

    /// The refunds whose end is still to come.
    pub fn open_refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(|refund| refund.is_open())
    }

    /// What is to be done about an attempt that the provider works on, or that the shopper has to
    /// confirm.
    fn step_to(&self, attempt: &Attempt, news: Outcome, now: Timestamp) -> Step {
        let in_time =
            self.is_awaited(now.minus(MARGIN)) && now.since(attempt.started_at) < CONFIRMING;
        let promised = matches!(news, Outcome::Authorized { .. });
        let hopeful = if promised { self.is_wanted() } else { in_time };
        if !hopeful {
            Step::CallOff
        } else if attempt.next(&news, now).is_some() {
            Step::Settle(news)
        } else {
            Step::Leave
        }
    }

    /// What is to be done about money that is promised and still is.
    fn step_promised(&self, attempt: &Attempt, now: Timestamp) -> Step {
        match attempt.state {
            _ if !self.is_wanted() => Step::CallOff,
            AttemptState::Authorized { capture_by, .. } if now < capture_by => Step::Leave,
            AttemptState::Capturing { refused: Some(at), .. } if now.since(at) >= REFUSING => {
                Step::CallOff
            }
            AttemptState::Capturing { since, .. } if now.since(since) < COLLECTING => Step::Capture,
            AttemptState::Authorized { .. } | AttemptState::Capturing { .. } => Step::CallOff,
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => Step::Leave,
        }
    }

    fn is_sendable(&self, attempt: &Attempt, now: Timestamp) -> bool {
        self.is_awaited(now) && now.since(attempt.started_at) < SENDING
    }

    fn next_look(&self, attempt: &Attempt, now: Timestamp) -> Timestamp {
        let began = match attempt.state {
            AttemptState::Capturing { since, .. } => since,
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Authorized { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => attempt.started_at,
        };
        let soon = now.plus((now.since(began) / 5).clamp(FIRST_LOOK, LONGEST_PAUSE));
        self.rests_until(attempt).map_or(soon, |rest| rest.max(soon))
    }

    /// Until when nothing is to be done about an attempt: its money is promised, and kept for the
    /// order.
    fn rests_until(&self, attempt: &Attempt) -> Option<Timestamp> {
        match attempt.state {
            AttemptState::Authorized { capture_by, .. } if self.is_wanted() => Some(capture_by),
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Authorized { .. }
            | AttemptState::Capturing { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => None,
        }
    }
}
