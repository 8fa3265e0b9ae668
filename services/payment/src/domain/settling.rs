//! What becomes of the attempts of a payment, and what is told of that.

use common::Change;
use contracts::payment::{ActionRequired, Authorized, CaptureFailed, Captured, Failed, Failure};
use contracts::{AttemptId, Timestamp};

use super::payment::Decided;
use super::{Attempt, AttemptState, Entry, Outcome, Payment, RefundCause, Refusal};

impl Payment {
    /// The provider said what became of an attempt; saying it again, or late, changes nothing.
    pub fn settle(mut self, id: AttemptId, outcome: &Outcome, now: Timestamp) -> Change<Self> {
        let (surplus, outcome) = (self.has_enough(), self.as_wanted(outcome));
        let mut news = None;
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.id == id) {
            if let Some(state) = attempt.next(&outcome, now) {
                let before = std::mem::replace(&mut attempt.state, state);
                news = Some((before, attempt.clone()));
            }
        }
        let Some((before, attempt)) = news else { return Change::none(self) };
        if attempt.is_captured() && surplus {
            self.give_all_back(&attempt, RefundCause::Surplus, now);
        } else if attempt.is_mismatched() {
            self.give_all_back(&attempt, RefundCause::WrongAmount, now);
        }
        enter(self.tell(&before, &attempt, now), &attempt)
    }

    /// The provider said what became of an attempt because it was asked to do something about it. If
    /// that was to collect what it still only promises, it refused, which is waited for a while.
    pub fn answered(mut self, id: AttemptId, outcome: &Outcome, now: Timestamp) -> Change<Self> {
        let promised = matches!(outcome, Outcome::Authorized { .. });
        let mut asked = self.attempts.iter_mut().filter(|attempt| attempt.id == id);
        if promised && asked.any(|attempt| attempt.note_refusal(now)) {
            return Change::to(self.watched(now));
        }
        self.settle(id, outcome, now)
    }

    /// The goods are ready to be sent: the money that is promised is to be collected. Whoever counts
    /// on a promise that ended hears of that again.
    pub fn capture(mut self, now: Timestamp) -> Decided {
        if self.is_paid() || self.cancelled {
            return Ok(Change::none(self));
        }
        if self.is_promised() {
            let begun = self.is_wanted() && self.begin_capture(now);
            return Ok(if begun { Change::to(self.watched(now)) } else { Change::none(self) });
        }
        let ended = self.attempts.last().and_then(|last| Some((last.id, last.failure()?)));
        let (attempt, failure) = ended.ok_or(Refusal::NothingPromised)?;
        let told = self.capture_failed(attempt, failure);
        Ok(Change::none(self).telling(&told))
    }

    /// Whether there is money to be collected that nobody collects yet.
    fn begin_capture(&mut self, since: Timestamp) -> bool {
        self.attempts.iter_mut().any(|attempt| match &attempt.state {
            AttemptState::Authorized { reference, .. } => {
                let (reference, refused) = (reference.clone(), None);
                attempt.state = AttemptState::Capturing { reference, since, refused };
                true
            }
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::ActionRequired { .. }
            | AttemptState::Capturing { .. }
            | AttemptState::Captured { .. }
            | AttemptState::Mismatched { .. }
            | AttemptState::Declined { .. } => false,
        })
    }

    /// Whether more money would be too much: some is held, or the order was paid before, whatever
    /// became of that. One that was given up for good asks itself for what comes late.
    fn has_enough(&self) -> bool {
        self.held().is_some() || self.is_paid() && !self.cancelled
    }

    /// What is promised to an order that has no use for it is called off: until then it is merely
    /// being worked on.
    fn as_wanted(&self, outcome: &Outcome) -> Outcome {
        match outcome {
            Outcome::Authorized { reference, .. } if !self.is_wanted() => {
                Outcome::Processing { reference: reference.clone() }
            }
            Outcome::Authorized { .. }
            | Outcome::Processing { .. }
            | Outcome::ActionRequired { .. }
            | Outcome::Captured { .. }
            | Outcome::Declined { .. } => outcome.clone(),
        }
    }

    /// What the others hear of an attempt that has come further.
    fn tell(self, before: &AttemptState, attempt: &Attempt, now: Timestamp) -> Change<Self> {
        let (payment_id, order_id) = (self.id, self.order_id);
        let (attempt_id, amount) = (attempt.id, attempt.amount);
        let change = Change::to(self.watched(now));
        match attempt.state {
            AttemptState::Started
            | AttemptState::Processing { .. }
            | AttemptState::Capturing { .. } => change,
            AttemptState::ActionRequired { .. } => {
                change.telling(&ActionRequired { payment_id, order_id, attempt_id })
            }
            AttemptState::Authorized { capture_by, .. } => {
                let told = Authorized { payment_id, order_id, attempt_id, amount, capture_by };
                change.telling(&told)
            }
            AttemptState::Captured { at: captured_at, .. } => {
                let told = Captured { payment_id, order_id, attempt_id, amount, captured_at };
                change.telling(&told)
            }
            AttemptState::Mismatched { .. } => {
                tell_ending(change, before, attempt_id, Failure::WrongAmount)
            }
            AttemptState::Declined { failure } => tell_ending(change, before, attempt_id, failure),
        }
    }

    fn capture_failed(&self, attempt_id: AttemptId, failure: Failure) -> CaptureFailed {
        CaptureFailed { payment_id: self.id, order_id: self.order_id, attempt_id, failure }
    }
}

/// An attempt came to nothing: that is told once, and of a promise only to an order that may count
/// on it.
fn tell_ending(
    change: Change<Payment>,
    before: &AttemptState,
    attempt_id: AttemptId,
    failure: Failure,
) -> Change<Payment> {
    let payment = &change.value;
    let (payment_id, order_id) = (payment.id, payment.order_id);
    let counted_on = !payment.cancelled && !payment.is_paid();
    match before {
        AttemptState::Authorized { .. } | AttemptState::Capturing { .. } if counted_on => {
            let told = payment.capture_failed(attempt_id, failure);
            change.telling(&told)
        }
        AttemptState::Started
        | AttemptState::Processing { .. }
        | AttemptState::ActionRequired { .. } => {
            change.telling(&Failed { payment_id, order_id, attempt_id, failure })
        }
        AttemptState::Authorized { .. }
        | AttemptState::Capturing { .. }
        | AttemptState::Captured { .. }
        | AttemptState::Mismatched { .. }
        | AttemptState::Declined { .. } => change,
    }
}

/// What the ledger says of an attempt that has come further.
fn enter(change: Change<Payment>, attempt: &Attempt) -> Change<Payment> {
    let (AttemptState::Captured { at, .. } | AttemptState::Mismatched { at, .. }) = attempt.state
    else {
        return change;
    };
    let payment = change.value.id;
    let entries = attempt.came().map(|came| Entry::capture(payment, attempt.id, came, at));
    entries.iter().flatten().fold(change, Change::row)
}
