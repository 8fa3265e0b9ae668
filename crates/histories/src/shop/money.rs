//! What payment hears and does, as its `events.rs`, `drive`, `inbox.rs` and `reconcile.rs` say.

use common::Change;
use contracts::order::RefundDue;
use contracts::{AttemptId, OrderId, RefundId, Timestamp};
use payment::domain::{
    Attempt, CaptureMode, Due, Entry, Outcome, Payment, Reason, Refund, RefundCause, RefundOutcome,
    Refusal, Step, Terms,
};

use super::{Heard, Shop, customer, eur};
use crate::bus::{Fact, Letter};
use crate::provider::{About, Asking, Card, Notice};

type Decided = Result<Change<Payment>, Refusal>;

impl Shop {
    pub(super) fn payment_hears(&mut self, letter: &Letter) -> Heard {
        let outcome = match &letter.fact {
            Fact::PaymentDue(it) => {
                let due = Due { customer: it.customer, amount: it.amount };
                self.change_payment(it.order_id, |payment, _| payment.ask(due, it.pay_by))
            }
            Fact::PayByExtended(it) => {
                self.change_payment(it.order_id, |payment, _| Ok(payment.wait_until(it.pay_by)))
            }
            Fact::Cancelled(it) => {
                self.change_payment(it.order_id, |payment, now| Ok(payment.cancel(now)))
            }
            Fact::Expired(it) => {
                self.change_payment(it.order_id, |payment, now| Ok(payment.close(now)))
            }
            Fact::CaptureDue(it) => self.capture_due(it.order_id),
            Fact::RefundDue(it) => self.refund_due(it, RefundId::from_uuid(letter.id)),
            other => panic!("payment does not hear {other:?}"),
        };
        match outcome {
            Ok(()) => Heard::Done,
            Err(Refusal::NothingPromised) if matches!(letter.fact, Fact::CaptureDue(_)) => {
                Heard::Waits
            }
            Err(Refusal::NothingCaptured) if matches!(letter.fact, Fact::RefundDue(_)) => {
                Heard::Waits
            }
            Err(refusal) => Heard::Dead(refusal.to_string()),
        }
    }

    fn capture_due(&mut self, order: OrderId) -> Result<(), Refusal> {
        if !self.payments.contains_key(&order) {
            return Err(Refusal::NothingPromised);
        }
        self.change_known(order, Payment::capture)?;
        let payment = self.payments[&order].clone();
        for attempt in payment.open_attempts().filter(|attempt| attempt.is_capturing()) {
            let collected = self.line.ask(|| self.provider.capture(attempt.id));
            self.hear_answer(order, attempt.id, collected);
        }
        Ok(())
    }

    fn refund_due(&mut self, due: &RefundDue, event: RefundId) -> Result<(), Refusal> {
        let refund = due.refund_id.unwrap_or(event);
        if !self.payments.contains_key(&due.order_id) {
            return Err(Refusal::NothingCaptured);
        }
        self.change_known(due.order_id, |payment, now| {
            payment.refund_due(refund, due.amount, None, now)
        })?;
        let parts: Vec<RefundId> =
            self.payments[&due.order_id].refunds_for(refund).map(|part| part.id).collect();
        for part in parts {
            self.send_refund(due.order_id, part);
        }
        Ok(())
    }
}

/// What people and providers do.
impl Shop {
    /// The shopper pays: the attempt is noted, sent, and its outcome noted, as far as the line
    /// lets it.
    pub(super) fn pay(&mut self, order: OrderId, card: Card, capture: CaptureMode) {
        let attempt = AttemptId::from_uuid(self.draw());
        let started = self.change_known(order, |payment, now| {
            let terms = Terms { provider: "model".to_owned(), capture };
            payment.start(attempt, card.method(), terms, now)
        });
        if started.is_ok() {
            let asked = asking(order, self.payments[&order].attempt(attempt).unwrap());
            let outcome = self.line.ask(|| self.provider.charge(&asked, self.now));
            self.settle_attempt(order, attempt, outcome);
        }
    }

    /// Staff give back some of what is held.
    pub(super) fn give_back(&mut self, order: OrderId, percent: u8) {
        let refund = RefundId::from_uuid(self.draw());
        let given = self.change_known(order, |payment, now| {
            let (_, held) = payment.held().ok_or(Refusal::NothingCaptured)?;
            let amount = (held.amount * i64::from(percent) / 100).max(1);
            let reason = Reason::try_from("why not".to_owned()).unwrap();
            let cause = RefundCause::Staff { by: customer(order), reason };
            payment.refund(refund, Some(eur(amount)), cause, now)
        });
        if given.is_ok() {
            let amount = self.payments[&order].refund_of(refund).unwrap().amount.amount;
            self.given.entry(order).or_default().insert(refund, amount);
            self.send_refund(order, refund);
        }
    }

