//! Giving money back.

use common::Clock;
use contracts::RefundId;
use payment::domain::{Outcome, Reference, RefundOutcome};
use payment::provider::{Charge, GivingBack, Provider as _, Stripe};

use super::front::Fault;
use super::{GOOD, alone, charge, charged};
use crate::shop::{AMOUNT, eur};

pub(super) async fn paid(stripe: &Stripe) -> (Charge, Reference) {
    let charge = charge(GOOD);
    match charged(stripe, &charge).await {
        Outcome::Captured { reference, .. } => (charge, reference),
        other => panic!("{other:?}"),
    }
}

pub(super) fn back((charge, reference): &(Charge, Reference), amount: i64) -> GivingBack {
    GivingBack {
        refund: RefundId::from_uuid(Clock::system().uuid()),
        payment: charge.payment,
        charge: reference.clone(),
        amount: eur(amount),
    }
}

#[tokio::test]
async fn money_goes_back_in_parts_each_of_them_once() {
    let (front, stripe) = alone().await;
    let paid = paid(&stripe).await;
    let (part, rest) = (back(&paid, 1000), back(&paid, AMOUNT - 1000));

    for _ in 0..2 {
        assert_eq!(stripe.give_back(&part).await.unwrap(), RefundOutcome::Done);
    }
    assert_eq!(stripe.give_back(&rest).await.unwrap(), RefundOutcome::Done);

    let mut given_back = front.given_back().await;
    given_back.sort_unstable();
    assert_eq!(given_back, [1000, 1500]);
    let asked = &front.asked("/refunds")[0];
    assert_eq!(asked.key, Some(part.refund.to_string()));
    assert_eq!(asked.form["metadata[refund_id]"], part.refund.to_string());
    assert_eq!(asked.form["metadata[payment_id]"], part.payment.to_string());
}

#[tokio::test]
async fn a_refund_is_found_among_all_of_its_payment() {
    let (_front, stripe) = alone().await;
    let paid = paid(&stripe).await;
    let wanted = back(&paid, 1);
    assert_eq!(stripe.look_up_refund(&wanted).await.unwrap(), None);
    stripe.give_back(&wanted).await.unwrap();

    for _ in 0..101 {
        stripe.give_back(&back(&paid, 1)).await.unwrap();
    }

    assert_eq!(stripe.look_up_refund(&wanted).await.unwrap(), Some(RefundOutcome::Done));
    assert_eq!(stripe.look_up_refund(&back(&paid, 1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_happens_once() {
    let (front, stripe) = alone().await;
    let back = back(&paid(&stripe).await, 1000);
    front.fail("/refunds", Fault::AnswerLost);

    let outcome = stripe.give_back(&back).await.unwrap();

    assert_eq!(outcome, RefundOutcome::Done);
    assert_eq!(front.given_back().await, [1000]);
}

#[tokio::test]
async fn a_refund_that_stripe_cannot_do_now_stays_open() {
    let (front, stripe) = alone().await;
    let paid = paid(&stripe).await;
    let elsewhere = Reference("pi_of_another_account".to_owned());
    let elsewhere = GivingBack { charge: elsewhere, ..back(&paid, 1000) };

    assert!(stripe.give_back(&elsewhere).await.is_err());
    assert!(front.given_back().await.is_empty());
}

#[tokio::test]
async fn a_refund_that_stripe_will_never_do_is_refused() {
    let (front, stripe) = alone().await;
    let paid = paid(&stripe).await;

    let outcome = stripe.give_back(&back(&paid, 0)).await.unwrap();

    assert_eq!(outcome, RefundOutcome::Refused);
    assert!(front.given_back().await.is_empty());
}
