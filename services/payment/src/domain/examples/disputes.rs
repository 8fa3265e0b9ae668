//! Money that banks take back.

use contracts::payment::{DisputeClosed, Disputed, RefundFailed, RefundFailure, Refunded};

use super::*;
use crate::domain::{Account, DisputeState, Refund, RefundOutcome, Refusal};

fn disputed() -> Payment {
    paid().dispute(attempt(1), "dp_1", eur(2500), DisputeState::Opened, noon()).unwrap().value
}

/// What one account changes by.
fn moved(change: &Change<Payment>, account: Account) -> i64 {
    let of_it = |entry: &Entry| entry.account == account;
    change.entries::<Entry>().into_iter().filter(of_it).map(|entry| entry.amount.amount).sum()
}

#[test]
fn disputed_money_is_set_aside_and_cannot_go_back() {
    let change =
        paid().dispute(attempt(1), "dp_1", eur(2500), DisputeState::Opened, noon()).unwrap();

    assert_eq!(change.told::<Disputed>()[0].amount, eur(2500));
    assert_eq!(moved(&change, Account::ProviderClearing), -2500);
    assert_eq!(moved(&change, Account::Disputed), 2500);
    let refused = change.value.refund(refund(1), None, of_staff(), noon()).unwrap_err();
    assert_eq!(refused, Refusal::Disputed);
}

#[test]
fn a_dispute_that_is_won_gives_the_money_back_to_the_shop() {
    let change =
        disputed().dispute(attempt(1), "dp_1", eur(2500), DisputeState::Won, noon()).unwrap();

    assert!(change.told::<DisputeClosed>()[0].won);
    assert_eq!(moved(&change, Account::ProviderClearing), 2500);
    assert!(change.value.refund(refund(1), None, of_staff(), noon()).is_ok());
}

#[test]
fn a_dispute_that_is_lost_is_a_loss() {
    let change =
        disputed().dispute(attempt(1), "dp_1", eur(2500), DisputeState::Lost, noon()).unwrap();

    assert!(!change.told::<DisputeClosed>()[0].won);
    assert_eq!((moved(&change, Account::Losses), moved(&change, Account::Disputed)), (2500, -2500));
    let refused = change.value.refund(refund(1), None, of_staff(), noon()).unwrap_err();
    assert_eq!(refused, Refusal::Disputed);
}

#[test]
fn the_end_of_a_dispute_may_be_heard_of_first() {
    let lost = paid().dispute(attempt(1), "dp_1", eur(2500), DisputeState::Lost, noon()).unwrap();

    assert_eq!((lost.told::<Disputed>().len(), lost.told::<DisputeClosed>().len()), (1, 1));
    assert_eq!((moved(&lost, Account::Disputed), moved(&lost, Account::Losses)), (0, 2500));
    for state in [DisputeState::Opened, DisputeState::Won, DisputeState::Lost] {
        let late =
            lost.value.clone().dispute(attempt(1), "dp_1", eur(2500), state, noon()).unwrap();
        assert!(late.is_none(), "{state:?}");
    }
}

#[test]
fn a_part_that_is_disputed_leaves_the_rest() {
    let part =
        paid().dispute(attempt(1), "dp_1", eur(1000), DisputeState::Opened, noon()).unwrap().value;

    let rest = part.refund(refund(1), None, of_staff(), noon()).unwrap().value;

    assert_eq!(rest.refunds[0].amount, eur(1500));
}

#[test]
fn no_more_is_disputed_than_came() {
    let change =
        paid().dispute(attempt(1), "dp_1", eur(9999), DisputeState::Opened, noon()).unwrap();

    assert_eq!(change.told::<Disputed>()[0].amount, eur(2500));
}

#[test]
fn only_money_that_came_is_disputed() {
    let opened = |payment: Payment, id| {
        payment.dispute(attempt(id), "dp_1", eur(2500), DisputeState::Opened, noon()).unwrap_err()
    };

    assert_eq!(opened(started(), 1), Refusal::NothingCaptured);
    assert_eq!(opened(paid(), 9), Refusal::NotKnown);
}

