//! Giving money back.

use contracts::Money;
use contracts::payment::{RefundFailed, RefundFailure, Refunded};

use super::*;
use crate::domain::{Account, Refund, RefundOutcome, Refusal, Status};

#[test]
fn a_refund_is_told_when_the_provider_gave_it() {
    let asked = paid().refund(refund(1), Some(eur(1000)), of_staff(), noon()).unwrap();
    let done = asked.value.clone().settle_refund(refund(1), RefundOutcome::Done, noon());

    assert!(asked.tells_nothing());
    assert_eq!(asked.value.status(), Some(Status::Captured));
    let told = done.told::<Refunded>();
    assert_eq!((told[0].amount, told[0].remaining), (eur(1000), eur(1500)));
    assert_eq!((done.entries::<Entry>().len(), entered(&done)), (2, 0));
    assert_eq!(done.value.status(), Some(Status::PartiallyRefunded));
    assert!(done.value.settle_refund(refund(1), RefundOutcome::Done, noon()).is_none());
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

    let all = some.refund_due(refund(2), eur(2500), None, noon()).unwrap().value;

    assert_eq!(all.refunds[1].amount, eur(500));
    assert!(all.clone().refund_due(refund(2), eur(2500), None, noon()).unwrap().is_none());
    let none = all.refund_due(refund(3), eur(2500), None, noon()).unwrap();
    let told = none.told::<RefundFailed>();
    assert_eq!((told[0].refund_id, told[0].failure), (refund(3), RefundFailure::NothingLeft));
    assert!(none.value.refund_due(refund(3), eur(2500), None, noon()).unwrap().is_none());
}

#[test]
fn a_refund_waits_for_the_money() {
    assert_eq!(
        started().refund_due(refund(1), eur(1), None, noon()).unwrap_err(),
        Refusal::NothingCaptured
    );
}

#[test]
fn a_refund_that_the_provider_refuses_frees_its_amount() {
    let asked = paid().refund(refund(1), None, of_staff(), noon()).unwrap().value;

    let change = asked.settle_refund(refund(1), RefundOutcome::Refused, noon());

    let told = change.told::<RefundFailed>();
    assert_eq!((told[0].amount, told[0].failure), (eur(2500), RefundFailure::Refused));
    assert!(change.entries::<Entry>().is_empty());
    assert_eq!(change.value.look_at, None);
    let again = change.value.refund(refund(2), None, of_staff(), noon()).unwrap().value;
    assert_eq!(again.refunds[1].amount, eur(2500));
}

#[test]
fn a_refund_that_takes_its_time_stays_open() {
    let asked = paid().refund(refund(1), None, of_staff(), noon()).unwrap().value;

    let change = asked.settle_refund(refund(1), RefundOutcome::Processing, noon());

    assert!(change.is_none());
    assert_eq!(change.value.open_refunds().count(), 1);
}

#[test]
fn a_refund_that_the_bank_sends_back_is_entered_again() {
    let asked = paid().refund(refund(1), None, of_staff(), noon()).unwrap().value;
    let done = asked.settle_refund(refund(1), RefundOutcome::Done, noon()).value;

    let change = done.settle_refund(refund(1), RefundOutcome::Refused, noon());

    assert_eq!(change.told::<RefundFailed>().len(), 1);
    let clearing: Vec<Entry> = change.entries();
    let clearing: Vec<i64> = clearing
        .iter()
        .filter(|entry| entry.account == Account::ProviderClearing)
        .map(|entry| entry.amount.amount)
        .collect();
    assert_eq!(clearing, [2500]);
    assert_eq!(change.value.status(), Some(Status::Captured));
    assert!(change.value.settle_refund(refund(1), RefundOutcome::Done, noon()).is_none());
}

#[test]
fn money_that_can_no_longer_come_does_not_go_back() {
    let failed = started().settle(attempt(1), &declined(), noon()).value;
    let waiting = failed.clone().refund_due(refund(1), eur(100), None, noon()).unwrap_err();

    let change = failed.cancel(noon()).value.refund_due(refund(1), eur(100), None, noon()).unwrap();

    assert_eq!(waiting, Refusal::NothingCaptured);
    assert_eq!(change.told::<RefundFailed>()[0].failure, RefundFailure::NothingLeft);
}

#[test]
fn staff_give_back_only_so_often() {
    let asked = paid().refund(refund(1), Some(eur(1)), of_staff(), noon()).unwrap().value;
    let full = Payment { refunds: vec![asked.refunds[0].clone(); 500], ..asked };

    let more = full.clone().refund(refund(2), Some(eur(1)), of_staff(), noon());
    let order = full.refund_due(refund(2), eur(2500), None, noon());

    assert_eq!(more.err(), Some(Refusal::TooManyRefunds));
    assert!(order.is_ok(), "the order gives back all the same");
}

#[test]
fn all_that_came_goes_back_however_many_brought_it() {
    let second = started_again_after(paid());
    let surplus = RefundId::from_uuid(attempt(2).uuid());
    let stuck = second.settle_refund(surplus, RefundOutcome::Refused, noon()).value;

    let asked = stuck.cancel(noon()).value.refund_due(refund(1), eur(5000), None, noon()).unwrap();

    let parts: Vec<_> = asked.value.refunds_for(refund(1)).cloned().collect();
    let of: Vec<_> = parts.iter().map(|part| (part.attempt, part.amount)).collect();
    assert_eq!(of, [(attempt(1), eur(2500)), (attempt(2), eur(2500))]);
    assert!(parts.iter().all(Refund::is_open));
    let again = asked.value.clone().refund_due(refund(1), eur(5000), None, noon()).unwrap();
    assert!(again.is_none());
    let done = |payment: Payment, part: &Refund| {
        payment.settle_refund(part.key(), RefundOutcome::Done, noon()).value
    };
    assert_eq!(parts.iter().fold(asked.value, done).remaining(), eur(0));
}

/// An order that was paid by another attempt as well, which had been declined.
fn started_again_after(paid: Payment) -> Payment {
    let declined = started().settle(attempt(1), &declined(), noon()).value;
    let both = declined.start(attempt(2), visa(), at_once(), noon()).unwrap().value;
    let Payment { attempts, .. } = paid;
    let payment = Payment { attempts: [attempts, both.attempts[1..].to_vec()].concat(), ..both };
    payment.settle(attempt(2), &captured(), noon()).value
}
