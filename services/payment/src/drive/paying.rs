//! Money that comes.

use common::store::{Answer, Begun, One, Receipt};
use contracts::{AttemptId, OrderId, PaymentId};
use tracing::info;

use super::name;
use crate::domain::{Method, Outcome, Payment, People, Refusal};
use crate::store::{Payments, Updated};

impl Payments {
    /// Pays for an order. A repeat sends nothing: it waits for what the first one began, and gives
    /// the same answer; that is kept as soon as it is known what became of the attempt.
    pub async fn pay(
        &self,
        order: OrderId,
        method: Method,
        people: People,
        receipt: Receipt,
        show: fn(&Payment, AttemptId) -> Answer,
    ) -> Updated<Answer> {
        let (id, fresh) = (PaymentId::of(order), AttemptId::from_uuid(self.clock().uuid()));
        let terms = self.providers.terms();
        let start = move |known: Option<Payment>, now| {
            let payment = known.ok_or(Refusal::NotKnown);
            let payment = payment.and_then(|payment| payment.of_people(&people));
            let start = |payment: Payment| payment.start(fresh, method.clone(), terms.clone(), now);
            payment.and_then(start).map_err(|refusal| refusal.of_order(order, now))
        };
        let named = move |_: &Payment| fresh.to_string();
        let attempt = match self.store.begin(One(id), receipt.clone(), start, named).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Running { attempt } => name(&attempt)?,
            Begun::New(begun) => {
                info!(attempt.id = %fresh, order.id = %order, "attempt started");
                let sent = self.sent(&begun, fresh).await;
                let is_promise = matches!(sent, Some(Outcome::Authorized { .. }));
                if let Some(outcome) = sent {
                    let settle = move |payment: Payment, now| payment.settle(fresh, &outcome, now);
                    if !is_promise {
                        let show = move |paid: &Payment| show(paid, fresh);
                        return self.finish(id, receipt, settle, show).await;
                    }
                    // An order that was given up meanwhile has no use for a promise: what then
                    // becomes of the attempt is the answer.
                    self.note(id, Receipt::none(receipt.cause().clone()), settle).await?;
                }
                fresh
            }
        };
        let is_answered = move |payment: &Payment| payment.is_answered(attempt);
        self.answer(id, receipt, is_answered, move |payment| show(payment, attempt)).await
    }

    /// Collects the money that is promised because the order is ready to be sent. What cannot be
    /// collected now is collected later.
    pub async fn capture_due(&self, order: OrderId, receipt: Receipt) -> Updated<()> {
        let id = PaymentId::of(order);
        let begin =
            move |known: Option<Payment>, now| known.ok_or(Refusal::NothingPromised)?.capture(now);
        let cause = receipt.cause().clone();
        let Some(payment) = self.store.apply(One(id), receipt, begin).await? else { return Ok(()) };
        for attempt in payment.open_attempts().filter(|attempt| attempt.is_capturing()) {
            info!(attempt.id = %attempt.id, order.id = %order, "capture started");
            if let Some(outcome) = self.collect(&payment, attempt).await {
                let attempt = attempt.id;
                let settle = move |payment: Payment, now| payment.answered(attempt, &outcome, now);
                self.note(id, Receipt::none(cause.clone()), settle).await?;
            }
        }
        Ok(())
    }

    /// What came of an attempt that was just begun, if that is worth an answer.
    async fn sent(&self, payment: &Payment, id: AttemptId) -> Option<Outcome> {
        let outcome = self.send(payment, payment.attempt(id)?).await;
        outcome.filter(Outcome::is_answer)
    }
}
