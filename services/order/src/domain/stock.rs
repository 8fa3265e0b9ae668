//! What the order does about its goods, as product answers for them.

use common::Change;
use contracts::Timestamp;
use contracts::order::CancelReason;

use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Order, Terms, told};

impl Order {
    /// All goods are set aside: the money is asked for, unless it is here or nothing is to be paid.
    pub fn reserve(self, round: u32, now: Timestamp, terms: &Terms) -> Change<Self> {
        match self.status {
            Placed if round == self.round && self.is_settled() => self.sells_settled(now),
            Placed if round == self.round => {
                let pay_by = now.plus(terms.to_pay);
                let reserved = Reserved { pay_by, extended: false };
                self.becomes(reserved, |order| told::payment_due(order, pay_by))
            }
            // Answers an earlier asking, or was heard before. Goods that were set aside for an order
            // given up in the meantime go back: product has heard of that, or will.
            Placed | Reserved { .. } | Paid { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// Payment hears of an order that costs nothing, so that it can say so to who tries to pay.
    fn sells_settled(self, now: Timestamp) -> Change<Self> {
        let is_free = !self.sums.total.is_positive();
        let nothing_due = is_free.then(|| told::payment_due(&self, now));
        told::also(self.sell(now), nothing_due.as_ref())
    }

    /// The goods are not there: the order is given up, or, if its money came late, stays expired.
    pub fn refuse(self, round: u32, now: Timestamp) -> Change<Self> {
        match self.status {
            Placed if round == self.round && self.payment.is_covered() => self.lapse(now),
            Placed if round == self.round => self.give_up(CancelReason::OutOfStock, now),
            Placed | Reserved { .. } | Paid { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// Nobody said whether the goods are there: they are asked for once more.
    pub fn ask_again(self, now: Timestamp, terms: &Terms) -> Change<Self> {
        match self.status {
            Placed if self.asked_at.plus(terms.to_answer) <= now => self.asks_again(now),
            Placed | Reserved { .. } | Paid { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// The goods were gone when they were to be sold. What was sent in the meantime stays sent.
    pub fn refuse_commit(self, now: Timestamp) -> Change<Self> {
        match self.status {
            Paid { .. } => self.sends_no_more(CancelReason::OutOfStock, now),
            Placed | Reserved { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// Product wonders what the goods are still set aside for: it is told again what it missed.
    pub fn answer_overdue(self, now: Timestamp) -> Change<Self> {
        match self.status {
            // They are set aside, and the order never heard it.
            Placed => self.asks_again(now),
            // It is waiting for money; its time has its end.
            Reserved { .. } => Change::none(self),
            Paid { .. } => self.repeats(told::paid),
            Shipped { .. } | Delivered { .. } | Completed { .. } => self.repeats(told::paid),
            Cancelled { reason, .. } => self.repeats(|order| told::cancelled(order, reason)),
            Expired { .. } => self.repeats(told::expired),
        }
    }
}
