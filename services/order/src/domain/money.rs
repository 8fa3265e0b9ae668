//! What the order does about its money, as payment tells of it.

use common::Change;
use contracts::order::CancelReason;
use contracts::{AttemptId, Money, RefundId, Timestamp};

use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Back, Order, Outcome, Refusal, Terms, told};

impl Order {
    /// Somebody is paying: the order waits until they can have finished, but only once.
    pub fn await_attempt(self, now: Timestamp, terms: &Terms) -> Change<Self> {
        let finished = now.plus(terms.to_finish_paying);
        match self.status {
            Reserved { pay_by, extended: false } if pay_by < finished => {
                let reserved = Reserved { pay_by: finished, extended: true };
                self.becomes(reserved, |order| told::pay_by_extended(order, finished))
            }
            Placed | Reserved { .. } | Paid { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// The money is here; early, in time or late.
    pub fn capture(self, by: AttemptId, amount: Money, now: Timestamp) -> Outcome {
        if self.payment.captured.contains_key(&by) {
            return Ok(Change::none(self));
        }
        if amount != self.sums.total {
            return Err(Refusal::DoesNotAddUp);
        }
        let is_first = !self.payment.has_come();
        let order = Self { payment: self.payment.with_capture(by, amount), ..self };
        match order.status {
            Reserved { .. } => Ok(order.sell(now)),
            // It is remembered until the goods are set aside.
            Placed => Ok(Change::to(order)),
            // The goods are on sale again: they are asked for once more.
            Expired { .. } if is_first => Ok(order.asks_again(now)),
            // Whoever gave the order up meant it.
            Cancelled { .. } | Expired { .. } => Ok(order.gives_back(Some(amount))),
            // Paid twice: payment itself sends back what is too much.
            Paid { .. } => Ok(Change::to(order)),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Ok(Change::to(order)),
        }
    }

    /// Money went back. An order that was not sent yet is given up when none of it remains: payment
    /// says so, which also knows of captures that the order has yet to hear of.
    pub fn refunded(self, by: RefundId, back: Back, now: Timestamp) -> Outcome {
        if !self.payment.has_come() {
            return Err(Refusal::NotCaptured);
        }
        if self.payment.refunded.contains_key(&by) {
            return Ok(Change::none(self));
        }
        if back.amount.currency != self.sums.total.currency || back.amount.amount < 0 {
            return Err(Refusal::DoesNotAddUp);
        }
        let order = Self { payment: self.payment.with_refund(by, back.amount), ..self };
        match order.status {
            Placed | Paid { .. } if !back.remaining.is_positive() => {
                Ok(order.give_up(CancelReason::Refunded, now))
            }
            Placed | Reserved { .. } | Paid { .. } => Ok(Change::to(order)),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Ok(Change::to(order)),
            Cancelled { .. } | Expired { .. } => Ok(Change::to(order)),
        }
    }

    /// Whether nothing is to be paid any more.
    pub(super) fn is_settled(&self) -> bool {
        self.payment.has_come() || !self.sums.total.is_positive()
    }
}
