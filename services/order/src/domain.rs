//! What an order is, and what may become of it.
//!
//! An order hears what the others did early, late and twice. So every step says what it comes to in
//! every state, and the same step again comes to nothing.

#![expect(clippy::match_same_arms, reason = "a line each: before it is sent, after that, given up")]

mod bill;
mod parcel;
mod payment;
mod person;
mod refusal;
mod stage;
mod terms;
mod told;

#[cfg(test)]
mod tests;

use common::{Change, Document};
use contracts::cart::CheckedOut;
use contracts::order::CancelReason;
use contracts::{AttemptId, Event, Money, OrderId, RefundId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

pub use bill::{Line, Sums};
pub use parcel::{InvalidLabel, Label, Parcel};
pub use payment::{Back, Payment};
pub use person::{Merged, Person};
pub use refusal::Refusal;
pub use stage::{Act, Stage};
pub use terms::Terms;

use Status::{Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped};

/// A shopper's wish to buy, and how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Names it since checkout.
    #[serde(rename = "_id")]
    pub id: OrderId,
    /// Who buys.
    pub customer: UserId,
    /// What is bought, at the prices that were agreed on.
    pub lines: Vec<Line>,
    /// What it costs.
    pub sums: Sums,
    /// How often its goods were asked for, from 1. Product's answers name the asking they are for.
    pub round: u32,
    /// The money that came for it, whatever became of the order.
    pub payment: Payment,
    /// When the order began.
    pub placed_at: Timestamp,
    /// When its goods were asked for last.
    pub asked_at: Timestamp,
    /// Where it stands.
    pub status: Status,
}

/// Where an order stands; each arrow is one method of [`Order`].
///
/// ```text
/// ─ place ─▶ Placed ─ reserve ─▶ Reserved ─ capture ─▶ Paid ─ ship ─▶ Shipped ─ deliver ─▶ Delivered
///              │                    │                   │                                     │
///            refuse               expire          refuse_commit,                          complete
///              │                    │             refunded in full                            │
///              ▼                    ▼                   ▼                                     ▼
///          Cancelled             Expired            Cancelled                             Completed
///
/// cancel       Placed, Reserved, Paid, Expired ─▶ Cancelled
/// late money   Expired ─ capture ─▶ Placed ─ reserve ─▶ Paid
///                                     └───── refuse ──▶ Expired
/// ```
///
/// `Cancelled` and `Completed` are final. `Placed` waits for product and asks again, `Reserved` for money until its
/// time is up, `Paid` and `Shipped` for staff, `Delivered` for the days of return to pass; `Expired`
/// waits for nothing, and only late money wakes it. Money of an order that is `Cancelled` or
/// `Expired` goes back, whenever it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// Its goods are asked for.
    Placed,
    /// Its goods are set aside.
    Reserved {
        /// Until when it waits for the money.
        pay_by: Timestamp,
        /// Whether somebody who was paying has got more time.
        extended: bool,
    },
    /// It is to be sent.
    Paid {
        /// Since when.
        at: Timestamp,
    },
    /// Its goods are on their way.
    Shipped {
        /// By whom, and where they can be followed.
        parcel: Parcel,
        /// Since when.
        at: Timestamp,
    },
    /// Its goods arrived.
    Delivered {
        /// How they came.
        parcel: Parcel,
        /// When.
        at: Timestamp,
    },
    /// Its goods are kept: nothing more will happen.
    Completed {
        /// How they came.
        parcel: Parcel,
        /// Since when.
        at: Timestamp,
    },
    /// It was given up for good.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
    /// Nobody paid in time.
    Expired {
        /// When that was clear.
        at: Timestamp,
    },
}

/// What a step comes to.
pub type Outcome = Result<Change<Order>, Refusal>;

impl Document for Order {
    const COLLECTION: &'static str = "orders";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

/// From cart to doorstep.
impl Order {
    /// A cart was checked out: the order begins, and asks for its goods.
    pub fn place(bought: CheckedOut, now: Timestamp) -> Outcome {
        let order = Self {
            id: bought.order_id,
            customer: bought.customer,
            sums: Sums::of(&bought)?,
            lines: bought.lines.into_iter().map(Line::from).collect(),
            round: 1,
            payment: Payment::default(),
            placed_at: now,
            asked_at: now,
            status: Placed,
        };
        Ok(order.becomes(Placed, told::placed))
    }

