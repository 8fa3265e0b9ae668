//! The payment of an order: what it asks for, who tried to pay, and what went back.

use common::{Change, Document};
use contracts::payment::{ActionRequired, AttemptStarted, Captured, Failed, Refunded};
use contracts::{AttemptId, Money, OrderId, PaymentId, RefundId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{
    Attempt, AttemptState, Entry, Method, Outcome, People, Refund, RefundCause, RefundState,
};

/// No order is tried to be paid more often: who needs more is trying out cards.
const MOST_ATTEMPTS: usize = 20;

/// What is to be paid for one order, and what became of it.
///
/// ```text
/// due ─▶ start ─▶ settle ─▶ captured ─▶ refund ─▶ refunded
///          ▲         └─▶ declined ─┐
///          └───────────────────────┘ until pay_by, or closed
/// ```
///
/// At most one attempt is open at a time. Money that comes all the same, late or twice, is never
/// refused: it is noted and told, and what comes while other money is held goes back at once.
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
    /// Whether the order was given up: no attempt starts any more.
    pub closed: bool,
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
    #[error("there is no such payment; if the order is new, its payment will be due in a moment")]
    NotKnown,
    /// Its money came.
    #[error("the order is paid")]
    AlreadyPaid,
    /// An attempt is open.
    #[error("a payment of this order is in progress")]
    InProgress,
    /// The order was given up.
    #[error("the order was given up and waits for no money")]
    Closed,
    /// The order waits no longer.
    #[error("the time to pay is over")]
    TooLate,
    /// It was tried too often.
    #[error("it was tried to pay this order {MOST_ATTEMPTS} times")]
    TooManyAttempts,
    /// An amount below nothing, or a refund of nothing.
    #[error("there is no such amount to move")]
    NoAmount,
    /// No money came that could go back.
    #[error("no money came that could go back")]
    NothingCaptured,
    /// More than can go back: at most this.
    #[error("that is more than can go back")]
    TooMuch(Money),
    /// Money goes back as it came.
    #[error("the money came in another currency")]
    OtherCurrency,
}

type Decided = Result<Change<Payment>, Refusal>;

impl Document for Payment {
    const COLLECTION: &'static str = "payments";
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

    /// The order was given up: what is open is to be called off soon.
    pub fn close(self, now: Timestamp) -> Change<Self> {
        if self.closed {
            return Change::none(self);
        }
        Change::to(Self { closed: true, ..self }.looked_at_soon(now))
    }

    /// The payment, if it is theirs; to others there is none.
    pub fn of_people(self, people: &People) -> Result<Self, Refusal> {
        match self.due {
            Some(due) if people.include(due.customer) => Ok(self),
            Some(_) | None => Err(Refusal::NotKnown),
        }
    }

    /// Somebody tries to pay. The first try is told, so that the order waits a little longer.
    pub fn start(mut self, id: AttemptId, method: Method, now: Timestamp) -> Decided {
        let due = self.due.ok_or(Refusal::NotKnown)?;
        self.may_start(now)?;
        let first = self.attempts.is_empty();
        self.attempts.push(Attempt::new(id, method, due.amount, now));
        let (payment_id, order_id) = (self.id, self.order_id);
        let change = Change::to(self.looked_at_soon(now));
        let started = AttemptStarted { payment_id, order_id, attempt_id: id };
        Ok(if first { change.telling(&started) } else { change })
    }

    /// The provider said what became of an attempt; saying it again, or late, changes nothing.
    pub fn settle(mut self, id: AttemptId, outcome: &Outcome, now: Timestamp) -> Change<Self> {
        let held = self.held().is_some();
        let news = self.attempts.iter_mut().find(|attempt| attempt.id == id).and_then(|attempt| {
            attempt.state = attempt.next(outcome, now)?;
            Some(attempt.clone())
        });
        let Some(attempt) = news else { return Change::none(self) };
        if held && attempt.captured().is_some() {
            self.give_back_surplus(&attempt, now);
        }
        let change = Change::to(self.looked_at_soon(now));
        tell(change, &attempt)
    }

