//! How an order comes to its end.

use common::Change;
use contracts::order::CancelReason;
use contracts::{Event, Money, Timestamp};

use super::status::Status;
use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Act, Order, Outcome, Terms, told};

impl Order {
    /// Once the days of return have passed, nothing more will happen.
    pub fn complete(self, now: Timestamp, terms: &Terms) -> Change<Self> {
        match &self.status {
            Delivered { parcel, at } if at.plus(terms.to_return) <= now => {
                let completed = Completed { parcel: parcel.clone(), at: now };
                self.becomes(completed, told::completed)
            }
            Placed | Reserved { .. } | Paid { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// Nobody paid in time: the goods go back on sale.
    pub fn expire(self, now: Timestamp) -> Change<Self> {
        match self.status {
            Reserved { pay_by, .. } if pay_by <= now => self.lapse(now),
            Placed | Reserved { .. } | Paid { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// It is given up for good: goods and money go back. Possible until the goods are sent.
    pub fn cancel(self, reason: CancelReason, now: Timestamp) -> Outcome {
        match self.status {
            Placed | Reserved { .. } | Paid { .. } => Ok(self.give_up(reason, now)),
            // Its money went back already, and what comes late will not revive it.
            Expired { .. } => {
                let cancelled = Cancelled { reason, at: now };
                Ok(self.becomes(cancelled, |order| told::cancelled(order, reason)))
            }
            Cancelled { .. } => Ok(Change::none(self)),
            Shipped { .. } | Delivered { .. } | Completed { .. } => self.unfit(Act::Cancel),
        }
    }

    pub(super) fn give_up(self, reason: CancelReason, now: Timestamp) -> Change<Self> {
        self.ends(Cancelled { reason, at: now }, |order| told::cancelled(order, reason))
    }

    pub(super) fn lapse(self, now: Timestamp) -> Change<Self> {
        self.ends(Expired { at: now }, told::expired)
    }

    /// There will be no goods, so there is to be no money.
    fn ends<E: Event>(self, status: Status, told: impl FnOnce(&Self) -> E) -> Change<Self> {
        let order = Self { status, ..self };
        let (event, due) = (told(&order), order.payment.remaining());
        order.gives_back(due).telling(&event)
    }

    pub(super) fn gives_back(self, due: Option<Money>) -> Change<Self> {
        let due = due.map(|amount| told::refund_due(&self, amount));
        due.iter().fold(Change::to(self), Change::telling)
    }
}
