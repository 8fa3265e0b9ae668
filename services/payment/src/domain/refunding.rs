//! Giving money of a payment back.

use common::Change;
use contracts::payment::{RefundFailed, RefundFailure, Refunded};
use contracts::{AttemptId, Money, RefundId, Timestamp};
use uuid::Uuid;

use super::payment::{Decided, MOST_REFUNDS};
use super::{
    AskedBy, Attempt, Dispute, Entry, Payment, Refund, RefundCause, RefundOutcome, RefundState,
    Refusal,
};

impl Payment {
    /// The order wants money to go back: what is left of it, should that be less. `id` names what
    /// asked for it, so that asking twice moves it once. What the first capture does not come up
    /// for, the others do; what a bank holds goes back once the shop has won it.
    pub fn refund_due(
        mut self,
        id: RefundId,
        amount: Money,
        asked_by: Option<AskedBy>,
        now: Timestamp,
    ) -> Decided {
        if self.refund_of(id).is_some() {
            return Ok(Change::none(self));
        }
        let sources = self.sources();
        if sources.is_empty() && (self.is_paid() || self.is_over()) {
            return Ok(self.nothing_left(id, amount, asked_by, now));
        }
        let (_, first, _) = sources.first().ok_or(Refusal::NothingCaptured)?;
        if amount.currency != first.currency {
            return Err(Refusal::OtherCurrency);
        }
        if !amount.is_positive() {
            return Err(Refusal::NoAmount);
        }
        let (cause, mut left, mut name) = (RefundCause::Order, amount.amount, id);
        for (attempt, there, state) in sources {
            let amount = Money::new(there.amount.min(left), there.currency);
            if amount.is_positive() {
                let (cause, asked_by) = (cause.clone(), asked_by.clone());
                let new = Refund { asked_by, ..Refund::new(name, attempt, amount, cause, now) };
                self.refunds.push(Refund { state, ..new });
                left -= amount.amount;
            }
            name = part_of(id, self.refunds.len());
        }
        Ok(Change::to(self.watched(now)))
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
        let attempt = attempt.id;
        self.refunds.push(Refund::new(id, attempt, amount, cause, now));
        Ok(Change::to(self.watched(now)))
    }

    /// The provider said what became of the refund of this key; saying it again, or late, changes
    /// nothing.
    pub fn settle_refund(
        mut self,
        id: RefundId,
        outcome: RefundOutcome,
        now: Timestamp,
    ) -> Change<Self> {
        let found = self.refunds.iter_mut().find(|refund| refund.key() == id);
        let news = found.and_then(|refund| Some((refund.next(outcome, now)?, refund)));
        let Some((state, refund)) = news else { return Change::none(self) };
        let before = std::mem::replace(&mut refund.state, state);
        let attempt = self.attempts.iter().find(|attempt| attempt.id == refund.attempt);
        let disputes: Vec<_> = attempt.into_iter().flat_map(Attempt::disputes).collect();
        refund.awaits_dispute(before, &disputes);
        let refund = refund.clone();
        if refund.is_waiting() && !self.is_in_dispute(refund.attempt) {
            return self.wakes(refund.attempt, now);
        }
        let change = Change::to(self.watched(now));
        match (before, refund.state) {
            (_, RefundState::Started | RefundState::Waiting) => change,
            (_, RefundState::Done { at }) => went_back(change, &refund, at),
            (RefundState::Done { .. }, RefundState::Failed { failure, at }) => {
                let entries = Entry::refund_returned(change.value.id, &refund, at);
                entries.iter().fold(failed(change, &refund, failure), Change::row)
            }
            (_, RefundState::Failed { failure, .. }) => failed(change, &refund, failure),
        }
    }

