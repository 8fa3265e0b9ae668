//! Each arrow, and what does not move.

mod addresses;
mod between;
mod histories;
mod parcels;
mod promises;
mod refunds;
mod returns;
mod room;
mod way;

use std::time::Duration;

use contracts::order::{
    CancelReason, Cancelled as CancelledEvent, Completed as CompletedEvent,
    Delivered as DeliveredEvent, Expired as ExpiredEvent, Paid as PaidEvent, PayByExtended,
    PaymentDue, Placed as PlacedEvent, RefundDue, RefundReason, Refunded as RefundedEvent,
    RestockDue, Shipped as ShippedEvent, TrackingCorrected,
};
use contracts::payment::{RefundCause, RefundFailure};
use contracts::{
    AttemptId, Country, Currency, Money, PaymentId, Quantity, RefundId, ReturnId, cart,
};
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
    reserved().cancel(CancelReason::Customer, None, noon()).unwrap().value
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
    let back = Back {
        amount: eur(amount),
        remaining: eur((remaining - amount).max(0)),
        cause: RefundCause::Order,
    };
    order.refunded(refund(number), back, noon())
}

/// The provider refused it.
fn not_back() -> NotBack {
    NotBack { amount: eur(0), failure: RefundFailure::Refused, cause: RefundCause::Order }
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
    Shipment { carrier: Some(label("Hermes")), tracking: Some(label("H-123456")), goods: None }
}

fn note() -> Note {
    Note::try_from("Arrived broken".to_owned()).unwrap()
}

/// One of several addresses.
fn address(number: u32) -> Address {
    Address {
        name: label("Ada Lovelace"),
        line1: label(&format!("Marktstr. {number}")),
        line2: None,
        postal_code: Some(label("10115")),
        city: Some(label("Berlin")),
        region: None,
        phone: None,
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

/// Three mugs at 7.00 and a plate at 10.00, with a discount, shipping and tax: 32.99 in all.
fn bought_much() -> CheckedOut {
    let line = |sku: &str, pieces: u32, unit: i64| cart::Line {
        sku: sku.parse().unwrap(),
        quantity: Quantity::new(pieces).unwrap(),
        unit_price: eur(unit),
        line_total: eur(unit * i64::from(pieces)),
        ..bought().lines.remove(0)
    };
    CheckedOut {
        lines: vec![line("MUG", 3, 700), line("PLATE", 1, 1000)],
        subtotal: eur(3100),
        discount: eur(601),
        shipping: eur(500),
        tax: eur(300),
        total: eur(3299),
        ..bought()
    }
}

fn goods([mugs, plates]: [u32; 2]) -> Goods {
    let sku = |text: &str| text.parse().unwrap();
    [(sku("MUG"), mugs), (sku("PLATE"), plates)].into_iter().collect()
}

/// Names one of the returns.
fn goods_back(number: u128) -> ReturnId {
    ReturnId::from_uuid(Uuid::from_u128(number))
}

/// Three mugs and a plate, paid.
fn paid_much() -> Order {
    let placed = Order::place(bought_much(), noon()).unwrap().value;
    captured(placed.reserve(1, noon(), &TERMS).value).value
}

/// The same, of which this was sent with this number on the parcel.
fn sent(order: Order, number: u32, pieces: [u32; 2]) -> Change<Order> {
    order.ship(in_parcel(number, Some(pieces)), noon()).unwrap()
}

fn in_parcel(number: u32, pieces: Option<[u32; 2]>) -> Shipment {
    let tracking = Some(label(&format!("H-{number}")));
    Shipment { tracking, goods: pieces.map(goods), ..shipment() }
}

/// Staff give the money of these pieces back.
fn giving_back(number: u128, pieces: [u32; 2]) -> GivingBack {
    let (id, goods) = (refund(number), goods(pieces));
    GivingBack { id, goods, shipping: false, restock: true, note: note() }
}

#[track_caller]
fn changes_nothing(change: &Change<Order>, before: &Order) {
    assert!(change.is_none());
    assert_eq!(&change.value, before);
}
