//! What each fact says.

use std::collections::BTreeSet;

use contracts::order::{
    Placed, RefundDue, RefundReason, ReturnReceived, Shipped, TrackingCorrected,
};
use contracts::payment::{DisputeClosed, Failed, Failure, RefundFailed, RefundFailure};
use contracts::{Event as _, Kind, catalogue, product};

use super::noon;
use crate::timeline::hearing::examples;
use crate::timeline::words::{Worded, Words};

fn text(words: &Words) -> &str {
    &words.text
}

#[test]
fn every_fact_about_an_order_is_told_of() {
    let told: BTreeSet<String> = examples().into_iter().map(|(name, _)| name).collect();

    let facts: BTreeSet<String> = catalogue()
        .iter()
        .filter(|event| event.event_type.kind == Kind::Fact)
        .filter(|event| event.sample.get("order_id").is_some())
        .map(|event| event.event_type.type_name())
        .collect();

    assert_eq!(told, facts);
}

#[test]
fn every_fact_makes_a_sentence() {
    let said: Vec<(String, String)> =
        examples().into_iter().map(|(name, words)| (name, words.text)).collect();

    let expected = [
        ("souk.cart.checked_out.v1", "You ordered 2 × MUG-BLUE for 25.00 EUR"),
        ("souk.order.placed.v1", "The warehouse is asked to set 2 × MUG-BLUE aside"),
        ("souk.product.reserved.v1", "The goods are set aside for you"),
        ("souk.order.payment_due.v1", "25.00 EUR is to be paid by 12:15 UTC"),
        ("souk.payment.attempt_started.v1", "A payment was begun"),
        ("souk.order.pay_by_extended.v1", "There is more time to pay, until 12:20 UTC"),
        ("souk.payment.action_required.v1", "Your bank wants you to confirm the payment"),
        ("souk.payment.authorized.v1", "Your bank holds 25.00 EUR for the order until it is sent"),
        ("souk.payment.captured.v1", "You paid 25.00 EUR"),
        ("souk.order.paid.v1", "The shop has your order and will send it"),
        ("souk.product.committed.v1", "The goods that were set aside are sold"),
        (
            "souk.order.capture_due.v1",
            "The goods are ready to be sent; your bank is asked for the money",
        ),
        ("souk.order.shipped.v1", "2 × MUG-BLUE left the warehouse with Hermes, tracking H-123456"),
        (
            "souk.order.tracking_corrected.v1",
            "The tracking of parcel 1 was corrected: it travels with Hermes, tracking H-123457",
        ),
        ("souk.order.delivered.v1", "The goods arrived"),
        ("souk.order.completed.v1", "The order is complete"),
        ("souk.product.refused.v1", "The goods were not all there: only 1 of 2 × MUG-BLUE"),
        ("souk.payment.failed.v1", "Your card was declined"),
        ("souk.order.address_changed.v1", "The shop has an address for the goods from you"),
        ("souk.order.cancelled.v1", "You cancelled the order"),
        ("souk.order.expired.v1", "The order expired"),
        ("souk.product.released.v1", "The goods that were set aside are for sale again"),
        ("souk.product.commit_refused.v1", "The goods were gone: only 1 of 2 × MUG-BLUE"),
        (
            "souk.product.reservation_overdue.v1",
            "The goods are set aside since 12:00 UTC: product asks what became of the order",
        ),
        (
            "souk.payment.capture_failed.v1",
            "The money that your bank held for the order could not be collected",
        ),
        ("souk.order.return_requested.v1", "You want to send 2 × MUG-BLUE back"),
        ("souk.order.return_approved.v1", "The shop agrees to your return: send the goods back"),
        ("souk.order.return_rejected.v1", "The shop does not agree to your return"),
        ("souk.order.return_received.v1", "2 × MUG-BLUE came back to the shop"),
        ("souk.order.restock_due.v1", "The warehouse is asked to put 2 × MUG-BLUE back on sale"),
        ("souk.order.refund_due.v1", "25.00 EUR is to go back to you"),
        ("souk.payment.refunded.v1", "25.00 EUR went back to you"),
        ("souk.order.refunded.v1", "The order knows that 25.00 EUR went back"),
        (
            "souk.payment.refund_failed.v1",
            "25.00 EUR could not be sent back to you; the shop has to find another way",
        ),
        ("souk.payment.disputed.v1", "Your bank took 25.00 EUR back until it is clear whose it is"),
        ("souk.payment.dispute_closed.v1", "Your bank decided that 25.00 EUR is yours"),
    ];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(said, expected);
}

