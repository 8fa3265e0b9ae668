//! What others say that moves money, or keeps it from moving.

use common::bus::{Fact, Handled, Trouble, Work};
use common::store::UpdateError;
use contracts::RefundId;
use contracts::auth::GuestMerged;
use contracts::order::{Cancelled, CaptureDue, Expired, PayByExtended, PaymentDue, RefundDue};

use crate::domain::{Due, Merged, Refusal};
use crate::store::Payments;

/// The part of the checkout saga that is about money.
pub fn saga(payments: Payments) -> Work<Payments> {
    Work::new("saga", payments)
        // Happy path
        .on(payment_due)
        .on(pay_by_extended)
        .on(guest_merged)
        .on(capture_due)
        // Compensation
        .on(order_cancelled)
        .on(order_expired)
        .on(refund_due)
}

async fn payment_due(payments: Payments, fact: Fact<PaymentDue>) -> Handled {
    let receipt = fact.receipt();
    let PaymentDue { order_id, customer, amount, pay_by } = fact.event;
    Ok(payments.ask(order_id, Due { customer, amount }, pay_by, receipt).await?)
}

async fn pay_by_extended(payments: Payments, fact: Fact<PayByExtended>) -> Handled {
    let PayByExtended { order_id, pay_by } = fact.event;
    Ok(payments.wait_until(order_id, pay_by, fact.receipt()).await?)
}

async fn guest_merged(payments: Payments, fact: Fact<GuestMerged>) -> Handled {
    let GuestMerged { guest_id: guest, user_id: account } = fact.event;
    Ok(payments.merge(Merged { guest, account }, fact.receipt()).await?)
}

async fn order_cancelled(payments: Payments, fact: Fact<Cancelled>) -> Handled {
    let receipt = fact.receipt();
    let Cancelled { order_id, reason, customer, .. } = fact.event;
    Ok(payments.cancel(order_id, reason, customer, receipt).await?)
}

/// Money that comes all the same is told: the order judges what becomes of it.
async fn order_expired(payments: Payments, fact: Fact<Expired>) -> Handled {
    Ok(payments.close(fact.event.order_id, fact.receipt()).await?)
}

/// The goods are ready to be sent. What is promised is known before the order hears of it.
async fn capture_due(payments: Payments, fact: Fact<CaptureDue>) -> Handled {
    match payments.capture_due(fact.event.order_id, fact.receipt()).await {
        Err(UpdateError::Refused(early @ Refusal::NothingPromised)) => {
            Err(Trouble::Wait(early.to_string()))
        }
        outcome => Ok(outcome?),
    }
}

/// The order names the refund, or else the event's own id: heard again, it is the same one.
async fn refund_due(payments: Payments, fact: Fact<RefundDue>) -> Handled {
    let receipt = fact.receipt();
    let RefundDue { order_id, amount, refund_id, .. } = fact.event;
    let refund = refund_id.unwrap_or_else(|| RefundId::from_uuid(fact.envelope.id.uuid()));
    match payments.refund_due(order_id, refund, amount, receipt).await {
        Err(UpdateError::Refused(early @ Refusal::NothingCaptured)) => {
            Err(Trouble::Wait(early.to_string()))
        }
        outcome => Ok(outcome?),
    }
}
