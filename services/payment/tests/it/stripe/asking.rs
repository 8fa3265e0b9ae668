//! Finding out, and giving up, what may never have arrived.

use std::time::Duration;

use common::Clock;
use contracts::payment::Failure;
use payment::domain::Outcome;
use payment::provider::Provider as _;

use super::front::Front;
use super::{BAD, GOOD, alone, assert_captured, charge, charged, provider};

const NEVER: Outcome = Outcome::Declined { failure: Failure::NeverArrived };
const OFF: Outcome = Outcome::Declined { failure: Failure::CalledOff };

#[tokio::test]
async fn looking_for_what_never_arrived_moves_nothing() {
    let (front, stripe) = alone().await;
    let charge = charge(GOOD);

    let before = stripe.look_up(&charge).await.unwrap();
    let again = stripe.look_up(&charge).await.unwrap();

    assert_eq!((before, again), (None, None));
    assert!(front.taken().await.is_empty());
    assert_captured(&charged(&stripe, &charge).await);
    assert_captured(&stripe.look_up(&charge).await.unwrap().unwrap());
    assert_eq!(front.intents().await.len(), 1);
}

#[tokio::test]
async fn what_is_called_off_before_it_arrives_never_moves_money() {
    let (front, stripe) = alone().await;
    let charge = charge(GOOD);

    let first = stripe.call_off(&charge).await.unwrap();
    let late = charged(&stripe, &charge).await;
    let again = stripe.call_off(&charge).await.unwrap();

    assert_eq!((first, late, again), (OFF, OFF, OFF));
    assert!(front.taken().await.is_empty());
    assert_eq!(front.intents().await.len(), 1);
}

#[tokio::test]
async fn calling_off_says_what_became_of_it_before() {
    let (front, stripe) = alone().await;
    let (paid, declined) = (charge(GOOD), charge(BAD));
    charged(&stripe, &paid).await;
    charged(&stripe, &declined).await;

    assert_captured(&stripe.call_off(&paid).await.unwrap());
    let failure = Failure::Declined;
    assert_eq!(stripe.call_off(&declined).await.unwrap(), Outcome::Declined { failure });
    assert_eq!(front.taken().await.len(), 1);
}

#[tokio::test]
async fn a_charge_and_its_calling_off_agree() {
    let (front, stripe) = alone().await;

    for _ in 0..10 {
        let charge = charge(GOOD);
        let before = front.taken().await.len();

        let (took, off) = tokio::join!(stripe.charge(&charge), stripe.call_off(&charge));

        let end = stripe.look_up(&charge).await.unwrap().expect("it has ended");
        let moved = front.taken().await.len() - before;
        assert_eq!(moved == 1, matches!(end, Outcome::Captured { .. }));
        assert_eq!(off.unwrap(), end);
        assert_eq!(took.unwrap(), end);
    }
}

#[tokio::test]
async fn an_attempt_older_than_its_key_is_searched_for() {
    let front = Front::open().await;
    let clock = Clock::manual(Clock::system().now());
    let stripe = provider(&front, clock.clone());
    let (paid, lost) = (charge(GOOD), charge(GOOD));
    charged(&stripe, &paid).await;

    clock.advance(Duration::from_hours(24));

    assert_captured(&stripe.look_up(&paid).await.unwrap().unwrap());
    assert_captured(&charged(&stripe, &paid).await);
    assert_eq!(stripe.look_up(&lost).await.unwrap(), Some(NEVER));
    assert_eq!(charged(&stripe, &lost).await, NEVER);
    assert_eq!(stripe.call_off(&lost).await.unwrap(), NEVER);
    assert_eq!(front.intents().await.len(), 1, "no intent is made for a key that is forgotten");
}
