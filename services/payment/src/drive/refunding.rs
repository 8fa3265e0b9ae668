//! Money that goes back.

use common::store::{Answer, Begun, Cause, One, Receipt};
use contracts::{Money, OrderId, PaymentId, RefundId};
use tracing::info;

use super::name;
use crate::domain::{AskedBy, Payment, RefundCause, RefundOutcome, Refusal};
use crate::store::{Payments, Updated};

impl Payments {
    /// Gives money back because a member of staff says so, all that is held when no amount is
    /// given. What cannot be sent now is sent later.
    pub async fn refund(
        &self,
        id: PaymentId,
        amount: Option<Money>,
        cause: RefundCause,
        receipt: Receipt,
        show: fn(&Payment, RefundId) -> Answer,
    ) -> Updated<Answer> {
        let fresh = RefundId::from_uuid(self.clock().uuid());
        let start = move |known: Option<Payment>, now| {
            known.ok_or(Refusal::NotKnown)?.refund(fresh, amount, cause.clone(), now)
        };
        let named = move |_: &Payment| fresh.to_string();
        let refund = match self.store.begin(One(id), receipt.clone(), start, named).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Running { attempt } => name(&attempt)?,
            Begun::New(begun) => {
                info!(refund.id = %fresh, payment.id = %id, "refund started");
                let outcome = self.give_back(&begun, fresh).await;
                if let Some(outcome) = outcome.filter(|said| *said != RefundOutcome::Processing) {
                    let note =
                        move |payment: Payment, now| payment.settle_refund(fresh, outcome, now);
                    return self.finish(id, receipt, note, move |paid| show(paid, fresh)).await;
                }
                fresh
            }
        };
        let is_known = move |payment: &Payment| payment.is_refund_answered(refund);
        self.answer(id, receipt, is_known, move |payment| show(payment, refund)).await
    }

    /// Gives money back because the order says so. What cannot be sent now is sent later.
    pub async fn refund_due(
        &self,
        order: OrderId,
        refund: RefundId,
        amount: Money,
        receipt: Receipt,
    ) -> Updated<()> {
        let id = PaymentId::of(order);
        let cause = receipt.cause().clone();
        let asked_by = Some(asked_by(&cause));
        let start = move |known: Option<Payment>, now| {
            let payment = known.ok_or(Refusal::NothingCaptured)?;
            payment.refund_due(refund, amount, asked_by.clone(), now)
        };
        let Some(payment) = self.store.apply(One(id), receipt, start).await? else { return Ok(()) };
        for part in payment.refunds_for(refund).filter(|part| part.is_open()) {
            if let Some(outcome) = self.give_back(&payment, part.id).await {
                let key = part.key();
                let note = move |payment: Payment, now| payment.settle_refund(key, outcome, now);
                self.note(id, Receipt::none(cause.clone()), note).await?;
            }
        }
        Ok(())
    }
}

fn asked_by(cause: &Cause) -> AskedBy {
    AskedBy {
        event: cause.causation_id.clone(),
        conversation: cause.correlation_id.clone(),
        trace: cause.traceparent.clone(),
    }
}
