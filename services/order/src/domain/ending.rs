//! How an order comes to its end.

use common::Change;
use contracts::order::CancelReason;
use contracts::{Event, Timestamp};

use super::refund::Because;
use super::status::Status;
use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Act, Note, Order, Outcome, Refund, Terms, told};

impl Order {
    /// Once the days of return have passed and nothing is open any more, nothing more will happen.
    pub fn complete(self, now: Timestamp, terms: &Terms) -> Change<Self> {
        let is_open = self.has_open_return() || self.payment.refunds.iter().any(Refund::is_open);
        match &self.status {
            Delivered { at } if at.plus(terms.to_return) <= now && !is_open => {
                self.becomes(Completed { at: now }, told::completed)
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

    /// It is given up for good: goods and money go back. Possible until a parcel left. `note` says why
    /// in the words of who cancels it.
    pub fn cancel(self, reason: CancelReason, note: Option<&Note>, now: Timestamp) -> Outcome {
        let cancelled =
            |order: Self| Ok(Self { cancel_note: note.cloned(), ..order }.give_up(reason, now));
        match self.status {
            Paid { .. } if !self.parcels.is_empty() => self.unfit(Act::Cancel),
            Placed | Reserved { .. } | Paid { .. } => cancelled(self),
            // Its money went back already, and what comes late will not revive it.
            Expired { .. } => cancelled(self),
            Cancelled { .. } => Ok(Change::none(self)),
            Shipped { .. } | Delivered { .. } | Completed { .. } => self.unfit(Act::Cancel),
        }
    }

    /// What was not sent yet will not be: without any parcel the order is given up.
    pub(super) fn sends_no_more(self, reason: CancelReason, now: Timestamp) -> Change<Self> {
        if self.parcels.is_empty() {
            return self.give_up(reason, now);
        }
        let (because, rest) = (Because::given_up(reason), self.to_send());
        let refund = self.refund_of(&rest, &rest, &because, now);
        let due = refund.as_ref().map(|refund| told::refund_due(&self, refund));
        // Goods that were not there are not for sale.
        let is_there = reason != CancelReason::OutOfStock;
        let restocked = told::restock_due(&self, &rest).filter(|_| is_there);
        let order = Self { dropped: self.dropped.plus(&rest), ..self }.asking(refund);
        told::also(told::also(order.goes_on(now), due.as_ref()), restocked.as_ref())
    }

    pub(super) fn give_up(self, reason: CancelReason, now: Timestamp) -> Change<Self> {
        let order = Self { dropped: self.bought(), ..self };
        let told = |order: &Self| told::cancelled(order, reason);
        order.ends(Cancelled { reason, at: now }, &Because::given_up(reason), told, now)
    }

    pub(super) fn lapse(self, now: Timestamp) -> Change<Self> {
        let because = Because::lapsed(self.round);
        self.ends(Expired { at: now }, &because, told::expired, now)
    }

    /// There will be no goods, so there is to be no money.
    fn ends<E: Event>(
        self,
        status: Status,
        because: &Because,
        told: impl FnOnce(&Self) -> E,
        now: Timestamp,
    ) -> Change<Self> {
        let order = Self { status, waiting: None, payment: self.payment.letting_go(), ..self };
        let (event, due) = (told(&order), order.payment.free());
        order.gives_back(due, because, now).telling(&event)
    }
}
