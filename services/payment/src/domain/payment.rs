//! The payment of an order: what it asks for, who tried to pay, and what went back.

use std::time::Duration;

use common::{Change, Document};
use contracts::order::CancelReason;
use contracts::payment::AttemptStarted;
use contracts::{AttemptId, Money, OrderId, PaymentId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Attempt, Method, People, Refund, Terms};

/// No order is tried to be paid more often: who needs more is trying out cards.
const MOST_ATTEMPTS: usize = 20;
/// How long after the checkout of an order its payment may not be due yet.
const MOMENTS: Duration = Duration::from_mins(1);
/// Staff give no money of one order back more often: each refund is part of its document.
pub(super) const MOST_REFUNDS: usize = 500;

/// What is to be paid for one order, and what became of it.
///
/// ```text
/// due ─▶ start ─▶ settle ─┬▶ authorized ─▶ capture ─▶ captured ─▶ refund ─▶ refunded
///          ▲              │      └──────────────┴─▶ called off   ▲
///          │              ├──────────────────────────────────────┘
///          └── declined ◀─┘ until pay_by, or closed
/// ```
///
/// At most one attempt is open at a time; one whose money is only promised is open as well. Money that comes all the same, late or twice, is never
/// refused: it is noted and told, and what comes after other money goes back at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// Names it; an order has one payment.
    #[serde(rename = "_id")]
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// What is to be paid; not known while only the end of the order was heard of.
    pub due: Option<Due>,
    /// No attempt starts after this: the latest time that was heard of.
    pub pay_by: Option<Timestamp>,
    /// Whether the order was given up: no attempt starts any more, and what is only promised is
    /// called off.
    pub closed: bool,
    /// Whether it was given up for good: it counts on no money any more.
    #[serde(default)]
    pub cancelled: bool,
    /// Why it was given up for good; `None` also in documents of versions that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    /// Who bought, where only the end of the order was heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<UserId>,
    /// The tries to pay, in the order in which they began.
    pub attempts: Vec<Attempt>,
    /// What goes back, in the order in which it began.
    pub refunds: Vec<Refund>,
    /// When the provider is to be asked about what is open; `None` when nothing is.
    pub look_at: Option<Timestamp>,
}

/// What an order asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Who pays.
    pub customer: UserId,
    /// How much.
    pub amount: Money,
}

/// Why a payment stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody asked for it, or it is somebody else's.
    #[error("there is no such payment")]
    NotKnown,
    /// The same of an order that may have been checked out moments ago.
    #[error("there is no such payment; if the order is new, its payment will be due in a moment")]
    NotDueYet,
    /// The order costs nothing.
    #[error("the order costs nothing: there is nothing to pay")]
    NothingDue,
    /// The order was given up for good.
    #[error("the order was cancelled{}", because(*.0))]
    Cancelled(CancelReason),
    /// Its money came.
    #[error("the order is paid")]
    AlreadyPaid,
    /// An attempt is open.
    #[error("a payment of this order is in progress")]
    InProgress,
    /// The order expired.
    #[error("the order expired, as it was not paid in time")]
    Closed,
    /// The order waits no longer.
    #[error("the time to pay is over")]
    TooLate,
    /// It was tried too often.
    #[error("it was tried to pay this order {MOST_ATTEMPTS} times")]
    TooManyAttempts,
    /// Money of it went back too often.
    #[error("money of this order went back {MOST_REFUNDS} times")]
    TooManyRefunds,
    /// An amount below nothing, or a refund of nothing.
    #[error("there is no such amount to move")]
    NoAmount,
    /// No money is promised that could be collected.
    #[error("no money is promised that could be collected")]
    NothingPromised,
    /// No money came that could go back.
    #[error("no money came that could go back")]
    NothingCaptured,
    /// The shopper's bank took the money back.
    #[error("the money is disputed")]
    Disputed,
    /// More than can go back: at most this.
    #[error("that is more than can go back: at most {0}")]
    TooMuch(Money),
    /// Money goes back as it came.
    #[error("the money came in another currency")]
    OtherCurrency,
}

impl Refusal {
    /// The same about the payment of this order: of one that was checked out moments ago it may be
    /// due soon.
    #[must_use]
    pub fn of_order(self, order: OrderId, now: Timestamp) -> Self {
        let is_recent = order.drawn_at().is_some_and(|drawn_at| {
            now.since(drawn_at) <= MOMENTS && drawn_at.since(now) <= MOMENTS
        });
        if self == Self::NotKnown && is_recent { Self::NotDueYet } else { self }
    }
}

/// What follows "the order was cancelled".
const fn because(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::OutOfStock => ": its goods are out of stock",
        CancelReason::NotCollected => ": its money could not be collected",
        CancelReason::Refunded => ": the shop gives its money back",
        CancelReason::Customer | CancelReason::Staff | CancelReason::Unknown => "",
    }
}

pub(super) type Decided = Result<Change<Payment>, Refusal>;

impl Document for Payment {
    const COLLECTION: &'static str = "payments";
    /// 1: knows of further disputes, and of refunds that wait for their end.
    const SHAPE: i64 = 1;
    type Id = PaymentId;

