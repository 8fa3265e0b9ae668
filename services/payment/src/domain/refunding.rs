//! Giving money of a payment back.

use common::Change;
use contracts::payment::{RefundFailed, RefundFailure, Refunded};
use contracts::{Money, RefundId, Timestamp};

use super::payment::{Decided, MOST_REFUNDS};
use super::{
    Attempt, Dispute, Entry, Payment, Refund, RefundCause, RefundOutcome, RefundState, Refusal,
};

impl Payment {
    /// The order wants money to go back: what is left of it, should that be less. `id` names what
    /// asked for it, so that asking twice moves it once.
    pub fn refund_due(self, id: RefundId, amount: Money, now: Timestamp) -> Decided {
        if self.refund_of(id).is_some() {
            return Ok(Change::none(self));
        }
        match self.held() {
            Some((_, held)) => {
                let smaller = Money::new(amount.amount.min(held.amount), amount.currency);
                self.refund(id, Some(smaller), RefundCause::Order, now)
            }
            None if self.is_paid() || self.is_over() => Ok(self.nothing_left(id, amount, now)),
            None => Err(Refusal::NothingCaptured),
        }
    }

    /// Money goes back; all that is held when no amount is given.
    pub fn refund(
        mut self,
        id: RefundId,
        amount: Option<Money>,
        cause: RefundCause,
        now: Timestamp,
    ) -> Decided {
        let (attempt, held) = self.refundable()?;
        let amount = amount.unwrap_or(held);
        if amount.currency != held.currency {
            return Err(Refusal::OtherCurrency);
        }
        if !amount.is_positive() {
            return Err(Refusal::NoAmount);
        }
        if amount.amount > held.amount {
            return Err(Refusal::TooMuch(held));
        }
        if matches!(cause, RefundCause::Staff { .. }) && self.refunds.len() >= MOST_REFUNDS {
            return Err(Refusal::TooManyRefunds);
        }
        let (attempt, state) = (attempt.id, RefundState::Started);
        self.refunds.push(Refund { id, attempt, amount, started_at: now, cause, state });
        Ok(Change::to(self.watched(now)))
    }

    /// The provider said what became of a refund; saying it again, or late, changes nothing.
    pub fn settle_refund(
        mut self,
        id: RefundId,
        outcome: RefundOutcome,
        now: Timestamp,
    ) -> Change<Self> {
        let mut news = None;
        for refund in self.refunds.iter_mut().filter(|refund| refund.id == id) {
            let before = refund.state;
            if let Some(state) = refund.next(outcome, now) {
                refund.state = state;
                news = Some((before, refund.clone()));
            }
        }
        let Some((before, refund)) = news else { return Change::none(self) };
        let change = Change::to(self.watched(now));
        match (before, refund.state) {
            (_, RefundState::Started) => change,
            (_, RefundState::Done { at }) => went_back(change, &refund, at),
            (RefundState::Done { .. }, RefundState::Failed { failure, at }) => {
                let entries = Entry::refund_returned(change.value.id, &refund, at);
                entries.iter().fold(failed(change, &refund, failure), Change::row)
            }
            (_, RefundState::Failed { failure, .. }) => failed(change, &refund, failure),
        }
    }

