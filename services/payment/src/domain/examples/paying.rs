//! Trying to pay.

use std::time::Duration;

use contracts::order::CancelReason;
use contracts::payment::{ActionRequired, AttemptStarted, Captured, Failed, Failure, Refunded};
use contracts::{Currency, Money, UserId};

use super::*;
use crate::domain::{Act, People, Refund, RefundOutcome, RefundState, Refusal, Status};

#[test]
fn every_attempt_is_told() {
    let first = due().start(attempt(1), visa(), at_once(), noon()).unwrap();
    let failed = first.value.clone().settle(attempt(1), &declined(), noon()).value;
    let second = failed.start(attempt(2), visa(), at_once(), noon()).unwrap();

    assert_eq!(first.told::<AttemptStarted>().len(), 1);
    assert_eq!(second.told::<AttemptStarted>()[0].attempt_id, attempt(2));
}

#[test]
fn only_one_attempt_is_open_at_a_time() {
    let refused = started().start(attempt(2), visa(), at_once(), noon()).unwrap_err();

    assert_eq!(refused, Refusal::InProgress);
}

#[test]
fn what_needs_confirming_is_still_in_progress() {
    let change = started().settle(attempt(1), &action_required(), noon());

    assert_eq!(change.told::<ActionRequired>().len(), 1);
    assert_eq!(change.value.status(), Some(Status::RequiresAction));
    assert_eq!(
        change.value.start(attempt(2), visa(), at_once(), noon()).unwrap_err(),
        Refusal::InProgress
    );
}

#[test]
fn a_captured_attempt_is_told_and_entered_twice() {
    let change = started().settle(attempt(1), &captured(), noon());

    let told = change.told::<Captured>();
    assert_eq!((told.len(), told[0].amount, told[0].attempt_id), (1, eur(2500), attempt(1)));
    assert_eq!((change.entries::<Entry>().len(), entered(&change)), (2, 0));
    assert_eq!(change.value.status(), Some(Status::Captured));
    assert_eq!(change.value.look_at, None);
}

#[test]
fn a_declined_attempt_is_told_and_another_may_follow() {
    let change = started().settle(attempt(1), &declined(), noon());

    assert_eq!(change.told::<Failed>()[0].failure, Failure::Declined);
    assert_eq!(change.value.status(), Some(Status::Declined));
    assert!(change.value.start(attempt(2), visa(), at_once(), noon()).is_ok());
}

#[test]
fn an_outcome_that_is_no_news_changes_nothing() {
    for outcome in [captured(), declined(), action_required()] {
        assert!(paid().settle(attempt(1), &outcome, noon()).is_none(), "{outcome:?}");
    }
    assert!(started().settle(attempt(9), &captured(), noon()).is_none());
}

#[test]
fn money_that_comes_after_all_is_told() {
    let failed = started().settle(attempt(1), &declined(), noon()).value.close(noon()).value;

    let change = failed.settle(attempt(1), &captured(), noon());

    assert_eq!(change.told::<Captured>().len(), 1);
    assert_eq!(change.value.status(), Some(Status::Captured));
}

#[test]
fn money_that_comes_twice_goes_back_in_full() {
    let failed = started().settle(attempt(1), &declined(), noon()).value;
    let again = failed.start(attempt(2), visa(), at_once(), noon()).unwrap().value;
    let paid = again.settle(attempt(2), &captured(), noon()).value;

    let twice = paid.settle(attempt(1), &captured(), noon()).value;

    let back: Vec<&Refund> = twice.open_refunds().collect();
    assert_eq!((back.len(), back[0].amount, back[0].attempt), (1, eur(2500), attempt(1)));
    let settled = twice.clone().settle_refund(back[0].id, RefundOutcome::Done, noon());
    assert_eq!(settled.told::<Refunded>()[0].remaining, eur(2500));
    assert_eq!(settled.value.status(), Some(Status::Captured));
    assert_eq!(settled.value.held().map(|(held, _)| held.id), Some(attempt(2)));
}

#[test]
fn money_that_comes_after_the_first_went_back_goes_back_as_well() {
    let failed = started().settle(attempt(1), &declined(), noon()).value;
    let again = failed.start(attempt(2), visa(), at_once(), noon()).unwrap().value;
    let paid = again.settle(attempt(2), &captured(), noon()).value;
    let returned = paid.refund_due(refund(1), eur(2500), None, noon()).unwrap().value;

    let late = returned.clone().settle(attempt(1), &captured(), noon()).value;
    let given_up = returned.cancel(noon()).value.settle(attempt(1), &captured(), noon()).value;

    assert_eq!((late.open_refunds().count(), late.held()), (2, None));
    // An order that was given up for good asks for it itself.
    assert_eq!(given_up.open_refunds().count(), 1);
    assert_eq!(given_up.held().map(|(held, _)| held.id), Some(attempt(1)));
}

#[test]
fn no_attempt_starts_after_the_time_to_pay() {
    let late = pay_by().plus(Duration::from_millis(1));

    assert!(due().start(attempt(1), visa(), at_once(), pay_by()).is_ok());
    assert_eq!(due().start(attempt(1), visa(), at_once(), late).unwrap_err(), Refusal::TooLate);
    assert!(due().wait_until(late).value.start(attempt(1), visa(), at_once(), late).is_ok());
    assert_eq!(due().wait_until(noon()).value.pay_by, Some(pay_by()));
}

