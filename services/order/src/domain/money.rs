//! How money comes, as payment tells of it.

use common::Change;
use contracts::order::{CancelReason, RefundReason};
use contracts::{AttemptId, Money, Timestamp};

use super::refund::Because;
use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Order, Outcome, Promise, Refusal, Terms, told};

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

    /// The money is promised, early or in time: as good as here, until the goods are to leave. A
    /// promise that comes late is let go.
    pub fn authorize(self, by: AttemptId, promise: Promise, now: Timestamp) -> Outcome {
        if self.payment.knows(by) {
            return Ok(Change::none(self));
        }
        if promise.amount != self.sums.total {
            return Err(Refusal::DoesNotAddUp);
        }
        let order = Self { payment: self.payment.with_promise(by, promise), ..self };
        match order.status {
            Reserved { .. } => Ok(order.sell(now)),
            // It is remembered until the goods are set aside.
            Placed => Ok(Change::to(order)),
            // Payment has heard that the order was given up, or will, and lets the money go: unlike
            // money that is here, a promise wakes nothing.
            Cancelled { .. } | Expired { .. } => {
                Ok(Change::to(Self { payment: order.payment.letting_go(), ..order }))
            }
            Paid { .. } => Ok(Change::to(order)),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Ok(Change::to(order)),
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
        let is_first = !self.payment.is_covered();
        let order = Self { payment: self.payment.with_capture(by, amount), ..self };
        match order.status {
            Reserved { .. } => Ok(order.sell(now)),
            // It is remembered until the goods are set aside.
            Placed => Ok(Change::to(order)),
            // The goods are on sale again: they are asked for once more.
            Expired { .. } if is_first => Ok(order.asks_again(now)),
            // Whoever gave the order up meant it.
            Cancelled { .. } | Expired { .. } => {
                let cause = format!("capture {by}");
                let because = Because { reason: RefundReason::TooLate, cause };
                Ok(order.gives_back(Some(amount), &because, now))
            }
            // Paid twice: payment itself sends back what is too much.
            Paid { .. } => Ok(order.sends_what_waits(now)),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Ok(Change::to(order)),
        }
    }

    /// Money that was promised will not come. Without it nothing is sent: the order is given up.
    pub fn fail_capture(self, by: AttemptId, now: Timestamp) -> Change<Self> {
        if self.payment.captured.contains_key(&by) || self.payment.ended.contains(&by) {
            return Change::none(self);
        }
        let order = Self { payment: self.payment.without_promise(by), ..self };
        match order.status {
            Paid { .. } if !order.is_settled() => order.give_up(CancelReason::NotCollected, now),
            // It waits for its goods, or for another attempt to pay.
            Placed | Reserved { .. } => Change::to(order),
            // Other money is here, or is promised and collected in its place.
            Paid { .. } if order.waiting.is_some() => {
                let event = told::capture_due(&order);
                Change::to(order).telling(&event)
            }
            Paid { .. } => Change::to(order),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::to(order),
            Cancelled { .. } | Expired { .. } => Change::to(order),
        }
    }

    /// Whether nothing is to be paid any more.
    pub(super) fn is_settled(&self) -> bool {
        self.payment.is_covered() || !self.sums.total.is_positive()
    }
}
