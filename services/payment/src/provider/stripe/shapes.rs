//! What Stripe's objects come to, by the shapes that it documents.

use contracts::payment::Failure;
use contracts::{AttemptId, Currency, Money, PaymentId, RefundId};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fuzz;

use super::event::{Disputed, Said, read};
use super::intent::Intent;
use super::refund::Refund;
use crate::domain::{DisputeState, Outcome, Reference, RefundOutcome};
use crate::provider::{About, Notice};

const PAYMENT: &str = "pay_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
const ATTEMPT: &str = "att_0190b0e1c7f67c3e9d1a2b3c4d5e6f71";
const REFUND: &str = "ref_0190b0e1c7f67c3e9d1a2b3c4d5e6f72";

fn intent(status: &str, more: &Value) -> Value {
    let mut intent = json!({
        "id": "pi_1", "object": "payment_intent", "amount": 2500, "amount_received": 0,
        "currency": "eur", "created": 1_769_860_800, "status": status, "livemode": false,
        "next_action": null, "last_payment_error": null, "latest_charge": null,
        "cancellation_reason": null, "metadata": { "payment_id": PAYMENT, "attempt_id": ATTEMPT },
    });
    let fields = more.as_object().unwrap().clone();
    intent.as_object_mut().unwrap().extend(fields);
    intent
}

fn outcome(status: &str, more: &Value) -> Option<Outcome> {
    serde_json::from_value::<Intent>(intent(status, more)).unwrap().outcome()
}

fn reference() -> Reference {
    Reference("pi_1".into())
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn declined(failure: Failure) -> Outcome {
    Outcome::Declined { failure }
}

fn webhook(kind: &str, object: &Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "api_version": "2024-12-18.acacia", "type": kind,
        "created": 1_769_860_800, "data": { "object": object }, "livemode": false,
        "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null },
    })
}

fn event(kind: &str, object: &Value) -> Said {
    read(webhook(kind, object).to_string().as_bytes())
}

fn about(kind: &str, object: &Value) -> Option<About> {
    match event(kind, object) {
        Said::Ours(Notice { id, about }) => {
            assert_eq!(id, "evt_1");
            Some(about)
        }
        Said::Disputed { .. } | Said::Else => None,
    }
}

#[test]
fn an_intent_that_was_not_confirmed_has_no_outcome() {
    assert_eq!(outcome("requires_confirmation", &json!({})), None);
}

#[test]
fn what_came_is_what_is_captured() {
    let whole = outcome("succeeded", &json!({ "amount_received": 2500 }));
    let part = outcome("succeeded", &json!({ "amount_received": 1000 }));
    let yen = outcome("succeeded", &json!({ "amount_received": 2500, "currency": "jpy" }));
    let kept = outcome("canceled", &json!({ "amount_received": 1000 }));

    let captured = |amount| Some(Outcome::Captured { reference: reference(), amount });
    assert_eq!(whole, captured(eur(2500)));
    assert_eq!(part, captured(eur(1000)));
    // A currency without minor units counts its units here and there.
    assert_eq!(yen, captured(Money::new(2500, "JPY".parse().unwrap())));
    assert_eq!(kept, captured(eur(1000)));
}

#[test]
fn a_promise_ends_when_the_bank_says_or_early() {
    let card = json!({ "card": { "capture_before": 1_770_400_000 } });
    let told = json!({ "latest_charge": { "id": "ch_1", "payment_method_details": card } });

    let promised = |more: Value| match outcome("requires_capture", &more) {
        Some(Outcome::Authorized { capture_by, .. }) => capture_by.as_millis() / 1000,
        other => panic!("{other:?}"),
    };

    assert_eq!(promised(told), 1_770_400_000);
    assert_eq!(promised(json!({ "latest_charge": "ch_1" })), 1_769_860_800 + 114 * 3600);
    assert_eq!(promised(json!({ "latest_charge": {} })), 1_769_860_800 + 114 * 3600);
}