    fn id(&self) -> PaymentId {
        self.id
    }
}

impl Payment {
    /// A payment of which nothing is known but its order.
    pub fn of(order_id: OrderId) -> Self {
        Self {
            id: PaymentId::of(order_id),
            order_id,
            due: None,
            pay_by: None,
            closed: false,
            cancelled: false,
            cancel_reason: None,
            customer: None,
            attempts: Vec::new(),
            refunds: Vec::new(),
            look_at: None,
        }
    }

    /// The order waits for its money.
    pub fn ask(self, due: Due, pay_by: Timestamp) -> Decided {
        if due.amount.amount < 0 {
            return Err(Refusal::NoAmount);
        }
        let due = self.due.or(Some(due));
        Ok(Self { due, ..self }.wait_until(pay_by))
    }

    /// The order waits longer; it never waits less long than it said once.
    pub fn wait_until(self, pay_by: Timestamp) -> Change<Self> {
        Change::to(Self { pay_by: self.pay_by.max(Some(pay_by)), ..self })
    }

    /// The order was given up, but lives on should its money come all the same: what is open is to
    /// be called off soon.
    pub fn close(self, now: Timestamp) -> Change<Self> {
        if self.closed {
            return Change::none(self);
        }
        Change::to(Self { closed: true, ..self }.watched(now))
    }

    /// The order was given up for good: what is open is to be called off soon.
    pub fn cancel(self, now: Timestamp) -> Change<Self> {
        if self.cancelled {
            return Change::none(self);
        }
        Change::to(Self { closed: true, cancelled: true, ..self }.watched(now))
    }

    /// The same, with who bought and why it was given up.
    pub fn cancel_for(
        self,
        reason: CancelReason,
        customer: Option<UserId>,
        now: Timestamp,
    ) -> Change<Self> {
        let cancel_reason = self.cancel_reason.or(Some(reason));
        let customer = self.customer.or(customer);
        Self { cancel_reason, customer, ..self }.cancel(now)
    }

    /// The payment, if it is theirs; to others there is none.
    pub fn of_people(self, people: &People) -> Result<Self, Refusal> {
        let customer = self.due.map(|due| due.customer).or(self.customer);
        let is_theirs = customer.is_some_and(|customer| people.include(customer));
        if is_theirs { Ok(self) } else { Err(Refusal::NotKnown) }
    }

    /// Somebody tries to pay. That is told, so that the order waits a little longer if it must.
    pub fn start(mut self, id: AttemptId, method: Method, terms: Terms, now: Timestamp) -> Decided {
        self.may_start(now)?;
        let due = self.due.ok_or(Refusal::NotKnown)?;
        self.attempts.push(Attempt::new(id, method, terms, due.amount, now));
        let (payment_id, order_id) = (self.id, self.order_id);
        let started = AttemptStarted { payment_id, order_id, attempt_id: id };
        Ok(Change::to(self.watched(now)).telling(&started))
    }

    /// The attempt of this id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// Whether it is known how an attempt ended, or what the shopper has to do next.
    pub fn is_answered(&self, id: AttemptId) -> bool {
        self.attempt(id).is_some_and(Attempt::is_answered)
    }

    /// Whether the order's money came, whatever became of it.
    pub fn is_paid(&self) -> bool {
        self.attempts.iter().any(Attempt::is_captured)
    }

    /// Whether the order's money is promised and has not come yet.
    pub fn is_promised(&self) -> bool {
        self.attempts.iter().any(Attempt::is_promised)
    }

    /// Whether the order still waits for its money.
    pub fn is_awaited(&self, now: Timestamp) -> bool {
        self.is_wanted() && self.pay_by.is_some_and(|pay_by| now <= pay_by)
    }

    /// Whether the order still has a use for money.
    pub(super) fn is_wanted(&self) -> bool {
        !self.closed && !self.is_paid()
    }

    /// Whether the order was given up after it was tried to pay it, and nothing is left to hope for.
    pub(super) fn is_over(&self) -> bool {
        self.closed && !self.attempts.is_empty() && !self.attempts.iter().any(Attempt::is_open)
    }

    pub(super) fn may_start(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.cancelled {
            // Whatever becomes of money that came or is still moving: the order wants none.
            Err(Refusal::Cancelled(self.cancel_reason.unwrap_or(CancelReason::Unknown)))
        } else if self.is_paid() || self.is_promised() {
            Err(Refusal::AlreadyPaid)
        } else if self.attempts.iter().any(Attempt::is_open) {
            Err(Refusal::InProgress)
        } else if self.due.is_none() {
            Err(Refusal::NotKnown)
        } else if self.due.is_some_and(|due| !due.amount.is_positive()) {
            Err(Refusal::NothingDue)
        } else if self.closed {
            Err(Refusal::Closed)
        } else if !self.is_awaited(now) {
            Err(Refusal::TooLate)
        } else if self.attempts.len() >= MOST_ATTEMPTS {
            Err(Refusal::TooManyAttempts)
        } else {
            Ok(())
        }
    }
}
