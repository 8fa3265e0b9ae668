//! Money that is promised first and collected later.

use contracts::payment::{Authorized, CaptureFailed, Captured, Failed, Failure};

use super::*;
use crate::domain::{AttemptState, RefundOutcome, Refusal, Status, Step};

fn promised() -> Payment {
    started().settle(attempt(1), &authorized(), noon()).value
}

fn ended() -> Outcome {
    Outcome::Declined { failure: Failure::AuthorizationEnded }
}

fn step(payment: &Payment, found: Option<Outcome>, now: Timestamp) -> Step {
    payment.step(payment.attempt(attempt(1)).unwrap(), found, now)
}

#[test]
fn a_promise_is_told_and_nothing_entered() {
    let change = started().settle(attempt(1), &authorized(), noon());

    let told = change.told::<Authorized>();
    assert_eq!((told[0].amount, told[0].capture_by), (eur(2500), capture_by()));
    assert!(change.entries::<Entry>().is_empty());
    let payment = change.value;
    assert_eq!((payment.status(), payment.is_paid()), (Some(Status::Authorized), false));
    assert_eq!(payment.look_at, Some(capture_by()));
    let refused = payment.start(attempt(2), visa(), at_once(), noon()).unwrap_err();
    assert_eq!(refused, Refusal::AlreadyPaid);
}

#[test]
fn what_is_promised_is_collected_when_it_is_due() {
    let asked = promised().capture(noon()).unwrap();
    assert!(asked.tells_nothing());
    assert!(matches!(asked.value.attempts[0].state, AttemptState::Capturing { .. }));
    assert!(asked.value.clone().capture(noon()).unwrap().is_none());

    let change = asked.value.settle(attempt(1), &captured(), noon());

    assert_eq!(change.told::<Captured>().len(), 1);
    assert_eq!(change.value.status(), Some(Status::Captured));
    assert!(change.value.capture(noon()).unwrap().is_none());
}

#[test]
fn a_promise_that_ends_is_told_while_the_order_counts_on_it() {
    let lapsed = promised().settle(attempt(1), &ended(), noon());
    let refused = promised().capture(noon()).unwrap().value.settle(attempt(1), &ended(), noon());
    let expired = promised().close(noon()).value.settle(attempt(1), &ended(), noon());

    for change in [lapsed, refused, expired] {
        assert_eq!(change.told::<CaptureFailed>()[0].failure, Failure::AuthorizationEnded);
        assert!(change.told::<Failed>().is_empty());
        let again = change.value.capture(noon()).unwrap();
        assert_eq!(again.told::<CaptureFailed>().len(), 1, "who asks late hears of it again");
    }
}

#[test]
fn a_promise_to_a_cancelled_order_is_called_off_and_nothing_told() {
    let cancelled = promised().cancel(noon()).value;
    assert!(cancelled.look_at < Some(capture_by()));
    assert_eq!(step(&cancelled, Some(authorized()), noon()), Step::CallOff);
    assert!(cancelled.clone().capture(noon()).unwrap().is_none());

    let change = cancelled.settle(attempt(1), &ended(), noon());

    assert!(change.tells_nothing());
    assert_eq!((change.value.status(), change.value.look_at), (Some(Status::Declined), None));
}

#[test]
fn a_capture_that_cancelling_came_too_late_for_is_told() {
    let cancelled = promised().capture(noon()).unwrap().value.cancel(noon()).value;
    assert_eq!(step(&cancelled, Some(authorized()), noon()), Step::CallOff);

    let change = cancelled.settle(attempt(1), &captured(), noon());

    assert_eq!(change.told::<Captured>().len(), 1, "the order gives it back");
}

#[test]
fn a_promise_that_comes_too_late_is_called_off() {
    let closed = started().close(noon()).value;

    let change = closed.settle(attempt(1), &authorized(), noon());

    assert!(change.tells_nothing());
    assert_eq!(change.value.status(), Some(Status::Processing));
    assert_eq!(step(&change.value, Some(authorized()), noon()), Step::CallOff);
    let off = change.value.settle(attempt(1), &ended(), noon());
    assert_eq!(off.told::<Failed>().len(), 1);
}