    /// The refund of this id.
    pub fn refund_of(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// Whether it is known what became of a refund.
    pub fn is_refund_answered(&self, id: RefundId) -> bool {
        self.refund_of(id).is_some_and(|refund| !refund.is_open())
    }

    /// How much of what paid for the order did not go back.
    pub fn remaining(&self) -> Money {
        let paid = |attempt: &&Attempt| attempt.is_captured();
        let of_paid = |refund: &&Refund| {
            refund.is_done() && self.attempt(refund.attempt).is_some_and(Attempt::is_captured)
        };
        let came = total(self.attempts.iter().filter(paid).map(|attempt| attempt.amount));
        let went = total(self.refunds.iter().filter(of_paid).map(|refund| refund.amount));
        Money::new(came.saturating_sub(went), self.currency())
    }

    /// The attempt that paid and whose money is held, and how much of it neither a refund nor a
    /// dispute has taken. There is at most one, unless the money of a later one could not be given
    /// back: money that comes after other money goes back in full at once.
    pub fn held(&self) -> Option<(&Attempt, Money)> {
        self.holding().find(|(attempt, _)| attempt.is_captured())
    }

    /// What can go back: what paid for the order, before what should have gone back long ago.
    fn refundable(&self) -> Result<(&Attempt, Money), Refusal> {
        let mut came = self.attempts.iter().filter(|attempt| attempt.came().is_some());
        let disputed = came.any(|attempt| attempt.dispute.is_some_and(|dispute| dispute.takes()));
        let refusal = if disputed { Refusal::Disputed } else { Refusal::NothingCaptured };
        self.held().or_else(|| self.holding().next()).ok_or(refusal)
    }

    /// The attempts whose money is held, for whatever reason, and how much of it.
    fn holding(&self) -> impl Iterator<Item = (&Attempt, Money)> {
        let free = |attempt| Some((attempt, self.free(attempt)?));
        self.attempts.iter().filter_map(free).filter(|(_, free)| free.is_positive())
    }

    /// How much of what an attempt brought neither a refund nor a dispute has taken.
    fn free(&self, attempt: &Attempt) -> Option<Money> {
        let came = attempt.came()?;
        let of_it = |refund: &&Refund| refund.attempt == attempt.id && refund.takes();
        let refunds = total(self.refunds.iter().filter(of_it).map(|refund| refund.amount));
        let disputed = attempt.dispute.filter(Dispute::takes);
        let disputed = disputed.map_or(0, |dispute| dispute.amount.amount);
        let free = came.amount.saturating_sub(refunds).saturating_sub(disputed).max(0);
        Some(Money::new(free, came.currency))
    }

    /// All that an attempt brought goes back: the order was paid twice, or by another amount. One
    /// attempt has one such refund, so its id names that as well.
    pub(super) fn give_all_back(&mut self, attempt: &Attempt, cause: RefundCause, now: Timestamp) {
        let Some(amount) = attempt.came() else { return };
        self.refunds.push(Refund {
            id: RefundId::from_uuid(attempt.id.uuid()),
            attempt: attempt.id,
            amount,
            started_at: now,
            cause,
            state: RefundState::Started,
        });
    }

    /// The order is told that there is nothing to give back.
    fn nothing_left(mut self, id: RefundId, amount: Money, at: Timestamp) -> Change<Self> {
        let failure = RefundFailure::NothingLeft;
        let paid = self.attempts.iter().rfind(|attempt| attempt.is_captured());
        let Some(attempt) = paid.or(self.attempts.last()) else { return Change::none(self) };
        let refund = Refund {
            id,
            attempt: attempt.id,
            amount,
            started_at: at,
            cause: RefundCause::Order,
            state: RefundState::Failed { failure, at },
        };
        self.refunds.push(refund.clone());
        failed(Change::to(self), &refund, failure)
    }

    fn currency(&self) -> contracts::Currency {
        self.due.map_or(contracts::Currency::EUR, |due| due.amount.currency)
    }
}

/// The order hears of money that it had heard of coming; the ledger of all.
fn went_back(change: Change<Payment>, refund: &Refund, at: Timestamp) -> Change<Payment> {
    let payment = &change.value;
    let told = Refunded {
        payment_id: payment.id,
        order_id: payment.order_id,
        refund_id: refund.id,
        amount: refund.amount,
        remaining: payment.remaining(),
    };
    let paid = payment.attempt(refund.attempt).is_some_and(Attempt::is_captured);
    let entries = Entry::refund(payment.id, refund, at);
    let change = if paid { change.telling(&told) } else { change };
    entries.iter().fold(change, Change::row)
}

fn failed(change: Change<Payment>, refund: &Refund, failure: RefundFailure) -> Change<Payment> {
    let told = RefundFailed {
        payment_id: change.value.id,
        order_id: change.value.order_id,
        refund_id: refund.id,
        amount: refund.amount,
        failure,
    };
    change.telling(&told)
}

/// The sum of amounts of one currency; the largest there is if it is beyond that.
fn total(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.fold(0, |sum, money| sum.saturating_add(money.amount))
}
