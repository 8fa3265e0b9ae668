//! Taking money.

use contracts::payment::Failure;
use payment::domain::Outcome;
use payment::provider::Provider as _;

use super::{ASKS, BAD, GOOD, alone, assert_captured, charge, charged, known, later};
use crate::shop::AMOUNT;

fn declined(failure: Failure) -> Outcome {
    Outcome::Declined { failure }
}

/// Where the shopper is sent to, and the intent they confirm there.
fn page(outcome: &Outcome) -> (&str, &str) {
    match outcome {
        Outcome::ActionRequired { reference, url } => (url, &reference.0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_charge_is_two_requests() {
    let (front, stripe) = alone().await;
    let charge = charge(GOOD);

    let outcome = charged(&stripe, &charge).await;

    assert_captured(&outcome);
    assert_eq!(front.taken().await, [AMOUNT]);
    assert_eq!(front.calls(), ["POST /v1/payment_intents", "POST /v1/payment_intents/confirm"]);
    let made = &front.asked("/payment_intents")[0];
    assert_eq!(made.key, Some(charge.attempt.to_string()));
    assert_eq!(made.version.as_deref(), Some("2024-12-18.acacia"));
    assert_eq!((&*made.form["amount"], &*made.form["currency"]), ("2500", "eur"));
    let confirmed = &front.asked("/confirm")[0];
    assert_eq!(confirmed.key, Some(format!("{}.confirm", charge.attempt)));
    let back = format!("https://shop.example.com/orders/{}", charge.order);
    assert_eq!(confirmed.form["return_url"], back);
}

#[tokio::test]
async fn a_charge_bears_the_names_of_the_shop() {
    let (front, stripe) = alone().await;
    let charge = charge(GOOD);

    charged(&stripe, &charge).await;

    let intents = front.intents().await;
    let names = &intents[0]["metadata"];
    assert_eq!(names["attempt_id"], charge.attempt.to_string());
    assert_eq!(names["payment_id"], charge.payment.to_string());
    assert_eq!(names["order_id"], charge.order.to_string());
}

#[tokio::test]
async fn a_repeated_charge_takes_money_once() {
    let (front, stripe) = alone().await;
    let charge = charge(GOOD);

    let first = charged(&stripe, &charge).await;
    let again = charged(&stripe, &charge).await;
    let known = charged(&stripe, &known(&charge, &first)).await;

    assert_captured(&first);
    assert_eq!((&again, &known), (&first, &first));
    assert_eq!(front.taken().await, [AMOUNT]);
}

#[tokio::test]
async fn charges_at_the_same_time_take_money_once() {
    let (front, stripe) = alone().await;
    let charge = charge(GOOD);

    let (one, other, looked) =
        tokio::join!(stripe.charge(&charge), stripe.charge(&charge), stripe.look_up(&charge));

    assert_captured(&one.unwrap());
    assert_captured(&other.unwrap());
    looked.unwrap();
    assert_eq!((front.taken().await, front.intents().await.len()), (vec![AMOUNT], 1));
}

#[tokio::test]
async fn a_declined_card_stays_declined() {
    let (front, stripe) = alone().await;
    let charge = charge(BAD);

    let first = charged(&stripe, &charge).await;
    let again = charged(&stripe, &charge).await;
    let found = stripe.look_up(&charge).await.unwrap();

    assert_eq!(first, declined(Failure::Declined));
    assert_eq!((again, found), (first.clone(), Some(first)));
    assert!(front.taken().await.is_empty());
}

#[tokio::test]
async fn a_card_that_stripe_does_not_have_is_not_known() {
    let (_front, stripe) = alone().await;

    let outcome = charged(&stripe, &charge("pm_1234")).await;

    assert_eq!(outcome, declined(Failure::UnknownMethod));
}

#[tokio::test]
async fn a_card_whose_bank_asks_is_captured_when_the_shopper_confirms() {
    let (front, stripe) = alone().await;
    let charge = charge(&front.card(ASKS).await);

    let asked = charged(&stripe, &charge).await;
    let (url, intent) = page(&asked);
    let still = stripe.look_up(&charge).await.unwrap();
    front.authenticate(intent, true).await;

    assert!(url.starts_with("http"), "{url}");
    assert_eq!(still, Some(asked.clone()));
    let known = known(&charge, &asked);
    assert_captured(&stripe.look_up(&known).await.unwrap().unwrap());
    assert_captured(&charged(&stripe, &charge).await);
}

#[tokio::test]
async fn a_card_whose_bank_asks_is_declined_when_the_shopper_refuses() {
    let (front, stripe) = alone().await;
    let charge = charge(&front.card(ASKS).await);
    let asked = charged(&stripe, &charge).await;

    front.authenticate(page(&asked).1, false).await;

    let found = stripe.look_up(&charge).await.unwrap();
    assert_eq!(found, Some(declined(Failure::NotAuthenticated)));
}

#[tokio::test]
async fn promised_money_is_collected_once() {
    let (front, stripe) = alone().await;
    let charge = later(GOOD);

    let promised = charged(&stripe, &charge).await;
    assert!(matches!(promised, Outcome::Authorized { .. }), "{promised:?}");
    assert!(front.taken().await.is_empty());
    let known = known(&charge, &promised);
    let collected = stripe.capture(&known).await.unwrap();
    let again = stripe.capture(&known).await.unwrap();
    let unnamed = stripe.capture(&charge).await.unwrap();

    assert_captured(&collected);
    assert_eq!((&again, &unnamed), (&collected, &collected));
    assert_eq!(front.taken().await, [AMOUNT]);
    let keys: Vec<_> = front.asked("/capture").into_iter().map(|asked| asked.key).collect();
    assert_eq!(keys, vec![Some(format!("{}.capture", charge.attempt)); 2]);
}

#[tokio::test]
async fn promised_money_that_is_given_up_is_not_collected() {
    let (front, stripe) = alone().await;
    let charge = later(GOOD);
    let promised = charged(&stripe, &charge).await;

    let given_up = stripe.call_off(&known(&charge, &promised)).await.unwrap();

    assert_eq!(given_up, declined(Failure::CalledOff));
    assert_eq!(stripe.look_up(&charge).await.unwrap(), Some(given_up.clone()));
    assert_eq!(stripe.capture(&charge).await.unwrap(), given_up);
    assert!(front.taken().await.is_empty());
}

#[tokio::test]
async fn what_waits_for_the_shopper_can_be_called_off() {
    let (front, stripe) = alone().await;
    let charge = charge(&front.card(ASKS).await);
    let asked = charged(&stripe, &charge).await;

    let given_up = stripe.call_off(&known(&charge, &asked)).await.unwrap();
    front.authenticate(page(&asked).1, true).await;

    assert_eq!(given_up, declined(Failure::CalledOff));
    assert_eq!(stripe.look_up(&charge).await.unwrap(), Some(given_up));
    assert!(front.taken().await.is_empty());
}
