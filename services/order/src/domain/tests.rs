//! Each arrow, and what does not move.

mod between;
mod histories;
mod way;

use std::time::Duration;

use contracts::order::{
    CancelReason, Cancelled as CancelledEvent, Completed as CompletedEvent,
    Delivered as DeliveredEvent, Expired as ExpiredEvent, Paid as PaidEvent, PayByExtended,
    PaymentDue, Placed as PlacedEvent, RefundDue, RefundReason, Refunded as RefundedEvent,
    Shipped as ShippedEvent,
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
    paid().ship(shipment(), noon()).unwrap().value
}

fn delivered() -> Order {
    shipped().deliver(None, noon()).unwrap().value
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

fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).unwrap()
}

/// Everything that is left, in one parcel.
fn shipment() -> Shipment {
    Shipment { carrier: label("Hermes"), tracking: label("H-123456"), goods: None }
}

fn note() -> Note {
    Note::try_from("Arrived broken".to_owned()).unwrap()
}

/// One of several addresses.
fn address(number: u32) -> Address {
    Address {
        name: label("Ada Lovelace"),
        street: label(&format!("Marktstr. {number}")),
        extra: None,
        postal_code: label("10115"),
        city: label("Berlin"),
        region: None,
        country: Country::try_from("DE".to_owned()).unwrap(),
    }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// What is to go back, and why.
fn due(change: &Change<Order>) -> Vec<(i64, RefundReason)> {
    let due = change.told::<RefundDue>();
    due.iter().map(|due| (due.amount.amount, due.reason)).collect()
}

#[track_caller]
fn changes_nothing(change: &Change<Order>, before: &Order) {
    assert!(change.is_none());
    assert_eq!(&change.value, before);
}
