//! Anything that may happen to a payment.

use std::time::Duration;

use common::Change;
use contracts::payment::Failure;
use contracts::{AttemptId, Currency, Money, RefundId, Timestamp, UserId};
use proptest::prelude::*;

use crate::domain::{
    CaptureMode, DisputeState, Due, Method, Outcome, Payment, Reference, RefundCause,
    RefundOutcome, Refusal, Terms,
};

pub(super) const AMOUNT: i64 = 2500;
const TRIES: u8 = 4;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Asked,
    Extended(u16),
    Closed,
    Cancelled,
    Starts(u8),
    Said(u8, Said),
    CaptureDue,
    RefundDue(u8, i64),
    Staff(u8, Option<i64>),
    RefundSaid(u8, RefundOutcome),
    Disputed(u8, i64, DisputeState),
    Later(u32),
    LookedAt,
}

/// What the provider may say of an attempt, true or stale.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said {
    Processing,
    ActionRequired,
    Authorized,
    Captured,
    /// Another amount than was asked for.
    CapturedOther(i64),
    Declined,
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        3 => Just(Said::Processing),
        3 => Just(Said::ActionRequired),
        6 => Just(Said::Authorized),
        6 => Just(Said::Captured),
        1 => (0..2 * AMOUNT).prop_map(Said::CapturedOther),
        4 => Just(Said::Declined),
    ]
}

fn said_of_refund() -> impl Strategy<Value = RefundOutcome> {
    prop_oneof![
        4 => Just(RefundOutcome::Done),
        1 => Just(RefundOutcome::Processing),
        2 => Just(RefundOutcome::Refused),
    ]
}

fn said_of_dispute() -> impl Strategy<Value = DisputeState> {
    prop_oneof![Just(DisputeState::Opened), Just(DisputeState::Won), Just(DisputeState::Lost)]
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::Asked),
        1 => any::<u16>().prop_map(Happening::Extended),
        1 => Just(Happening::Closed),
        1 => Just(Happening::Cancelled),
        10 => (0..TRIES).prop_map(Happening::Starts),
        16 => (0..TRIES, said()).prop_map(|(number, said)| Happening::Said(number, said)),
        4 => Just(Happening::CaptureDue),
        4 => (0..6_u8, 1..2 * AMOUNT).prop_map(|(id, amount)| Happening::RefundDue(id, amount)),
        6 => (10..16_u8, prop::option::of(-5..2 * AMOUNT))
            .prop_map(|(id, amount)| Happening::Staff(id, amount)),
        8 => (any_refund(), said_of_refund()).prop_map(|(id, said)| Happening::RefundSaid(id, said)),
        3 => (0..TRIES, 1..2 * AMOUNT, said_of_dispute())
            .prop_map(|(number, amount, state)| Happening::Disputed(number, amount, state)),
        2 => (0..600_u32).prop_map(Happening::Later),
        1 => (0..700_000_u32).prop_map(Happening::Later),
        2 => Just(Happening::LookedAt),
    ]
}

/// Those of the order, of staff, and of what came too much.
fn any_refund() -> impl Strategy<Value = u8> {
    prop_oneof![0..6_u8, 10..16_u8, 100..100 + TRIES]
}

fn uuid(number: u8) -> uuid::Uuid {
    uuid::Uuid::from_u128(number.into())
}

pub(super) fn attempt(number: u8) -> AttemptId {
    AttemptId::from_uuid(uuid(100 + number))
}

fn refund(number: u8) -> RefundId {
    RefundId::from_uuid(uuid(number))
}

pub(super) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

pub(super) fn reference() -> Reference {
    Reference("ch_1".into())
}

fn due() -> Due {
    Due { customer: UserId::from_uuid(uuid(2)), amount: eur(AMOUNT) }
}

fn method() -> Method {
    Method::try_from("pm".to_owned()).unwrap()
}

fn terms() -> Terms {
    Terms { provider: "sandbox".into(), capture: CaptureMode::AtOnce }
}

fn later(now: Timestamp, seconds: u32) -> Timestamp {
    now.plus(Duration::from_secs(seconds.into()))
}

/// What is decided; nothing for time that passes, and for what is drawn anew each time and so never
/// comes up twice.
pub(super) fn decide(
    payment: Payment,
    happening: &Happening,
    now: Timestamp,
) -> Option<Result<Change<Payment>, Refusal>> {
    let decided = match *happening {
        Happening::Asked => payment.ask(due(), later(now, 900)),
        Happening::Extended(by) => Ok(payment.wait_until(later(now, by.into()))),
        Happening::Closed => Ok(payment.close(now)),
        Happening::Cancelled => Ok(payment.cancel(now)),
        Happening::Starts(number) if payment.attempt(attempt(number)).is_none() => {
            payment.start(attempt(number), method(), terms(), now)
        }
        Happening::Said(number, said) => {
            Ok(payment.settle(attempt(number), &outcome(said, now), now))
        }
        Happening::CaptureDue => payment.capture(now),
        Happening::RefundDue(id, amount) => payment.refund_due(refund(id), eur(amount), None, now),
        Happening::Staff(id, amount) if payment.refund_of(refund(id)).is_none() => {
            payment.refund(refund(id), amount.map(eur), RefundCause::Order, now)
        }
        Happening::RefundSaid(id, said) => Ok(payment.settle_refund(refund(id), said, now)),
        Happening::Disputed(number, amount, state) => {
            let name = if amount % 2 == 0 { "dp_1" } else { "dp_2" };
            payment.dispute(attempt(number), name, eur(amount), state, now)
        }
        Happening::LookedAt => {
            let known = payment.clone();
            Ok(payment.look(now).map(|looked| looked.unwrap_or(known)))
        }
        Happening::Starts(_) | Happening::Staff(..) | Happening::Later(_) => return None,
    };
    Some(decided)
}

/// The time after something happened.
pub(super) fn after(happening: &Happening, now: Timestamp) -> Timestamp {
    match happening {
        Happening::Later(by) => later(now, *by),
        _ => now,
    }
}

fn outcome(said: Said, now: Timestamp) -> Outcome {
    let reference = reference();
    match said {
        Said::Processing => Outcome::Processing { reference },
        Said::ActionRequired => Outcome::ActionRequired { reference, url: "/confirm".into() },
        Said::Authorized => Outcome::Authorized { reference, capture_by: later(now, 604_800) },
        Said::Captured => Outcome::Captured { reference, amount: eur(AMOUNT) },
        Said::CapturedOther(amount) => Outcome::Captured { reference, amount: eur(amount) },
        Said::Declined => Outcome::Declined { failure: Failure::Declined },
    }
}