#[test]
fn a_second_dispute_is_one_of_its_own() {
    let half = |payment: Payment, name, state| {
        payment.dispute(attempt(1), name, eur(1500), state, noon()).unwrap()
    };
    let first = half(paid(), "dp_1", DisputeState::Opened).value;

    let second = half(first.clone(), "dp_2", DisputeState::Opened);
    let lost = half(second.value.clone(), "dp_1", DisputeState::Lost);
    let won = half(lost.value.clone(), "dp_2", DisputeState::Won);

    assert_eq!(second.told::<Disputed>()[0].amount, eur(1000), "no more than is left");
    assert_eq!((moved(&lost, Account::Losses), moved(&lost, Account::Disputed)), (1500, -1500));
    assert_eq!(moved(&won, Account::ProviderClearing), 1000);
    let again = half(won.value.clone(), "dp_2", DisputeState::Opened);
    assert!(again.is_none());
    let ids: Vec<String> = [half(paid(), "dp_1", DisputeState::Opened), second, lost, won]
        .iter()
        .flat_map(Change::entries::<Entry>)
        .map(|entry| entry.id)
        .collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
}

#[test]
fn a_dispute_that_was_noted_without_a_name_is_the_one_that_comes_with_one() {
    let old = paid().dispute(attempt(1), "", eur(2500), DisputeState::Opened, noon()).unwrap();
    let mut stored = serde_json::to_value(&old.value).unwrap();
    assert!(stored["attempts"][0]["dispute"].as_object_mut().unwrap().remove("id").is_none());
    let old: Payment = serde_json::from_value(stored).unwrap();

    let won = old.dispute(attempt(1), "dp_1", eur(2500), DisputeState::Won, noon()).unwrap();

    assert_eq!((won.told::<Disputed>().len(), won.told::<DisputeClosed>().len()), (0, 1));
}

#[test]
fn what_is_to_go_back_of_disputed_money_waits_for_the_end_of_that() {
    let waits = disputed().refund_due(refund(1), eur(2500), None, noon()).unwrap();
    assert!(waits.tells_nothing() && waits.value.look_at.is_none());
    let ended =
        |state| waits.value.clone().dispute(attempt(1), "dp_1", eur(2500), state, noon()).unwrap();

    let (won, lost) = (ended(DisputeState::Won), ended(DisputeState::Lost));

    assert_eq!(won.value.open_refunds().map(|it| it.amount).collect::<Vec<_>>(), [eur(2500)]);
    assert!(won.value.look_at.is_some(), "it is to be sent");
    let done = won.value.settle_refund(refund(1), RefundOutcome::Done, noon());
    assert_eq!(done.told::<Refunded>()[0].remaining, eur(0));
    assert_eq!(lost.told::<RefundFailed>()[0].failure, RefundFailure::NothingLeft);
}

#[test]
fn what_was_refused_while_money_was_disputed_is_asked_for_again_when_the_shop_wins() {
    let sent = paid().refund_due(refund(1), eur(2500), None, noon()).unwrap().value;
    let disputed =
        sent.dispute(attempt(1), "dp_1", eur(2500), DisputeState::Opened, noon()).unwrap().value;
    let refused = disputed.settle_refund(refund(1), RefundOutcome::Refused, noon());
    assert!(refused.tells_nothing());

    let won = refused.value.dispute(attempt(1), "dp_1", eur(2500), DisputeState::Won, noon());
    let won = won.unwrap().value;

    let [again] = &won.refunds[..] else { panic!("it is one refund") };
    assert!(again.is_open() && again.key() != refund(1), "a key that was refused stays so");
    assert!(won.clone().settle_refund(refund(1), RefundOutcome::Refused, noon()).is_none());
    let done = won.clone().settle_refund(again.key(), RefundOutcome::Done, noon());
    assert_eq!(done.told::<Refunded>()[0].refund_id, refund(1));
}

/// What became of the refunds: how much of them is on its way, and how much waits.
fn under_way(payment: &Payment) -> (i64, i64) {
    let sum = |which: fn(&Refund) -> bool| {
        payment.refunds.iter().filter(|it| which(it)).map(|it| it.amount.amount).sum()
    };
    (sum(Refund::is_open), sum(Refund::is_waiting))
}

fn heard(payment: Payment, name: &str, amount: i64, state: DisputeState) -> Payment {
    payment.dispute(attempt(1), name, eur(amount), state, noon()).unwrap().value
}

