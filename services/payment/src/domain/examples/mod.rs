//! The rules of a payment, one by one.

mod chase;
mod disputes;
mod paying;
mod promises;
mod refunds;

use std::time::Duration;

use common::Change;
use contracts::payment::Failure;
use contracts::{AttemptId, Currency, Money, OrderId, RefundId, Timestamp, UserId};

use super::{
    CaptureMode, Due, Entry, Method, Outcome, Payment, Reason, Reference, RefundCause, Terms,
};

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn pay_by() -> Timestamp {
    noon().plus(Duration::from_mins(15))
}

fn uuid(number: u8) -> uuid::Uuid {
    uuid::Uuid::from_u128(number.into())
}

fn order() -> OrderId {
    OrderId::from_uuid(uuid(1))
}

fn alice() -> UserId {
    UserId::from_uuid(uuid(2))
}

fn attempt(number: u8) -> AttemptId {
    AttemptId::from_uuid(uuid(number))
}

fn refund(number: u8) -> RefundId {
    RefundId::from_uuid(uuid(number))
}

fn visa() -> Method {
    Method::try_from("pm_card_visa".to_owned()).unwrap()
}

fn reference() -> Reference {
    Reference("ch_1".into())
}

fn captured() -> Outcome {
    Outcome::Captured { reference: reference(), amount: eur(2500) }
}

fn declined() -> Outcome {
    Outcome::Declined { failure: Failure::Declined }
}

fn capture_by() -> Timestamp {
    noon().plus(Duration::from_hours(24))
}

fn authorized() -> Outcome {
    Outcome::Authorized { reference: reference(), capture_by: capture_by() }
}

fn action_required() -> Outcome {
    Outcome::ActionRequired { reference: reference(), url: "/confirm".into() }
}

fn due() -> Payment {
    let due = Due { customer: alice(), amount: eur(2500) };
    Payment::of(order()).ask(due, pay_by()).unwrap().value
}

fn at_once() -> Terms {
    Terms { provider: "sandbox".into(), capture: CaptureMode::AtOnce }
}

fn started() -> Payment {
    due().start(attempt(1), visa(), at_once(), noon()).unwrap().value
}

fn paid() -> Payment {
    started().settle(attempt(1), &captured(), noon()).value
}

fn of_staff() -> RefundCause {
    let reason = Reason::try_from("chipped".to_owned()).unwrap();
    RefundCause::Staff { by: alice(), reason }
}

fn entered(change: &Change<Payment>) -> i64 {
    change.entries::<Entry>().iter().map(|entry| entry.amount.amount).sum()
}
