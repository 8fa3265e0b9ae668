//! Stripe away, slow, busy, or broken.

use std::time::Duration;

use common::Clock;
use contracts::payment::Failure;
use payment::domain::{Outcome, RefundOutcome};
use payment::provider::{Provider as _, ProviderError, Stripe, StripeConfig};
use tokio::time::timeout;

use super::front::{Fault, Front};
use super::refunds::{back, paid};
use super::{GOOD, alone, assert_captured, charge, charged, config, later};
use crate::shop::AMOUNT;

#[tokio::test]
async fn what_fails_in_passing_is_asked_again() {
    for fault in [Fault::Busy, Fault::Fails, Fault::AnswerLost] {
        let (front, stripe) = alone().await;
        for path in ["/payment_intents", "/confirm"] {
            front.fail(path, fault);
        }

        assert_captured(&charged(&stripe, &charge(GOOD)).await);
        assert_eq!(front.taken().await, [AMOUNT], "{fault:?}");
        assert_eq!(front.intents().await.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn who_waits_no_longer_finds_out_later() {
    let (front, stripe) = alone().await;
    for path in ["/payment_intents", "/confirm"] {
        let charge = charge(GOOD);
        front.fail(path, Fault::Silent);

        let waited = timeout(Duration::from_millis(500), stripe.charge(&charge)).await;

        assert!(waited.is_err(), "{path}");
        match stripe.look_up(&charge).await.unwrap() {
            None => assert_eq!(path, "/payment_intents"),
            Some(outcome) => assert_captured(&outcome),
        }
        assert_captured(&charged(&stripe, &charge).await);
    }
    assert_eq!(front.taken().await.len(), 2);
}

#[tokio::test]
async fn an_attempt_that_cannot_be_made_is_over() {
    let (front, stripe) = alone().await;
    let charge = charge(GOOD);
    front.fail("/payment_intents", Fault::FailsForGood);

    let outcome = charged(&stripe, &charge).await;

    assert_eq!(outcome, Outcome::Declined { failure: Failure::ProcessingError });
    assert_eq!(stripe.call_off(&charge).await.unwrap(), outcome);
    assert_eq!(front.intents().await.len(), 0);
}

#[tokio::test]
async fn a_spent_key_holds_nothing_up() {
    let (front, stripe) = alone().await;
    let charge = later(GOOD);
    for path in ["/confirm", "/capture"] {
        front.fail(path, Fault::FailsForGood);
    }

    let promised = charged(&stripe, &charge).await;
    let collected = stripe.capture(&charge).await.unwrap();

    assert!(matches!(promised, Outcome::Authorized { .. }), "{promised:?}");
    assert_captured(&collected);
    assert_eq!(front.taken().await, [AMOUNT]);
}

#[tokio::test]
async fn a_refund_whose_key_is_spent_goes_back_under_another() {
    let (front, stripe) = alone().await;
    let paid = paid(&stripe).await;
    let (lost, done) = (back(&paid, 1000), back(&paid, 500));
    front.fail("/refunds", Fault::FailsForGood);

    for _ in 0..2 {
        assert_eq!(stripe.give_back(&lost).await.unwrap(), RefundOutcome::Done);
    }
    // Stripe gave the money back before it failed.
    front.fail("/refunds", Fault::DoneAndFails);
    assert_eq!(stripe.give_back(&done).await.unwrap(), RefundOutcome::Done);

    let mut given_back = front.given_back().await;
    given_back.sort_unstable();
    assert_eq!(given_back, [500, 1000]);
    let keys: Vec<_> =
        front.asked("POST /v1/refunds").iter().filter_map(|it| it.key.clone()).collect();
    let (first, again) = (lost.refund.to_string(), format!("{}.again", lost.refund));
    assert!(keys.contains(&first) && keys.contains(&again), "{keys:?}");
    assert!(!keys.contains(&format!("{}.again", done.refund)), "{keys:?}");
}

#[tokio::test]
async fn who_is_away_is_left_alone_for_a_while() {
    let nowhere = StripeConfig {
        url: Some("http://127.0.0.1:9".parse().unwrap()),
        ..config(&Front::open().await)
    };
    let stripe = Stripe::open(&nowhere, Clock::system()).unwrap().unwrap();
    let charge = charge(GOOD);

    let mut said = String::new();
    for _ in 0..3 {
        said = stripe.charge(&charge).await.unwrap_err().to_string();
    }

    assert!(said.contains("left alone"), "{said}");
}

#[tokio::test]
async fn a_wrong_key_is_named_but_not_shown() {
    let front = Front::open().await;
    let wrong = StripeConfig { secret_key: Some("rk_wrong_1234".into()), ..config(&front) };
    let stripe = Stripe::open(&wrong, Clock::system()).unwrap().unwrap();

    let refused = stripe.charge(&charge(GOOD)).await.unwrap_err();

    assert!(matches!(refused, ProviderError::Away(_)), "it is asked again when the key is right");
    let said = refused.to_string();
    assert!(said.contains("SOUK_STRIPE_SECRET_KEY") && !said.contains("rk_wrong"), "{said}");
    assert_eq!(front.calls().len(), 1);
}