#[test]
fn a_shopper_is_sent_to_the_page_that_stripe_names() {
    let url = "https://hooks.stripe.com/3d_secure_2/1";
    let page = json!({ "type": "redirect_to_url", "redirect_to_url": { "url": url } });
    let script = json!({ "type": "use_stripe_sdk", "use_stripe_sdk": {} });

    let asks = outcome("requires_action", &json!({ "next_action": page }));
    let nowhere = outcome("requires_action", &json!({ "next_action": script }));

    let reference = reference();
    assert_eq!(
        asks,
        Some(Outcome::ActionRequired { reference: reference.clone(), url: url.into() })
    );
    assert_eq!(nowhere, Some(Outcome::Processing { reference }));
}

#[test]
fn what_failed_says_why() {
    let error = |code: &str, decline: Value| json!({ "last_payment_error": { "code": code, "decline_code": decline } });
    let poor = error("card_declined", json!("insufficient_funds"));
    let unsure = error("payment_intent_authentication_failure", Value::Null);

    let failed = |more: &Value| outcome("requires_payment_method", more);

    assert_eq!(failed(&poor), Some(declined(Failure::InsufficientFunds)));
    assert_eq!(failed(&unsure), Some(declined(Failure::NotAuthenticated)));
    assert_eq!(failed(&json!({})), Some(declined(Failure::Declined)));
}

#[test]
fn what_the_shop_gave_up_is_told_from_what_ran_out() {
    let by = |reason: Value| outcome("canceled", &json!({ "cancellation_reason": reason }));

    assert_eq!(by(Value::Null), Some(declined(Failure::CalledOff)));
    assert_eq!(by(json!("requested_by_customer")), Some(declined(Failure::CalledOff)));
    assert_eq!(by(json!("automatic")), Some(declined(Failure::AuthorizationEnded)));
}

#[test]
fn what_is_under_way_or_not_known_is_waited_for() {
    let processing = Some(Outcome::Processing { reference: reference() });

    assert_eq!(outcome("processing", &json!({})), processing);
    assert_eq!(outcome("a status of next year", &json!({})), processing);
}

#[test]
fn an_event_of_an_intent_tells_of_its_attempt() {
    let came = intent("succeeded", &json!({ "amount_received": 2500 }));
    let (payment, attempt): (PaymentId, AttemptId) =
        (PAYMENT.parse().unwrap(), ATTEMPT.parse().unwrap());
    let outcome = Outcome::Captured { reference: reference(), amount: eur(2500) };

    let told = about("payment_intent.succeeded", &came);

    assert_eq!(told, Some(About::Attempt { payment, attempt, outcome }));
    assert_eq!(about("payment_intent.created", &came), None);
    let others = json!({ "metadata": { "attempt_id": "7", "payment_id": PAYMENT } });
    assert_eq!(about("payment_intent.succeeded", &intent("succeeded", &others)), None);
}

#[test]
fn an_event_of_a_refund_tells_how_it_stands() {
    let refund = |status: &str| {
        json!({ "id": "re_1", "object": "refund", "amount": 100, "currency": "eur",
            "status": status, "payment_intent": "pi_1",
            "metadata": { "payment_id": PAYMENT, "refund_id": REFUND } })
    };
    let (payment, name): (PaymentId, RefundId) =
        (PAYMENT.parse().unwrap(), REFUND.parse().unwrap());
    let told = |outcome| Some(About::Refund { payment, refund: name, outcome });

    assert_eq!(about("refund.updated", &refund("succeeded")), told(RefundOutcome::Done));
    assert_eq!(about("refund.updated", &refund("pending")), told(RefundOutcome::Processing));
    assert_eq!(about("refund.failed", &refund("failed")), told(RefundOutcome::Refused));
    let charge = json!({ "id": "ch_1", "refunds": { "data": [refund("succeeded")] } });
    assert_eq!(about("charge.refunded", &charge), told(RefundOutcome::Done));
    assert_eq!(about("charge.refunded", &json!({ "id": "ch_1" })), None);
}

