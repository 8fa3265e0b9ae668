//! Refunds of money that a bank holds: they wait until it is clear whose that is.

use common::Change;
use contracts::payment::RefundFailure;
use contracts::{AttemptId, Money, RefundId, Timestamp};

use super::refunding::{failed, part_of, total};
use super::{Attempt, Dispute, Payment, Refund, RefundState};

impl Payment {
    /// How much of what an attempt brought a bank holds and nothing waits for yet.
    pub(super) fn awaited(&self, attempt: &Attempt) -> Option<Money> {
        let left = in_dispute(attempt).saturating_sub(self.waited_for(attempt)).max(0);
        Some(Money::new(left, attempt.came()?.currency))
    }

    /// Whether a bank holds money of this attempt.
    pub(super) fn is_in_dispute(&self, id: AttemptId) -> bool {
        self.attempt(id).is_some_and(|attempt| attempt.disputes().any(Dispute::is_open))
    }

    /// A dispute ended: what waited for it is sent, as far as there is money now, and so is what was
    /// refused before the dispute was heard of.
    pub(super) fn wake_refunds(mut self, id: AttemptId, now: Timestamp) -> Change<Self> {
        for refund in self.refused_early(id) {
            let Some(attempt) = self.attempt(id) else { continue };
            let there = self.free(attempt).map_or(0, |free| free.amount);
            let there = there.saturating_add(in_dispute(attempt));
            let amount = refund.amount.amount.min(there - self.waited_for(attempt));
            if amount > 0 {
                let (anew, amount) = (Refund::anew(refund.id), Money { amount, ..refund.amount });
                self.refunds.push(refund.waiting_as(anew, amount, now));
            }
        }
        self.wakes(id, now)
    }

    /// What waits for the end of a dispute is sent, as far as there is money now.
    pub(super) fn wakes(mut self, id: AttemptId, now: Timestamp) -> Change<Self> {
        let waiting = self.refunds.iter().filter(|it| it.attempt == id && it.is_waiting());
        let waiting: Vec<RefundId> = waiting.map(|refund| refund.id).collect();
        let woken = waiting.into_iter().filter_map(|refund| self.wake_refund(id, refund, now));
        let lost: Vec<Refund> = woken.collect();
        let change = Change::to(self.watched(now));
        lost.iter().fold(change, |change, it| failed(change, it, RefundFailure::NothingLeft))
    }

    /// Hands the refund back when there will be no money for it. What a bank still holds of it goes
    /// on waiting, as a part of its own.
    fn wake_refund(&mut self, of: AttemptId, id: RefundId, at: Timestamp) -> Option<Refund> {
        let attempt = self.attempt(of)?;
        let (free, is_held) = (self.free(attempt)?, in_dispute(attempt) > 0);
        let refund = self.refunds.iter_mut().find(|refund| refund.id == id)?;
        if free.is_positive() {
            let part = refund.amount.amount.min(free.amount);
            let rest = Money { amount: refund.amount.amount - part, ..refund.amount };
            (refund.amount, refund.state) = (Money::new(part, free.currency), RefundState::Started);
            let whole = refund.clone();
            self.waits_on(&whole, rest, at);
        } else if !is_held {
            refund.state = RefundState::Failed { failure: RefundFailure::NothingLeft, at };
            return Some(refund.clone());
        }
        None
    }

    /// Of a refund for which there was not enough, the rest waits as far as a bank holds it.
    fn waits_on(&mut self, whole: &Refund, rest: Money, now: Timestamp) {
        let awaited = self.attempt(whole.attempt).and_then(|attempt| self.awaited(attempt));
        let amount = awaited.map_or(0, |awaited| awaited.amount.min(rest.amount));
        if amount > 0 {
            let part = part_of(whole.id, self.refunds.len());
            self.refunds.push(whole.waiting_as(part, Money { amount, ..rest }, now));
        }
    }

    /// What is owed of an attempt and was refused, and nobody saw to since: perhaps because of a
    /// dispute that the shop had not heard of.
    fn refused_early(&self, id: AttemptId) -> Vec<Refund> {
        let refused = |it: &Refund| {
            let refused = it.failure() == Some(RefundFailure::Refused);
            it.attempt == id
                && it.is_owed()
                && refused
                && self.refund_of(Refund::anew(it.id)).is_none()
        };
        let seen_to = |place: usize| {
            let mut later = self.refunds.iter().skip(place + 1).filter(|it| it.attempt == id);
            !self.cancelled && later.any(|it| it.takes() || it.is_waiting())
        };
        let all = self.refunds.iter().enumerate();
        let early = all.filter(|(place, it)| refused(it) && !seen_to(*place));
        early.map(|(_, refund)| refund.clone()).collect()
    }

    /// How much of what an attempt brought is waited for.
    fn waited_for(&self, attempt: &Attempt) -> i64 {
        let waiting = self.refunds.iter().filter(|it| it.attempt == attempt.id && it.is_waiting());
        total(waiting.map(|it| it.amount))
    }
}

/// How much of what an attempt brought a bank holds.
fn in_dispute(attempt: &Attempt) -> i64 {
    total(attempt.disputes().filter(|dispute| dispute.is_open()).map(|it| it.amount))
}