    /// The refund of this id, or of this key.
    pub fn refund_of(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id || refund.key() == id)
    }

    /// What was begun for this asking: one refund, or several when one capture did not come up for
    /// it, when a bank held some of it, or when it was sent anew.
    pub fn refunds_for(&self, id: RefundId) -> impl Iterator<Item = &Refund> {
        let mut names = vec![id];
        let parts = self.refunds.iter().enumerate().filter(move |(number, refund)| {
            let is_of = |name: &RefundId| {
                [*name, part_of(*name, *number), Refund::anew(*name)].contains(&refund.id)
            };
            let is_part = names.iter().any(is_of);
            names.extend(is_part.then_some(refund.id));
            is_part
        });
        parts.map(|(_, refund)| refund)
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
    pub(super) fn refundable(&self) -> Result<(&Attempt, Money), Refusal> {
        let mut came = self.attempts.iter().filter(|attempt| attempt.came().is_some());
        let disputed = came.any(|attempt| attempt.disputes().any(Dispute::takes));
        let refusal = if disputed { Refusal::Disputed } else { Refusal::NothingCaptured };
        self.held().or_else(|| self.holding().next()).ok_or(refusal)
    }

    /// Where money of the order can come from: first what is held, capture by capture, then what
    /// banks hold of it and nothing waits for yet.
    fn sources(&self) -> Vec<(AttemptId, Money, RefundState)> {
        let paid = || self.attempts.iter().filter(|attempt| attempt.is_captured());
        let there = paid().filter_map(|it| Some((it.id, self.free(it)?, RefundState::Started)));
        let in_dispute =
            paid().filter_map(|it| Some((it.id, self.awaited(it)?, RefundState::Waiting)));
        there.chain(in_dispute).filter(|(_, money, _)| money.is_positive()).collect()
    }

    /// The attempts whose money is held, for whatever reason, and how much of it.
    fn holding(&self) -> impl Iterator<Item = (&Attempt, Money)> {
        let free = |attempt| Some((attempt, self.free(attempt)?));
        self.attempts.iter().filter_map(free).filter(|(_, free)| free.is_positive())
    }

    /// How much of what an attempt brought neither a refund nor a dispute has taken.
    pub(super) fn free(&self, attempt: &Attempt) -> Option<Money> {
        let came = attempt.came()?;
        let of_it = |refund: &&Refund| refund.attempt == attempt.id && refund.takes();
        let refunds = total(self.refunds.iter().filter(of_it).map(|refund| refund.amount));
        let disputed = total(attempt.disputes().filter(|it| it.takes()).map(|it| it.amount));
        let free = came.amount.saturating_sub(refunds).saturating_sub(disputed).max(0);
        Some(Money::new(free, came.currency))
    }

    /// All that an attempt brought goes back: the order was paid twice, or by another amount. One
    /// attempt has one such refund, so its id names that as well.
    pub(super) fn give_all_back(&mut self, attempt: &Attempt, cause: RefundCause, now: Timestamp) {
        let Some(amount) = attempt.came() else { return };
        let id = RefundId::from_uuid(attempt.id.uuid());
        self.refunds.push(Refund::new(id, attempt.id, amount, cause, now));
    }

    /// The order is told that there is nothing to give back.
    fn nothing_left(
        mut self,
        id: RefundId,
        amount: Money,
        asked_by: Option<AskedBy>,
        at: Timestamp,
    ) -> Change<Self> {
        let failure = RefundFailure::NothingLeft;
        let paid = self.attempts.iter().rfind(|attempt| attempt.is_captured());
        let Some(attempt) = paid.or(self.attempts.last()) else { return Change::none(self) };
        let state = RefundState::Failed { failure, at };
        let refund = Refund::new(id, attempt.id, amount, RefundCause::Order, at);
        let refund = Refund { asked_by, state, ..refund };
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
        cause: refund.cause.told(),
    };
    let paid = payment.attempt(refund.attempt).is_some_and(Attempt::is_captured);
    let entries = Entry::refund(payment.id, refund, at);
    let change = if paid { change.telling(&told) } else { change };
    entries.iter().fold(change, Change::row)
}

pub(super) fn failed(
    change: Change<Payment>,
    refund: &Refund,
    failure: RefundFailure,
) -> Change<Payment> {
    let told = RefundFailed {
        payment_id: change.value.id,
        order_id: change.value.order_id,
        refund_id: refund.id,
        amount: refund.amount,
        failure,
        cause: refund.cause.told(),
    };
    change.telling(&told)
}

/// Names a further part of what was asked for, by its place among the refunds.
pub(super) fn part_of(asked: RefundId, number: usize) -> RefundId {
    RefundId::from_uuid(Uuid::new_v5(&asked.uuid(), number.to_string().as_bytes()))
}

/// The sum of amounts of one currency; the largest there is if it is beyond that.
pub(super) fn total(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.fold(0, |sum, money| sum.saturating_add(money.amount))
}
