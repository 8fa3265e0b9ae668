//! Each arrow, and what does not move.

mod between;
mod histories;
mod way;

use std::time::Duration;

use contracts::order::CancelReason;
use contracts::order::{
    Cancelled as CancelledEvent, Completed as CompletedEvent, Delivered as DeliveredEvent,
    Expired as ExpiredEvent, Paid as PaidEvent, PayByExtended, PaymentDue, Placed as PlacedEvent,
    RefundDue, RefundReason, Shipped as ShippedEvent,
};
use contracts::{AttemptId, Currency, Money, PaymentId, RefundId};
use uuid::Uuid;

use super::Status::{Cancelled, Completed, Delivered, Expired, Reserved, Shipped};
use super::*;

const TERMS: Terms = Terms {
    to_answer: Duration::from_mins(5),
    to_pay: Duration::from_mins(15),
    to_finish_paying: Duration::from_mins(5),
    to_return: Duration::from_hours(24 * 14),
};

fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn minutes(minutes: u64) -> Timestamp {
    noon().plus(Duration::from_mins(minutes))
}

fn bought() -> CheckedOut {
    CheckedOut::sample()
}

fn placed() -> Order {
    Order::place(bought(), noon()).unwrap().value
}

fn reserved() -> Order {
    placed().reserve(1, noon(), &TERMS).value
}

fn expired() -> Order {
    reserved().expire(minutes(15)).value
}

fn paid() -> Order {
    captured(reserved()).value
}

fn shipped() -> Order {
    paid().ship(parcel(), noon()).unwrap().value
}

fn delivered() -> Order {
    shipped().deliver(noon()).unwrap().value
}

fn cancelled() -> Order {
    reserved().cancel(CancelReason::Customer, noon()).unwrap().value
}

/// Paid after it had expired, and asking for its goods again.
fn paid_late() -> Order {
    captured(expired()).value
}

fn captured(order: Order) -> Change<Order> {
    let total = order.sums.total;
    order.capture(attempt(1), total, noon()).unwrap()
}

/// So much went back, and payment knows of the same captures as the order.
fn refunded(order: Order, number: u128, amount: i64) -> Outcome {
    let remaining = order.payment.remaining().map_or(0, |remaining| remaining.amount);
    let back = Back { amount: eur(amount), remaining: eur((remaining - amount).max(0)) };
    order.refunded(refund(number), back, noon())
}

/// Names one of the attempts to pay.
fn attempt(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

/// Names one of the refunds.
fn refund(number: u128) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number))
}

fn parcel() -> Parcel {
    let label = |text: &str| Label::try_from(text.to_owned()).unwrap();
    Parcel { carrier: label("Hermes"), tracking: label("H-123456") }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn refund_due(amount: i64) -> RefundDue {
    let order_id = placed().id;
    RefundDue {
        order_id,
        payment_id: PaymentId::of(order_id),
        amount: eur(amount),
        refund_id: None,
        reason: RefundReason::Unknown,
    }
}

#[track_caller]
fn changes_nothing(change: &Change<Order>, before: &Order) {
    assert!(change.is_none());
    assert_eq!(&change.value, before);
}
