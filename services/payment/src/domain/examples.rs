//! The rules of a payment, one by one.

use std::time::Duration;

use common::Change;
use contracts::payment::{ActionRequired, AttemptStarted, Captured, Failed, Failure, Refunded};
use contracts::{AttemptId, Currency, Money, OrderId, RefundId, Timestamp, UserId};

use super::{
    Attempt, Due, Entry, Method, Outcome, Payment, People, Reason, Reference, Refund, RefundCause,
    Refusal, Status, Step,
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

fn action_required() -> Outcome {
    Outcome::ActionRequired { reference: reference(), url: "/confirm".into() }
}

fn due() -> Payment {
    let due = Due { customer: alice(), amount: eur(2500) };
    Payment::of(order()).ask(due, pay_by()).unwrap().value
}

fn started() -> Payment {
    due().start(attempt(1), visa(), noon()).unwrap().value
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

#[test]
fn the_first_attempt_is_told_and_no_other() {
    let first = due().start(attempt(1), visa(), noon()).unwrap();
    let failed = first.value.clone().settle(attempt(1), &declined(), noon()).value;
    let second = failed.start(attempt(2), visa(), noon()).unwrap();

    assert_eq!(first.told::<AttemptStarted>().len(), 1);
    assert!(second.tells_nothing());
}

#[test]
fn only_one_attempt_is_open_at_a_time() {
    let refused = started().start(attempt(2), visa(), noon()).unwrap_err();

    assert_eq!(refused, Refusal::InProgress);
}

#[test]
fn what_needs_confirming_is_still_in_progress() {
    let change = started().settle(attempt(1), &action_required(), noon());

    assert_eq!(change.told::<ActionRequired>().len(), 1);
    assert_eq!(change.value.status(), Some(Status::RequiresAction));
    assert_eq!(change.value.start(attempt(2), visa(), noon()).unwrap_err(), Refusal::InProgress);
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
    assert!(change.value.start(attempt(2), visa(), noon()).is_ok());
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
    let again = failed.start(attempt(2), visa(), noon()).unwrap().value;
    let paid = again.settle(attempt(2), &captured(), noon()).value;

    let twice = paid.settle(attempt(1), &captured(), noon()).value;

    let back: Vec<&Refund> = twice.open_refunds().collect();
    assert_eq!((back.len(), back[0].amount, back[0].attempt), (1, eur(2500), attempt(1)));
    let settled = twice.clone().refunded(back[0].id, noon());
    assert_eq!(settled.told::<Refunded>()[0].remaining, eur(2500));
    assert_eq!(settled.value.status(), Some(Status::Captured));
    assert_eq!(settled.value.held().map(|(held, _)| held.id), Some(attempt(2)));
}

#[test]
fn money_that_comes_after_the_first_went_back_is_the_orders_to_judge() {
    let failed = started().settle(attempt(1), &declined(), noon()).value;
    let again = failed.start(attempt(2), visa(), noon()).unwrap().value;
    let paid = again.settle(attempt(2), &captured(), noon()).value;
    let returned = paid.refund_due(refund(1), eur(2500), noon()).unwrap().value;

    let late = returned.settle(attempt(1), &captured(), noon()).value;

    assert_eq!(late.open_refunds().count(), 1);
    assert_eq!(late.held().map(|(held, _)| held.id), Some(attempt(1)));
}

#[test]
fn no_attempt_starts_after_the_time_to_pay() {
    let late = pay_by().plus(Duration::from_millis(1));

    assert!(due().start(attempt(1), visa(), pay_by()).is_ok());
    assert_eq!(due().start(attempt(1), visa(), late).unwrap_err(), Refusal::TooLate);
    assert!(due().wait_until(late).value.start(attempt(1), visa(), late).is_ok());
    assert_eq!(due().wait_until(noon()).value.pay_by, Some(pay_by()));
}

#[test]
fn an_order_given_up_before_its_payment_was_due_is_not_payable() {
    let closed = Payment::of(order()).close(noon()).value;

    let due = Due { customer: alice(), amount: eur(2500) };
    let payment = closed.ask(due, pay_by()).unwrap().value;

    assert_eq!(payment.start(attempt(1), visa(), noon()).unwrap_err(), Refusal::Closed);
}

#[test]
fn a_paid_order_is_not_paid_again() {
    assert_eq!(paid().start(attempt(2), visa(), noon()).unwrap_err(), Refusal::AlreadyPaid);
}

#[test]
fn nobody_tries_for_ever() {
    let mut payment = due();
    for number in 0..20 {
        let tried = payment.start(attempt(number), visa(), noon()).unwrap().value;
        payment = tried.settle(attempt(number), &declined(), noon()).value;
    }

    assert_eq!(payment.start(attempt(99), visa(), noon()).unwrap_err(), Refusal::TooManyAttempts);
}

#[test]
fn a_refund_is_told_when_the_provider_gave_it() {
    let asked = paid().refund(refund(1), Some(eur(1000)), of_staff(), noon()).unwrap();
    let done = asked.value.clone().refunded(refund(1), noon());

    assert!(asked.tells_nothing());
    assert_eq!(asked.value.status(), Some(Status::Captured));
    let told = done.told::<Refunded>();
    assert_eq!((told[0].amount, told[0].remaining), (eur(1000), eur(1500)));
    assert_eq!((done.entries::<Entry>().len(), entered(&done)), (2, 0));
    assert_eq!(done.value.status(), Some(Status::PartiallyRefunded));
    assert!(done.value.refunded(refund(1), noon()).is_none());
}

#[test]
fn refunds_never_exceed_what_came() {
    let asked = paid().refund(refund(1), Some(eur(2000)), of_staff(), noon()).unwrap().value;

    let more = |amount| asked.clone().refund(refund(2), amount, of_staff(), noon());

    assert_eq!(more(Some(eur(501))).unwrap_err(), Refusal::TooMuch(eur(500)));
    assert_eq!(more(Some(eur(0))).unwrap_err(), Refusal::NoAmount);
    assert_eq!(more(Some(eur(-1))).unwrap_err(), Refusal::NoAmount);
    assert_eq!(more(None).unwrap().value.refunds[1].amount, eur(500));
    let dollars = Money::new(1, "USD".parse().unwrap());
    assert_eq!(more(Some(dollars)).unwrap_err(), Refusal::OtherCurrency);
}

#[test]
fn the_order_gets_back_at_most_what_is_held() {
    let some = paid().refund(refund(1), Some(eur(2000)), of_staff(), noon()).unwrap().value;

    let all = some.refund_due(refund(2), eur(2500), noon()).unwrap().value;

    assert_eq!(all.refunds[1].amount, eur(500));
    assert!(all.clone().refund_due(refund(2), eur(2500), noon()).unwrap().is_none());
    assert!(all.refund_due(refund(3), eur(2500), noon()).unwrap().is_none());
}

#[test]
fn a_refund_waits_for_the_money() {
    assert_eq!(
        started().refund_due(refund(1), eur(1), noon()).unwrap_err(),
        Refusal::NothingCaptured
    );
}

#[test]
fn a_payment_is_its_customers_alone() {
    let bob = UserId::from_uuid(uuid(3));

    assert_eq!(due().of_people(&People::of([bob])).unwrap_err(), Refusal::NotKnown);
    assert!(due().of_people(&People::of([bob, alice()])).is_ok());
    assert_eq!(Payment::of(order()).of_people(&People::of([bob])).unwrap_err(), Refusal::NotKnown);
}

fn step(payment: &Payment, found: Option<Outcome>, now: Timestamp) -> Step {
    let open: Vec<&Attempt> = payment.open_attempts().collect();
    payment.step(open[0], found, now)
}

#[test]
fn an_attempt_that_never_arrived_is_sent_again_for_a_while() {
    let later = noon().plus(Duration::from_secs(30));

    assert_eq!(step(&started(), None, noon().plus(Duration::from_secs(29))), Step::Send);
    assert_eq!(step(&started(), None, later), Step::CallOff);
    let closed = started().close(noon()).value;
    assert_eq!(step(&closed, None, noon()), Step::CallOff);
}

#[test]
fn an_attempt_is_settled_by_what_the_provider_knows() {
    for outcome in [captured(), declined(), action_required()] {
        assert_eq!(step(&started(), Some(outcome.clone()), noon()), Step::Settle(outcome));
    }
}

#[test]
fn an_unconfirmed_attempt_is_called_off_after_the_time_to_pay() {
    let waiting = started().settle(attempt(1), &action_required(), noon()).value;
    let margin = pay_by().plus(Duration::from_mins(1));

    let over = margin.plus(Duration::from_millis(1));
    assert_eq!(step(&waiting, Some(action_required()), margin), Step::Leave);
    assert_eq!(step(&waiting, Some(action_required()), over), Step::CallOff);
    let closed = waiting.close(noon()).value;
    assert_eq!(step(&closed, Some(action_required()), noon()), Step::CallOff);
}

#[test]
fn what_is_open_is_asked_about_less_and_less_often() {
    let pause = |seconds| {
        let now = noon().plus(Duration::from_secs(seconds));
        started().look(now).value.unwrap().look_at.unwrap().since(now).as_secs()
    };

    assert_eq!([pause(3), pause(50), pause(3600)], [3, 10, 30]);
}

#[test]
fn one_at_a_time_asks_about_what_is_open() {
    let due = noon().plus(Duration::from_secs(3));

    assert!(started().look(noon()).is_none());
    let looked = started().look(due).value.unwrap();
    assert!(looked.look(due).is_none());
    assert!(paid().look(due).is_none());
}