    /// Payment asks the provider about what is open and due to be asked about.
    pub(super) fn reconcile(&mut self) {
        let all: Vec<OrderId> = self.payments.keys().copied().collect();
        for order in all {
            let looked = self.payments[&order].clone().look(self.now);
            let Some(payment) = looked.value else { continue };
            self.payments.insert(order, payment.clone());
            for attempt in payment.open_attempts() {
                let outcome = self.find_out(&payment, attempt);
                self.hear_answer(order, attempt.id, outcome);
            }
            for refund in payment.open_refunds() {
                self.find_refund(order, refund.key());
            }
        }
    }

    /// The provider says something by itself; it says so again if nobody understood it.
    pub(super) fn read_notice(&mut self, at: usize, again: bool) {
        let notice = self.provider.notices[at].clone();
        match self.hear_notice(&notice) {
            Ok(()) if again => {}
            Err(Refusal::NotKnown | Refusal::NothingCaptured) => {}
            Ok(()) => drop(self.provider.notices.remove(at)),
            Err(refusal) => self.dead.push(refusal.to_string()),
        }
    }

    fn hear_notice(&mut self, notice: &Notice) -> Result<(), Refusal> {
        self.change_known(notice.order, |payment, now| match &notice.about {
            About::Attempt(attempt, outcome) => match payment.attempt(*attempt) {
                Some(_) => Ok(payment.settle(*attempt, outcome, now)),
                None => Err(Refusal::NotKnown),
            },
            About::Refund(refund, outcome) => match payment.refund_of(*refund) {
                Some(_) => Ok(payment.settle_refund(*refund, *outcome, now)),
                None => Err(Refusal::NotKnown),
            },
            About::Dispute(attempt, number, amount, state) => {
                payment.dispute(*attempt, &format!("dp_{number}"), *amount, *state, now)
            }
        })
    }

    fn find_out(&mut self, payment: &Payment, attempt: &Attempt) -> Option<Outcome> {
        let (line, now) = (self.line, self.now);
        let found = line.ask(|| self.provider.look_up(attempt.id))?;
        let asked = asking(payment.order_id, attempt);
        match payment.step(attempt, found, now) {
            Step::Settle(outcome) => Some(outcome),
            Step::Send => line.ask(|| self.provider.charge(&asked, now)),
            Step::Capture => line.ask(|| self.provider.capture(attempt.id)),
            Step::CallOff => line.ask(|| self.provider.call_off(&asked)),
            Step::Leave => None,
        }
    }

    /// A refund that is open is sent for the first time.
    fn send_refund(&mut self, order: OrderId, id: RefundId) {
        let refund = self.payments[&order].refund_of(id).cloned();
        let Some(refund) = refund.filter(Refund::is_open) else { return };
        let (key, Refund { attempt, amount, .. }) = (refund.key(), refund);
        let sent = self.line.ask(|| self.provider.give_back(key, attempt, amount));
        self.settle_refund(order, key, sent);
    }

    fn find_refund(&mut self, order: OrderId, id: RefundId) {
        match self.line.ask(|| self.provider.look_up_refund(id)) {
            Some(Some(known)) => self.settle_refund(order, id, Some(known)),
            Some(None) => self.send_refund(order, id),
            None => {}
        }
    }

    fn settle_attempt(&mut self, order: OrderId, id: AttemptId, outcome: Option<Outcome>) {
        if let Some(outcome) = outcome {
            self.note(order, |payment, now| payment.settle(id, &outcome, now));
        }
    }

    /// The provider answered what it was asked about an attempt that was begun before.
    fn hear_answer(&mut self, order: OrderId, id: AttemptId, outcome: Option<Outcome>) {
        if let Some(outcome) = outcome {
            self.note(order, |payment, now| payment.answered(id, &outcome, now));
        }
    }

    fn settle_refund(&mut self, order: OrderId, id: RefundId, outcome: Option<RefundOutcome>) {
        if let Some(outcome) = outcome {
            self.note(order, |payment, now| payment.settle_refund(id, outcome, now));
        }
    }

    fn note(&mut self, order: OrderId, note: impl FnOnce(Payment, Timestamp) -> Change<Payment>) {
        self.change_known(order, |payment, now| Ok(note(payment, now))).unwrap();
    }

    /// Changes the payment of an order, which begins with the first that is heard of it.
    fn change_payment(
        &mut self,
        order: OrderId,
        decide: impl FnOnce(Payment, Timestamp) -> Decided,
    ) -> Result<(), Refusal> {
        self.payments.entry(order).or_insert_with(|| Payment::of(order));
        self.change_known(order, decide)
    }

    fn change_known(
        &mut self,
        order: OrderId,
        decide: impl FnOnce(Payment, Timestamp) -> Decided,
    ) -> Result<(), Refusal> {
        let known = self.payments.get(&order).cloned().ok_or(Refusal::NotKnown)?;
        let change = decide(known, self.now)?;
        self.bus.take(&change);
        self.ledger.extend(change.entries::<Entry>());
        self.payments.insert(order, change.value);
        Ok(())
    }
}

fn asking(order: OrderId, attempt: &Attempt) -> Asking {
    let (amount, method) = (attempt.amount, attempt.method.clone());
    Asking { attempt: attempt.id, order, amount, method, capture: attempt.terms.capture }
}