#[test]
fn a_dispute_counts_from_when_it_takes_money() {
    let dispute = |status: &str| {
        json!({ "id": "dp_1", "object": "dispute", "amount": 2500, "currency": "eur",
            "charge": "ch_1", "payment_intent": "pi_1", "status": status, "reason": "fraudulent" })
    };
    let told = |id: &str, state| {
        let (id, name) = (id.into(), "dp_1".into());
        let dispute = Disputed { id, name, amount: eur(2500), state };
        Said::Disputed { charge: reference(), dispute }
    };

    let opened = event("charge.dispute.created", &dispute("needs_response"));
    let inquiry = event("charge.dispute.created", &dispute("warning_needs_response"));
    let withdrawn = event("charge.dispute.funds_withdrawn", &dispute("needs_response"));
    let won = event("charge.dispute.closed", &dispute("won"));
    let lost = event("charge.dispute.closed", &dispute("lost"));

    assert_eq!(opened, told("dp_1.opened", DisputeState::Opened));
    assert_eq!(inquiry, Said::Else);
    assert_eq!(withdrawn, opened, "it is one dispute, and one notice");
    assert_eq!(won, told("dp_1.won", DisputeState::Won));
    assert_eq!(lost, told("dp_1.lost", DisputeState::Lost));
}

#[test]
fn what_does_not_read_is_of_no_interest() {
    for body in ["", "{}", "null", "[]", "\u{0}", r#"{"id":"evt_1","type":"x","data":{}}"#] {
        assert_eq!(read(body.as_bytes()), Said::Else, "{body}");
    }
    assert_eq!(event("payment_intent.succeeded", &json!({ "id": "pi_1" })), Said::Else);
    assert_eq!(event("charge.dispute.created", &json!([])), Said::Else);
}

/// JSON of any shape, with the names that are looked for.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z_]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["succeeded", "canceled", "requires_capture", "eur", PAYMENT])
            .prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "id",
        "status",
        "amount",
        "amount_received",
        "currency",
        "created",
        "metadata",
        "card",
        "next_action",
        "redirect_to_url",
        "url",
        "last_payment_error",
        "code",
        "latest_charge",
        "payment_method_details",
        "capture_before",
        "payment_id",
        "attempt_id",
        "refund_id",
        "refunds",
        "data",
        "has_more",
        "payment_intent",
        "cancellation_reason",
    ]);
    leaf.prop_recursive(4, 64, 16, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.clone().prop_map(str::to_owned), inner, 0..12)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn kinds() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "payment_intent.succeeded",
        "payment_intent.amount_capturable_updated",
        "refund.updated",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
    ])
}

/// Webhooks as they come.
fn webhooks() -> [Value; 4] {
    let page = json!({ "redirect_to_url": { "url": "https://bank.example" } });
    let asks = intent("requires_action", &json!({ "next_action": page }));
    let card = json!({ "card": { "capture_before": 1_770_400_000 } });
    let charge = json!({ "id": "ch_1", "payment_method_details": card });
    let promised = intent("requires_capture", &json!({ "latest_charge": charge }));
    let refund = json!({ "id": "re_1", "status": "succeeded",
        "metadata": { "payment_id": PAYMENT, "refund_id": REFUND } });
    let dispute = json!({ "id": "dp_1", "amount": 2500, "currency": "eur",
        "payment_intent": "pi_1", "status": "needs_response" });
    [
        webhook("payment_intent.requires_action", &asks),
        webhook("payment_intent.amount_capturable_updated", &promised),
        webhook("charge.refunded", &json!({ "refunds": { "data": [refund] } })),
        webhook("charge.dispute.created", &dispute),
    ]
}

#[test]
fn whatever_a_webhook_says_it_can_be_kept() {
    fuzz::always(&fuzz::nearly_json(&webhooks()), |body| {
        if let Said::Ours(notice) = read(&body) {
            prop_assert_eq!(notice.as_kept(), notice);
        }
        Ok(())
    });
}

#[test]
fn whatever_a_webhook_is_about_it_is_read_or_passed_over() {
    fuzz::always(&(kinds(), anything()), |(kind, object)| {
        let _ = event(kind, &object);
        if let Ok(refund) = serde_json::from_value::<Refund>(object) {
            let _ = refund.outcome();
        }
        Ok(())
    });
}

proptest! {
    #[test]
    fn any_moment_and_amount_is_taken(created: i64, before: i64, amount: i64, came: i64) {
        let card = json!({ "card": { "capture_before": before } });
        let more = json!({ "created": created, "amount": amount, "amount_received": came,
            "latest_charge": { "payment_method_details": card } });

        for status in ["requires_capture", "succeeded", "canceled"] {
            prop_assert!(outcome(status, &more).is_some());
        }
    }
}