    /// All goods are set aside: the money is asked for, unless it is here or nothing is to be paid.
    pub fn reserve(self, round: u32, now: Timestamp, terms: &Terms) -> Change<Self> {
        match self.status {
            Placed if round == self.round && self.is_settled() => self.sell(now),
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

    /// The goods left the warehouse.
    pub fn ship(self, parcel: Parcel, now: Timestamp) -> Outcome {
        if self.status.parcel() == Some(&parcel) {
            return Ok(Change::none(self));
        }
        match self.status {
            Paid { .. } => {
                let event = told::shipped(&self, &parcel);
                Ok(self.becomes(Shipped { parcel, at: now }, |_| event))
            }
            Placed | Reserved { .. } => self.unfit(Act::Ship),
            Shipped { .. } | Delivered { .. } | Completed { .. } => self.unfit(Act::Ship),
            Cancelled { .. } | Expired { .. } => self.unfit(Act::Ship),
        }
    }

    /// The goods arrived.
    pub fn deliver(self, now: Timestamp) -> Outcome {
        match &self.status {
            Shipped { parcel, .. } => {
                let delivered = Delivered { parcel: parcel.clone(), at: now };
                Ok(self.becomes(delivered, told::delivered))
            }
            Delivered { .. } | Completed { .. } => Ok(Change::none(self)),
            Placed | Reserved { .. } | Paid { .. } => self.unfit(Act::Deliver),
            Cancelled { .. } | Expired { .. } => self.unfit(Act::Deliver),
        }
    }

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
}

/// What can come in between.
impl Order {
    /// The goods are not there: the order is given up, or, if its money came late, stays expired.
    pub fn refuse(self, round: u32, now: Timestamp) -> Change<Self> {
        match self.status {
            Placed if round == self.round && self.payment.has_come() => self.lapse(now),
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

    /// Nobody paid in time: the goods go back on sale.
    pub fn expire(self, now: Timestamp) -> Change<Self> {
        match self.status {
            Reserved { pay_by, .. } if pay_by <= now => self.lapse(now),
            Placed | Reserved { .. } | Paid { .. } => Change::none(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::none(self),
            Cancelled { .. } | Expired { .. } => Change::none(self),
        }
    }

    /// The goods were gone when they were to be sold. What was sent in the meantime stays sent.
    pub fn refuse_commit(self, now: Timestamp) -> Change<Self> {
        match self.status {
            Paid { .. } => self.give_up(CancelReason::OutOfStock, now),
            Placed | Reserved { .. } => Change::none(self),
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

/// What several steps share.
impl Order {
    /// Goods and money are here: they change hands.
    fn sell(self, now: Timestamp) -> Change<Self> {
        self.becomes(Paid { at: now }, told::paid)
    }

    fn asks_again(self, now: Timestamp) -> Change<Self> {
        let round = self.round.saturating_add(1);
        Self { round, asked_at: now, ..self }.becomes(Placed, told::placed)
    }

    fn give_up(self, reason: CancelReason, now: Timestamp) -> Change<Self> {
        self.ends(Cancelled { reason, at: now }, |order| told::cancelled(order, reason))
    }

    fn lapse(self, now: Timestamp) -> Change<Self> {
        self.ends(Expired { at: now }, told::expired)
    }

    fn becomes<E: Event>(self, status: Status, told: impl FnOnce(&Self) -> E) -> Change<Self> {
        let order = Self { status, ..self };
        let event = told(&order);
        Change::to(order).telling(&event)
    }

    /// There will be no goods, so there is to be no money.
    fn ends<E: Event>(self, status: Status, told: impl FnOnce(&Self) -> E) -> Change<Self> {
        let order = Self { status, ..self };
        let (event, due) = (told(&order), order.payment.remaining());
        order.gives_back(due).telling(&event)
    }

    fn gives_back(self, due: Option<Money>) -> Change<Self> {
        let due = due.map(|amount| told::refund_due(&self, amount));
        due.iter().fold(Change::to(self), Change::telling)
    }

    fn repeats<E: Event>(self, told: impl FnOnce(&Self) -> E) -> Change<Self> {
        let event = told(&self);
        Change::none(self).telling(&event)
    }

    /// Whether nothing is to be paid any more.
    fn is_settled(&self) -> bool {
        self.payment.has_come() || !self.sums.total.is_positive()
    }

    fn unfit(&self, act: Act) -> Outcome {
        Err(Refusal::Unfit { act, stage: self.status.stage() })
    }
}