#[test]
fn an_order_given_up_before_its_payment_was_due_is_not_payable() {
    let closed = Payment::of(order()).close(noon()).value;

    let due = Due { customer: alice(), amount: eur(2500) };
    let payment = closed.ask(due, pay_by()).unwrap().value;

    assert_eq!(payment.start(attempt(1), visa(), at_once(), noon()).unwrap_err(), Refusal::Closed);
}

#[test]
fn a_paid_order_is_not_paid_again() {
    assert_eq!(
        paid().start(attempt(2), visa(), at_once(), noon()).unwrap_err(),
        Refusal::AlreadyPaid
    );
}

#[test]
fn cancelled_order_is_not_payable_whatever_became_of_its_money() {
    let promised = started().settle(attempt(1), &authorized(), noon()).value;
    let collected = promised.clone().capture(noon()).unwrap().value;
    let given_back = paid().refund(refund(9), None, of_staff(), noon()).unwrap().value;
    let confirming = started().settle(attempt(1), &action_required(), noon()).value;

    for payment in [due(), started(), confirming, promised, collected, paid(), given_back] {
        for reason in [CancelReason::Customer, CancelReason::Refunded] {
            let cancelled = payment.clone().cancel_for(reason, None, noon()).value;
            let refused = cancelled.start(attempt(2), visa(), at_once(), noon()).unwrap_err();
            assert_eq!(refused, Refusal::Cancelled(reason));
        }
    }
    let why = Refusal::Cancelled(CancelReason::Refunded).to_string();
    assert_eq!(why, "the order was cancelled: the shop gives its money back");
}

#[test]
fn nobody_tries_for_ever() {
    let mut payment = due();
    for number in 0..20 {
        let tried = payment.start(attempt(number), visa(), at_once(), noon()).unwrap().value;
        payment = tried.settle(attempt(number), &declined(), noon()).value;
    }

    assert_eq!(
        payment.start(attempt(99), visa(), at_once(), noon()).unwrap_err(),
        Refusal::TooManyAttempts
    );
}

#[test]
fn a_payment_is_its_customers_alone() {
    let bob = UserId::from_uuid(uuid(3));

    assert_eq!(due().of_people(&People::of([bob])).unwrap_err(), Refusal::NotKnown);
    assert!(due().of_people(&People::of([bob, alice()])).is_ok());
    assert_eq!(Payment::of(order()).of_people(&People::of([bob])).unwrap_err(), Refusal::NotKnown);
}

#[test]
fn another_amount_than_was_asked_for_goes_back_in_full() {
    for came in [eur(1), eur(2499), eur(2501), Money::new(2500, "USD".parse::<Currency>().unwrap())]
    {
        let outcome = Outcome::Captured { reference: reference(), amount: came };
        let change = started().settle(attempt(1), &outcome, noon());

        assert!(change.told::<Captured>().is_empty());
        assert_eq!(change.told::<Failed>()[0].failure, Failure::WrongAmount);
        assert_eq!(entered(&change), 0);
        let payment = change.value;
        assert_eq!((payment.status(), payment.is_paid()), (Some(Status::Declined), false));
        let back = payment.refunds[0].clone();
        assert_eq!((back.amount, back.cause), (came, RefundCause::WrongAmount));
        let done = payment.clone().settle_refund(back.id, RefundOutcome::Done, noon());
        assert!(done.tells_nothing(), "the order never heard of this money");
        assert_eq!(done.entries::<Entry>().len(), 2);
        assert!(payment.start(attempt(2), visa(), at_once(), noon()).is_ok());
    }
}

#[test]
fn another_amount_that_comes_after_all_goes_back_as_well() {
    let outcome = Outcome::Captured { reference: reference(), amount: eur(7) };

    let change = started().settle(attempt(1), &declined(), noon()).value;
    let change = change.settle(attempt(1), &outcome, noon());

    assert!(change.tells_nothing(), "that it came to nothing was told");
    assert_eq!(change.value.refunds[0].amount, eur(7));
    assert!(change.value.settle(attempt(1), &captured(), noon()).is_none());
}

#[test]
fn nothing_that_came_is_a_failure() {
    let outcome = Outcome::Captured { reference: reference(), amount: eur(0) };

    let change = started().settle(attempt(1), &outcome, noon());

    assert_eq!(change.told::<Failed>()[0].failure, Failure::WrongAmount);
    assert!(change.value.refunds.is_empty());
    assert!(change.entries::<Entry>().is_empty());
}

#[test]
fn money_that_could_not_go_back_can_be_given_by_staff() {
    let outcome = Outcome::Captured { reference: reference(), amount: eur(7) };
    let wrong = started().settle(attempt(1), &outcome, noon()).value;
    let id = wrong.refunds[0].id;

    let stuck = wrong.settle_refund(id, RefundOutcome::Refused, noon()).value;

    assert!(matches!(stuck.refunds[0].state, RefundState::Failed { .. }));
    let again = stuck.refund(refund(9), None, of_staff(), noon()).unwrap().value;
    assert_eq!(again.refunds[1].amount, eur(7));
}

#[test]
fn what_may_be_done_is_said() {
    let asking = started().settle(attempt(1), &action_required(), noon()).value;
    let late = pay_by().plus(Duration::from_millis(1));

    assert_eq!(due().allows(noon()), [Act::Pay]);
    assert_eq!(due().allows(late), []);
    assert_eq!(started().allows(noon()), []);
    assert_eq!(asking.allows(noon()), [Act::Confirm]);
    assert_eq!((paid().allows(noon()), paid().can_go_back()), (vec![Act::Refund], Some(eur(2500))));
    assert_eq!(Payment::of(order()).allows(noon()), []);
}
