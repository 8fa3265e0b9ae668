//! Stripe, as the payment service meets it: against localstripe, a stand-in that remembers.
//!
//! Not covered, for localstripe does not play it: partial captures, promises that run out, disputes
//! and refunds that fail (they come as the webhooks that Stripe documents), and what a bank says
//! beyond `card_declined` (the codes are tried one by one beside the code).

mod asking;
mod charging;
mod faults;
mod flows;
mod front;
mod notices;
mod refunds;

use common::Clock;
use contracts::{AttemptId, OrderId, PaymentId};
use payment::domain::{CaptureMode, Method, Outcome};
use payment::provider::{Charge, Provider, Stripe, StripeConfig};

use crate::shop::{AMOUNT, eur, fresh_order};
use front::{Front, KEY};

/// A card that pays.
const GOOD: &str = "pm_card_visa";
/// A card that is declined when it is charged.
const BAD: &str = "pm_card_chargeCustomerFail";
/// The number of a card whose bank wants the shopper to confirm.
const ASKS: &str = "4000002500003155";
const SECRETS: [&str; 2] = ["whsec_old", "whsec_new"];

fn config(front: &Front) -> StripeConfig {
    StripeConfig {
        secret_key: Some(KEY.into()),
        webhook_secrets: SECRETS.map(Into::into).to_vec(),
        url: Some(front.url.parse().unwrap()),
        return_url: Some("https://shop.example.com/orders/{order_id}".to_owned()),
    }
}

/// The provider alone, without the service.
fn provider(front: &Front, clock: Clock) -> Stripe {
    Stripe::open(&config(front), clock).unwrap().expect("there is a key")
}

async fn alone() -> (Front, Stripe) {
    let front = Front::open().await;
    let stripe = provider(&front, Clock::system());
    (front, stripe)
}

fn charge_of(order: OrderId, method: &str) -> Charge {
    Charge {
        attempt: AttemptId::from_uuid(Clock::system().uuid()),
        payment: PaymentId::of(order),
        order,
        amount: eur(AMOUNT),
        method: Method::try_from(method.to_owned()).unwrap(),
        capture: CaptureMode::AtOnce,
        reference: None,
    }
}

fn charge(method: &str) -> Charge {
    charge_of(fresh_order(), method)
}

fn later(method: &str) -> Charge {
    Charge { capture: CaptureMode::Later, ..charge(method) }
}

async fn charged(stripe: &Stripe, charge: &Charge) -> Outcome {
    stripe.charge(charge).await.unwrap()
}

/// The same charge, now that Stripe's name for it is known.
fn known(charge: &Charge, outcome: &Outcome) -> Charge {
    let reference = match outcome {
        Outcome::Processing { reference }
        | Outcome::ActionRequired { reference, .. }
        | Outcome::Authorized { reference, .. }
        | Outcome::Captured { reference, .. } => Some(reference.clone()),
        Outcome::Declined { .. } => None,
    };
    Charge { reference, ..charge.clone() }
}

#[track_caller]
fn assert_captured(outcome: &Outcome) {
    assert!(
        matches!(outcome, Outcome::Captured { amount, .. } if *amount == eur(AMOUNT)),
        "{outcome:?}"
    );
}