#[test]
fn nothing_personal_is_kept() {
    let customer = contracts::order::PaymentDue::sample().customer.to_string();

    for (name, words) in examples() {
        assert!(!format!("{words:?}").contains(&customer), "{name}: {words:?}");
    }
}

#[test]
fn a_declined_card_says_why_unless_that_helps_a_thief() {
    for (failure, says) in [
        (Failure::InsufficientFunds, "Your card was declined: not enough money"),
        (Failure::LostOrStolen, "Your card was declined"),
        (Failure::Suspicious, "Your card was declined"),
        (Failure::CalledOff, "The payment was called off"),
        (Failure::Unknown, "The payment failed"),
    ] {
        let words = Failed { failure, ..Failed::sample() }.words(noon(0));

        assert_eq!(text(&words), says);
        let code = serde_json::to_value(failure).unwrap();
        assert_eq!(words.details["failure"], code.as_str().unwrap(), "staff see the code");
    }
}

#[test]
fn a_value_of_a_newer_version_still_makes_a_sentence() {
    let failed: Failed = {
        let mut data = serde_json::to_value(Failed::sample()).unwrap();
        data["failure"] = "eaten_by_dog".into();
        serde_json::from_value(data).unwrap()
    };
    assert_eq!(text(&failed.words(noon(0))), "The payment failed");

    let due = RefundDue { reason: RefundReason::Unknown, ..RefundDue::sample() };
    assert_eq!(due.words(noon(0)).why, None);

    let failure = RefundFailure::Unknown;
    let words = RefundFailed { failure, ..RefundFailed::sample() }.words(noon(0));
    assert_eq!(text(&words), "25.00 EUR could not be sent back to you yet");
}

#[test]
fn what_an_older_version_did_not_say_is_left_out() {
    let shipped = Shipped { lines: Vec::new(), more_to_come: true, ..Shipped::sample() };
    let refused = product::Refused { shortages: Vec::new(), ..product::Refused::sample() };

    assert_eq!(
        text(&shipped.words(noon(0))),
        "The goods left the warehouse with Hermes, tracking H-123456; more is to follow"
    );
    assert_eq!(text(&refused.words(noon(0))), "The goods were not all there");
}

#[test]
fn shoppers_see_nothing_of_the_warehouse() {
    let for_staff: Vec<String> = examples()
        .into_iter()
        .filter(|(_, words)| words.for_staff)
        .map(|(name, _)| name.split('.').nth(2).unwrap_or_default().to_owned())
        .collect();

    let expected =
        ["placed", "committed", "released", "reservation_overdue", "restock_due", "refunded"];
    assert_eq!(for_staff, expected);
    let again = Placed { round: 2, ..Placed::sample() }.words(noon(0));
    assert!(!again.for_staff, "that the shop looks again is theirs to know");
}

#[test]
fn a_dispute_ends_one_way_or_the_other() {
    let won = DisputeClosed { won: true, ..DisputeClosed::sample() }.words(noon(0));

    assert_eq!(text(&won), "Your bank decided that 25.00 EUR stays with the shop");
}

#[test]
fn parcels_without_tracking_make_sentences() {
    let sent = |carrier: &str, tracking: &str| {
        let (carrier, tracking) = (carrier.to_owned(), tracking.to_owned());
        Shipped { carrier, tracking, ..Shipped::sample() }.words(noon(0)).text
    };

    assert_eq!(sent("", ""), "2 × MUG-BLUE left the warehouse");
    assert_eq!(sent("Hermes", ""), "2 × MUG-BLUE left the warehouse with Hermes");
    assert_eq!(sent("", "H-1"), "2 × MUG-BLUE left the warehouse, tracking H-1");
    assert_eq!(sent("-", "-"), "2 × MUG-BLUE left the warehouse");
    for (carrier, tracking, text) in [
        ("", "", "it travels without tracking"),
        ("-", "-", "it travels without tracking"),
        ("Hermes", "", "it travels with Hermes, without tracking"),
        ("", "T9", "its tracking number is T9"),
    ] {
        let (carrier, tracking) = (carrier.to_owned(), tracking.to_owned());
        let corrected = TrackingCorrected { carrier, tracking, ..TrackingCorrected::sample() };
        let text = format!("The tracking of parcel 1 was corrected: {text}");
        assert_eq!(corrected.words(noon(0)).text, text);
    }
}

#[test]
fn return_of_nothing_says_so() {
    let nothing = ReturnReceived { lines: Vec::new(), ..ReturnReceived::sample() };

    let words = nothing.words(noon(0));

    assert_eq!(text(&words), "Nothing of your return came to the shop");
    assert_eq!(words.explains, None);
}
