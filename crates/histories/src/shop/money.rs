//! What payment hears and does, as its `events.rs`, `drive.rs` and `reconcile.rs` say.

use common::Change;
use contracts::order::RefundDue;
use contracts::{AttemptId, OrderId, RefundId, Timestamp};
use payment::domain::{
    Attempt, CaptureMode, Due, Entry, Outcome, Payment, RefundCause, Refusal, Step, Terms,
};
use proptest::sample::Index;

use super::{Heard, Shop, eur};
use crate::bus::{Fact, Letter};
use crate::provider::{Card, Line, Notice};

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
            Fact::RefundDue(it) => self.refund_due(it, RefundId::from_uuid(letter.id)),
            other => panic!("payment does not hear {other:?}"),
        };
        match outcome {
            Ok(()) => Heard::Done,
            Err(Refusal::NothingCaptured) => Heard::Waits,
            Err(refusal) => Heard::Dead(refusal.to_string()),
        }
    }
}

/// What people and providers do.
impl Shop {
    /// The shopper pays: the attempt is noted, sent, and its outcome noted, as far as the line
    /// lets it.
    pub(super) fn pay(&mut self, order: OrderId, card: Card, line: Line) {
        let attempt = AttemptId::from_uuid(self.draw());
        let started = self.change_known(order, |payment, now| {
            let terms = Terms { provider: "model".to_owned(), capture: CaptureMode::AtOnce };
            payment.start(attempt, card.method(), terms, now)
        });
        if started.is_ok() {
            self.send(order, attempt, line);
        }
    }

    /// Staff give back some of what is held.
    pub(super) fn give_back(&mut self, order: OrderId, percent: u8, line: Line) {
        let refund = RefundId::from_uuid(self.draw());
        let given = self.change_known(order, |payment, now| {
            let (_, held) = payment.held().ok_or(Refusal::NothingCaptured)?;
            let amount = (held.amount * i64::from(percent) / 100).max(1);
            payment.refund(refund, Some(eur(amount)), RefundCause::Order, now)
        });
        if given.is_ok() {
            let amount = self.payments[&order].refund_of(refund).unwrap().amount.amount;
            self.given.entry(order).or_default().insert(refund, amount);
            self.send_refund(order, refund, line);
        }
    }

    /// Payment asks the provider about what is open and due to be asked about.
    pub(super) fn reconcile(&mut self, line: Line) {
        let all: Vec<OrderId> = self.payments.keys().copied().collect();
        for order in all {
            let looked = self.payments[&order].clone().look(self.now);
            let Some(payment) = looked.value else { continue };
            self.payments.insert(order, payment.clone());
            for attempt in payment.open_attempts() {
                if let Some(outcome) = self.find_out(&payment, attempt, line) {
                    self.note(order, |payment, now| payment.settle(attempt.id, &outcome, now));
                }
            }
            for refund in payment.open_refunds() {
                self.send_refund(order, refund.id, line);
            }
        }
    }

    /// The provider says something by itself.
    pub(super) fn read_notice(&mut self, pick: Index, again: bool) {
        if self.provider.notices.is_empty() {
            return;
        }
        let at = pick.index(self.provider.notices.len());
        let Notice { order, attempt, outcome } = if again {
            self.provider.notices[at].clone()
        } else {
            self.provider.notices.remove(at)
        };
        self.note(order, |payment, now| payment.settle(attempt, &outcome, now));
    }

    /// What is under way at the provider ends: half of it well.
    pub(super) fn provider_comes_to_its_ends(&mut self) {
        for number in 0..self.provider.charges.len() {
            self.provider.decide(|_| 0, number % 2 == 0);
        }
    }

    fn find_out(&mut self, payment: &Payment, attempt: &Attempt, line: Line) -> Option<Outcome> {
        let found = line.ask(|| self.provider.look_up(attempt.id))?;
        match payment.step(attempt, found, self.now) {
            Step::Settle(outcome) => Some(outcome),
            Step::Send => line.ask(|| {
                let (order, amount) = (payment.order_id, attempt.amount);
                self.provider.charge(attempt.id, order, amount, &attempt.method)
            }),
            Step::CallOff => line.ask(|| self.provider.call_off(attempt.id, attempt.amount)),
            Step::Leave | Step::Capture => None,
        }
    }

    fn send(&mut self, order: OrderId, id: AttemptId, line: Line) {
        let attempt = self.payments[&order].attempt(id).unwrap().clone();
        let (amount, method) = (attempt.amount, attempt.method);
        if let Some(outcome) = line.ask(|| self.provider.charge(id, order, amount, &method)) {
            self.note(order, |payment, now| payment.settle(id, &outcome, now));
        }
    }

    fn refund_due(&mut self, due: &RefundDue, event: RefundId) -> Result<(), Refusal> {
        let refund = due.refund_id.unwrap_or(event);
        self.change_known(due.order_id, |payment, now| {
            payment.refund_due(refund, due.amount, now)
        })?;
        Ok(())
    }

    fn send_refund(&mut self, order: OrderId, id: RefundId, line: Line) {
        let refund = self.payments[&order].refund_of(id).unwrap().clone();
        let sent = line.ask(|| match self.provider.look_up_refund(id) {
            Some(known) => known,
            None => self.provider.give_back(id, refund.attempt, refund.amount),
        });
        if let Some(outcome) = sent {
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
