//! Money that banks take back.

use contracts::payment::{DisputeClosed, Disputed};

use super::*;
use crate::domain::{Account, DisputeState, Refusal};

fn disputed() -> Payment {
    paid().dispute(attempt(1), eur(2500), DisputeState::Opened, noon()).unwrap().value
}

/// What one account changes by.
fn moved(change: &Change<Payment>, account: Account) -> i64 {
    let of_it = |entry: &Entry| entry.account == account;
    change.entries::<Entry>().into_iter().filter(of_it).map(|entry| entry.amount.amount).sum()
}

#[test]
fn disputed_money_is_set_aside_and_cannot_go_back() {
    let change = paid().dispute(attempt(1), eur(2500), DisputeState::Opened, noon()).unwrap();

    assert_eq!(change.told::<Disputed>()[0].amount, eur(2500));
    assert_eq!(moved(&change, Account::ProviderClearing), -2500);
    assert_eq!(moved(&change, Account::Disputed), 2500);
    let refused = change.value.refund(refund(1), None, of_staff(), noon()).unwrap_err();
    assert_eq!(refused, Refusal::Disputed);
}

#[test]
fn a_dispute_that_is_won_gives_the_money_back_to_the_shop() {
    let change = disputed().dispute(attempt(1), eur(2500), DisputeState::Won, noon()).unwrap();

    assert!(change.told::<DisputeClosed>()[0].won);
    assert_eq!(moved(&change, Account::ProviderClearing), 2500);
    assert!(change.value.refund(refund(1), None, of_staff(), noon()).is_ok());
}

#[test]
fn a_dispute_that_is_lost_is_a_loss() {
    let change = disputed().dispute(attempt(1), eur(2500), DisputeState::Lost, noon()).unwrap();

    assert!(!change.told::<DisputeClosed>()[0].won);
    assert_eq!((moved(&change, Account::Losses), moved(&change, Account::Disputed)), (2500, -2500));
    let refused = change.value.refund(refund(1), None, of_staff(), noon()).unwrap_err();
    assert_eq!(refused, Refusal::Disputed);
}

#[test]
fn the_end_of_a_dispute_may_be_heard_of_first() {
    let lost = paid().dispute(attempt(1), eur(2500), DisputeState::Lost, noon()).unwrap();

    assert_eq!((lost.told::<Disputed>().len(), lost.told::<DisputeClosed>().len()), (1, 1));
    assert_eq!((moved(&lost, Account::Disputed), moved(&lost, Account::Losses)), (0, 2500));
    for state in [DisputeState::Opened, DisputeState::Won, DisputeState::Lost] {
        let late = lost.value.clone().dispute(attempt(1), eur(2500), state, noon()).unwrap();
        assert!(late.is_none(), "{state:?}");
    }
}

#[test]
fn a_part_that_is_disputed_leaves_the_rest() {
    let part = paid().dispute(attempt(1), eur(1000), DisputeState::Opened, noon()).unwrap().value;

    let rest = part.refund(refund(1), None, of_staff(), noon()).unwrap().value;

    assert_eq!(rest.refunds[0].amount, eur(1500));
}

#[test]
fn no_more_is_disputed_than_came() {
    let change = paid().dispute(attempt(1), eur(9999), DisputeState::Opened, noon()).unwrap();

    assert_eq!(change.told::<Disputed>()[0].amount, eur(2500));
}

#[test]
fn only_money_that_came_is_disputed() {
    let opened = |payment: Payment, id| {
        payment.dispute(attempt(id), eur(2500), DisputeState::Opened, noon()).unwrap_err()
    };

    assert_eq!(opened(started(), 1), Refusal::NothingCaptured);
    assert_eq!(opened(paid(), 9), Refusal::NotKnown);
}