#[test]
fn a_promise_of_an_attempt_that_failed_is_old_news() {
    let failed = started().settle(attempt(1), &declined(), noon()).value;

    assert!(failed.settle(attempt(1), &authorized(), noon()).is_none());
}

#[test]
fn a_promise_beside_money_that_came_is_called_off() {
    let failed = started().settle(attempt(1), &declined(), noon()).value;
    let again = failed.start(attempt(2), visa(), at_once(), noon()).unwrap().value;
    let promised = again.settle(attempt(2), &authorized(), noon()).value;

    let paid = promised.settle(attempt(1), &captured(), noon()).value;

    let second = paid.attempt(attempt(2)).unwrap();
    assert_eq!(paid.step(second, Some(authorized()), noon()), Step::CallOff);
    let change = paid.settle(attempt(2), &ended(), noon());
    assert!(change.tells_nothing(), "the order has its money");
    assert_eq!(change.value.status(), Some(Status::Captured));
}

#[test]
fn less_than_was_promised_is_no_payment() {
    let asked = promised().capture(noon()).unwrap().value;
    let some = Outcome::Captured { reference: reference(), amount: eur(1000) };

    let change = asked.settle(attempt(1), &some, noon());

    assert_eq!(change.told::<CaptureFailed>()[0].failure, Failure::WrongAmount);
    let back = change.value.refunds[0].clone();
    assert_eq!(back.amount, eur(1000));
    let done = change.value.settle_refund(back.id, RefundOutcome::Done, noon()).value;
    assert_eq!(done.look_at, None);
}

#[test]
fn a_promise_rests_until_it_ends() {
    let early = capture_by().minus(Duration::from_millis(1));

    assert_eq!(step(&promised(), Some(authorized()), early), Step::Leave);
    assert_eq!(step(&promised(), Some(authorized()), capture_by()), Step::CallOff);
    assert_eq!(step(&promised(), Some(ended()), early), Step::Settle(ended()));
    assert_eq!(step(&promised(), None, early), Step::CallOff);
}

#[test]
fn a_capture_is_sent_until_it_is_known() {
    let asked = promised().capture(noon()).unwrap().value;

    assert_eq!(step(&asked, Some(authorized()), noon()), Step::Capture);
    assert_eq!(step(&asked, Some(captured()), noon()), Step::Settle(captured()));
    let never = noon().plus(Duration::from_hours(24));
    let away = never.minus(Duration::from_millis(1));
    assert_eq!(step(&asked, Some(authorized()), away), Step::Capture, "nobody could be asked");
    assert_eq!(step(&asked, Some(authorized()), never), Step::CallOff);
}

#[test]
fn a_capture_that_is_refused_is_called_off_within_minutes_and_told() {
    let asked = promised().capture(noon()).unwrap().value;
    let away = noon().plus(Duration::from_hours(2));
    let refused = asked.answered(attempt(1), &authorized(), away);
    assert!(refused.tells_nothing() && refused.value.look_at.is_some());
    let again = away.plus(Duration::from_mins(1));
    let refused = refused.value.answered(attempt(1), &authorized(), again).value;

    let over = away.plus(Duration::from_mins(2));

    let before = over.minus(Duration::from_millis(1));
    assert_eq!(step(&refused, Some(authorized()), before), Step::Capture);
    assert_eq!(step(&refused, Some(authorized()), over), Step::CallOff);
    assert_eq!(step(&refused, Some(captured()), over), Step::Settle(captured()));
    let off = refused.answered(attempt(1), &ended(), over);
    assert_eq!(off.told::<CaptureFailed>().len(), 1);
    assert_eq!(off.value.status(), Some(Status::Declined));
}

#[test]
fn what_is_heard_by_chance_of_a_promise_is_no_refusal_to_collect_it() {
    let asked = promised().capture(noon()).unwrap().value;

    assert!(asked.settle(attempt(1), &authorized(), noon()).is_none());
}

#[test]
fn nothing_is_collected_that_was_not_promised() {
    assert_eq!(due().capture(noon()).unwrap_err(), Refusal::NothingPromised);
    assert_eq!(started().capture(noon()).unwrap_err(), Refusal::NothingPromised);
}