fn refused(payment: Payment, id: RefundId) -> Change<Payment> {
    payment.settle_refund(id, RefundOutcome::Refused, noon())
}

/// The order was cancelled, and all of its money is to go back.
fn given_up() -> Payment {
    paid().cancel(noon()).value.refund_due(refund(1), eur(2500), None, noon()).unwrap().value
}

#[test]
fn what_was_refused_goes_back_once_the_shop_wins_whenever_the_dispute_is_heard_of() {
    let opened = |payment| heard(payment, "dp_1", 2500, DisputeState::Opened);
    let won = |payment| heard(payment, "dp_1", 2500, DisputeState::Won);

    let early = won(refused(opened(given_up()), refund(1)).value);
    let late = won(opened(refused(given_up(), refund(1)).value));
    let last = refused(won(opened(given_up())), refund(1)).value;
    let at_the_end = won(refused(given_up(), refund(1)).value);

    for payment in [early, late, last, at_the_end] {
        assert_eq!(under_way(&payment), (2500, 0));
        let again = payment.open_refunds().next().unwrap().clone();
        assert_ne!(again.key(), refund(1), "a key that was refused stays so");
        assert_eq!(payment.refunds_for(refund(1)).count(), payment.refunds.len());
        let done = payment.clone().settle_refund(again.key(), RefundOutcome::Done, noon());
        assert_eq!(done.told::<Refunded>()[0].remaining, eur(0));
        let mut never = refused(payment, again.key());
        let again = never.value.open_refunds().next().map(Refund::key);
        if let Some(key) = again {
            never = refused(never.value, key);
        }
        assert_eq!(never.told::<RefundFailed>().len(), 1, "a bank is not asked for ever");
        assert_eq!(under_way(&never.value), (0, 0));
    }
}

#[test]
fn what_was_refused_is_sent_anew_only_once_for_each_dispute_and_no_more_than_is_there() {
    let late = refused(given_up(), refund(1)).value;
    let half = heard(late, "dp_1", 1500, DisputeState::Opened);
    let half = heard(half, "dp_1", 1500, DisputeState::Lost);
    assert_eq!(under_way(&half), (1000, 0));

    let other = heard(half, "dp_2", 1000, DisputeState::Won);

    assert_eq!(under_way(&other), (1000, 0));
}

#[test]
fn what_somebody_saw_to_is_not_sent_anew() {
    let some = |payment: Payment, number, cause| {
        payment.refund(refund(number), Some(eur(1000)), cause, noon()).unwrap().value
    };
    let won = |payment| heard(payment, "dp_1", 500, DisputeState::Won);
    let late = refused(some(paid(), 1, RefundCause::Order), refund(1)).value;
    assert_eq!(under_way(&won(late.clone())), (1000, 0));

    let asked_anew = some(late, 2, RefundCause::Order);
    let of_staff = refused(some(paid(), 1, of_staff()), refund(1)).value;

    assert_eq!(under_way(&won(asked_anew)), (1000, 0));
    assert_eq!(under_way(&won(of_staff)), (0, 0), "what staff gave they judge themselves");
}

#[test]
fn what_one_of_two_disputes_holds_goes_on_waiting_when_the_other_ends() {
    let both = heard(paid(), "dp_1", 1500, DisputeState::Opened);
    let both = heard(both, "dp_2", 1000, DisputeState::Opened);
    let waits = both.cancel(noon()).value.refund_due(refund(1), eur(2500), None, noon()).unwrap();
    assert_eq!(under_way(&waits.value), (0, 2500));

    let first = heard(waits.value, "dp_1", 1500, DisputeState::Won);
    assert_eq!(under_way(&first), (1500, 1000));
    let won = heard(first.clone(), "dp_2", 1000, DisputeState::Won);
    let lost = first.dispute(attempt(1), "dp_2", eur(1000), DisputeState::Lost, noon()).unwrap();

    assert_eq!(under_way(&won), (2500, 0));
    assert_eq!(won.refunds_for(refund(1)).count(), 2);
    assert_eq!(lost.told::<RefundFailed>()[0].amount, eur(1000));
    assert_eq!(under_way(&lost.value), (1500, 0));
}