    /// The order wants money to go back: at most what is still held. `id` comes from what asked
    /// for it, so that asking twice moves it once.
    pub fn refund_due(self, id: RefundId, amount: Money, now: Timestamp) -> Decided {
        if !self.is_paid() {
            return Err(Refusal::NothingCaptured);
        }
        let known = self.refund_of(id).is_some();
        match self.held().map(|(_, held)| held) {
            Some(held) if !known => {
                let smaller = Money::new(amount.amount.min(held.amount), amount.currency);
                self.refund(id, Some(smaller), RefundCause::Order, now)
            }
            Some(_) | None => Ok(Change::none(self)),
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
        let (attempt, held) = self.held().ok_or(Refusal::NothingCaptured)?;
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
        let (attempt, state) = (attempt.id, RefundState::Started);
        self.refunds.push(Refund { id, attempt, amount, started_at: now, cause, state });
        Ok(Change::to(self.looked_at_soon(now)))
    }

    /// The provider gave the money of a refund back.
    pub fn refunded(mut self, id: RefundId, now: Timestamp) -> Change<Self> {
        let open = |refund: &&mut Refund| refund.id == id && refund.is_open();
        let Some(refund) = self.refunds.iter_mut().find(open) else { return Change::none(self) };
        refund.state = RefundState::Done { at: now };
        let refund = refund.clone();
        let told = Refunded {
            payment_id: self.id,
            order_id: self.order_id,
            refund_id: id,
            amount: refund.amount,
            remaining: self.remaining(),
        };
        let entries = Entry::refund(self.id, &refund, now);
        entries.iter().fold(Change::to(self.looked_at_soon(now)).telling(&told), Change::row)
    }

    /// The attempt of this id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// The refund of this id.
    pub fn refund_of(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// Whether it is known how an attempt ended, or what the shopper has to do next.
    pub fn is_answered(&self, id: AttemptId) -> bool {
        self.attempt(id).is_some_and(Attempt::is_answered)
    }

    /// Whether the money of a refund went back.
    pub fn is_given_back(&self, id: RefundId) -> bool {
        self.refund_of(id).is_some_and(|refund| !refund.is_open())
    }

    /// Whether money came, whatever became of it.
    pub fn is_paid(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.captured().is_some())
    }

    /// How much of what came is still with the shop.
    pub fn remaining(&self) -> Money {
        let came = self.attempts.iter().filter(|attempt| attempt.captured().is_some());
        let went = self.refunds.iter().filter(|refund| !refund.is_open());
        let came = total(came.map(|attempt| attempt.amount));
        let went = total(went.map(|refund| refund.amount));
        Money::new(came.saturating_sub(went), self.currency())
    }

    /// The attempt whose money is held, and how much of it no refund has taken yet. There is at
    /// most one: money that comes while other money is held is given back in full at once.
    pub fn held(&self) -> Option<(&Attempt, Money)> {
        let free = |attempt: &Attempt| {
            let taken = self.refunds.iter().filter(|refund| refund.attempt == attempt.id);
            let taken = total(taken.map(|refund| refund.amount));
            let Money { amount, currency } = attempt.amount;
            Money::new(amount.saturating_sub(taken), currency)
        };
        let paid = self.attempts.iter().filter(|attempt| attempt.captured().is_some());
        paid.map(|attempt| (attempt, free(attempt))).find(|(_, free)| free.is_positive())
    }

    /// Whether the order still waits for its money.
    pub fn is_awaited(&self, now: Timestamp) -> bool {
        !self.closed && !self.is_paid() && self.pay_by.is_some_and(|pay_by| now <= pay_by)
    }

    fn may_start(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.is_paid() {
            Err(Refusal::AlreadyPaid)
        } else if self.attempts.iter().any(Attempt::is_open) {
            Err(Refusal::InProgress)
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

    /// The order was paid twice: the later money goes back. One attempt has one such refund, so
    /// its id names that as well.
    fn give_back_surplus(&mut self, attempt: &Attempt, now: Timestamp) {
        self.refunds.push(Refund {
            id: RefundId::from_uuid(attempt.id.uuid()),
            attempt: attempt.id,
            amount: attempt.amount,
            started_at: now,
            cause: RefundCause::Surplus,
            state: RefundState::Started,
        });
    }

    fn currency(&self) -> contracts::Currency {
        self.due.map_or(contracts::Currency::EUR, |due| due.amount.currency)
    }
}

/// The sum of amounts of one currency; the largest there is if it is beyond that.
fn total(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.fold(0, |sum, money| sum.saturating_add(money.amount))
}

/// What the others hear of an attempt that has come further, and what the ledger says of it.
fn tell(change: Change<Payment>, attempt: &Attempt) -> Change<Payment> {
    let (payment_id, order_id) = (change.value.id, change.value.order_id);
    let (attempt_id, amount) = (attempt.id, attempt.amount);
    match attempt.state {
        AttemptState::Started | AttemptState::Processing { .. } => change,
        AttemptState::ActionRequired { .. } => {
            change.telling(&ActionRequired { payment_id, order_id, attempt_id })
        }
        AttemptState::Captured { at: captured_at, .. } => {
            let captured = Captured { payment_id, order_id, attempt_id, amount, captured_at };
            let entries = Entry::capture(payment_id, attempt, captured_at);
            entries.iter().fold(change.telling(&captured), Change::row)
        }
        AttemptState::Declined { failure } => {
            change.telling(&Failed { payment_id, order_id, attempt_id, failure })
        }
    }
}
