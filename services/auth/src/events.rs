//! What auth hears of orders: who ordered something, so that it forgets nobody who did, and what
//! became of it, so that it writes to them.

use common::bus::{Fact, Handled, Work};
use common::store::Cause;
use contracts::Envelope;
use contracts::order::{Paid, Placed, Refunded, Shipped, TrackingCorrected};

use crate::domain::About;
use crate::store::{Accounts, Told};

/// Keeps guests who ordered.
pub(crate) fn guests(accounts: Accounts) -> Work<Accounts> {
    Work::new("guests", accounts).on(order_placed)
}

/// Writes to who bought. The address stays here: nobody else needs to know it.
pub(crate) fn mail(accounts: Accounts) -> Work<Accounts> {
    let hearing = Work::new("mail", accounts).on(order_received).on(order_paid);
    hearing.on(parcel_shipped).on(tracking_corrected).on(money_refunded)
}

async fn order_placed(accounts: Accounts, fact: Fact<Placed>) -> Handled {
    let Some(customer) = fact.event.customer else { return Ok(()) };
    Ok(accounts.ordered(customer, Cause::heard(&fact.envelope)).await?)
}

/// An order that asks for its goods again was received before.
async fn order_received(accounts: Accounts, fact: Fact<Placed>) -> Handled {
    let Placed { order_id, round, customer, .. } = fact.event;
    let Some(customer) = customer.filter(|_| round == 1) else { return Ok(()) };
    let cause = Cause::heard(&fact.envelope);
    Ok(accounts.received(order_id, customer, told(&fact.envelope), cause).await?)
}

async fn order_paid(accounts: Accounts, fact: Fact<Paid>) -> Handled {
    let about = About::Paid { order: fact.event.order_id };
    Ok(accounts.tell(about, told(&fact.envelope), Cause::heard(&fact.envelope)).await?)
}

async fn parcel_shipped(accounts: Accounts, fact: Fact<Shipped>) -> Handled {
    let Shipped { order_id: order, parcel, carrier, tracking, more_to_come, .. } = fact.event;
    let about = About::Shipped { order, parcel, carrier, tracking, more_to_come };
    Ok(accounts.tell(about, told(&fact.envelope), Cause::heard(&fact.envelope)).await?)
}

/// Each correction is a mail of its own, named by its event.
async fn tracking_corrected(accounts: Accounts, fact: Fact<TrackingCorrected>) -> Handled {
    let TrackingCorrected { order_id: order, parcel, carrier, tracking } = fact.event;
    let event = fact.envelope.id;
    let about = About::Corrected { order, parcel, carrier, tracking, event };
    Ok(accounts.tell(about, told(&fact.envelope), Cause::heard(&fact.envelope)).await?)
}

async fn money_refunded(accounts: Accounts, fact: Fact<Refunded>) -> Handled {
    let Refunded { order_id: order, refund_id: refund, amount, reason } = fact.event;
    let about = About::Refunded { order, refund, amount, reason };
    Ok(accounts.tell(about, told(&fact.envelope), Cause::heard(&fact.envelope)).await?)
}

/// When an event happened, and where it stands among those of its order.
fn told(envelope: &Envelope) -> Told {
    let sequence = i64::try_from(envelope.sequence()).unwrap_or(i64::MAX);
    Told { at: envelope.time, sequence }
}
