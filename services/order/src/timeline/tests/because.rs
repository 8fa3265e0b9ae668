//! What explains what.

use contracts::cart::CheckedOut;
use contracts::order::{
    CancelReason, Cancelled, Expired, PayByExtended, PaymentDue, Placed, RefundDue, RefundReason,
};
use contracts::payment::{
    Authorized, Captured, Failed, Failure, RefundFailed, RefundFailure, Refunded,
};
use contracts::product::{CommitRefused, Refused, Released, Reserved};
use contracts::{Event as _, RefundId, order};

use super::{Entry, Timeline, event, heard, noon, told};
use crate::timeline::Because;

fn cancelled(reason: CancelReason) -> Cancelled {
    Cancelled { reason, ..Cancelled::sample() }
}

fn refund_due(reason: RefundReason) -> RefundDue {
    RefundDue { reason, ..RefundDue::sample() }
}

/// What all of them say, in order.
fn texts(entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    heard(entries).story().iter().map(super::super::Line::text).collect()
}

/// An order that was paid, and whose goods were gone then.
fn gone() -> [Entry; 5] {
    [
        told(1, noon(1), "req_1", &Captured::sample()),
        told(2, noon(3), &event(1).to_string(), &CommitRefused::sample()),
        told(3, noon(3), &event(2).to_string(), &cancelled(CancelReason::OutOfStock)),
        told(4, noon(3), &event(2).to_string(), &refund_due(RefundReason::OutOfStock)),
        told(5, noon(9), &event(4).to_string(), &Refunded::sample()),
    ]
}

#[test]
fn a_refund_is_explained_by_what_led_to_it() {
    let timeline = heard(gone());

    let story = timeline.story();
    let refund = story.last().unwrap();

    let text = "25.00 EUR went back to you because the goods were gone at 12:03 UTC.";
    assert_eq!(refund.text(), text);
    let clause = "the goods were gone at 12:03 UTC".to_owned();
    let because = Because { clause, what: "commit_refused", at: noon(3) };
    assert_eq!(refund.because, Some(because));
}

#[test]
fn a_refund_that_was_found_out_later_is_explained_by_what_asked_for_it() {
    let [.., gone, _, due, _] = gone();
    let found = told(5, noon(90), "reconcile:1", &Refunded::sample());
    let other = RefundId::from_uuid(uuid::Uuid::from_u128(77));
    let other =
        told(6, noon(91), "reconcile:2", &Refunded { refund_id: other, ..Refunded::sample() });

    let texts = texts([gone, due, found, other]);

    let explained = "25.00 EUR went back to you because the goods were gone at 12:03 UTC.";
    assert_eq!(texts[2..], [explained, "25.00 EUR went back to you."]);
}

#[test]
fn what_is_missing_in_between_leaves_the_reason_that_is_told() {
    let [.., due, refunded] = gone();

    assert_eq!(
        texts([due, refunded]),
        [
            "25.00 EUR is to go back to you because the goods were gone.",
            "25.00 EUR went back to you because the goods were gone."
        ]
    );
}

#[test]
fn an_order_that_ends_says_why() {
    for (reason, text) in [
        (CancelReason::OutOfStock, "The order was cancelled because the goods were not there."),
        (CancelReason::Customer, "You cancelled the order."),
        (CancelReason::Staff, "The shop cancelled the order."),
        (CancelReason::Refunded, "The shop cancelled the order and gives your money back."),
        (
            CancelReason::NotCollected,
            "The order was cancelled because its money could not be collected.",
        ),
        (CancelReason::Unknown, "The order was cancelled."),
    ] {
        assert_eq!(texts([told(1, noon(0), "req_1", &cancelled(reason))]), [text]);
    }
    let expired = told(1, noon(0), "pay_by:1", &Expired::sample());
    assert_eq!(texts([expired]), ["The order expired because it was not paid in time."]);
}

#[test]
fn money_that_came_too_late_goes_back_because_the_goods_were_sold_meanwhile() {
    let again = Placed { round: 2, ..Placed::sample() };
    let refused = Refused { round: 2, ..Refused::sample() };

    let texts = texts([
        told(1, noon(0), "req_1", &Captured::sample()),
        told(2, noon(1), &event(1).to_string(), &again),
        told(3, noon(2), &event(2).to_string(), &refused),
        told(4, noon(3), &event(3).to_string(), &Expired { round: 2, ..Expired::sample() }),
        told(5, noon(3), &event(3).to_string(), &refund_due(RefundReason::TooLate)),
        told(6, noon(60 * 24), &event(5).to_string(), &Refunded::sample()),
    ]);

    assert_eq!(
        texts,
        [
            "You paid 25.00 EUR.",
            "The shop looks whether the goods are still there.",
            "The goods were not all there: only 1 of 2 × MUG-BLUE.",
            "The order expired because the goods were not all there at 12:02 UTC.",
            "25.00 EUR is to go back to you because the goods were not all there at 12:02 UTC.",
            "25.00 EUR went back to you because the goods were not all there at 12:02 UTC on \
             2026-01-31.",
        ]
    );
}

/// The shop gives money back, and the provider refuses.
fn refused(failure: RefundFailure) -> RefundFailed {
    RefundFailed { failure, ..RefundFailed::sample() }
}

#[test]
fn failed_refund_has_no_cause_of_another() {
    let (due, cause) = (refund_due(RefundReason::Goodwill), event(2).to_string());
    let cancelled = cancelled(CancelReason::Customer);

    let texts = texts([
        told(1, noon(0), "req_1", &cancelled),
        told(2, noon(1), &event(1).to_string(), &due),
        told(3, noon(2), &cause, &refused(RefundFailure::Refused)),
        told(4, noon(3), &cause, &refused(RefundFailure::NothingLeft)),
        told(5, noon(4), &cause, &refused(RefundFailure::Unknown)),
    ]);

    assert_eq!(
        texts[2..],
        [
            "25.00 EUR could not be sent back to you; the shop has to find another way.",
            "25.00 EUR did not go back to you: all that you paid is back already.",
            "25.00 EUR could not be sent back to you yet.",
        ]
    );
}

#[test]
fn cancellation_has_no_cause_but_its_own() {
    let texts = texts([
        told(1, noon(0), "req_1", &refund_due(RefundReason::Goodwill)),
        told(2, noon(1), &event(1).to_string(), &Refunded::sample()),
        told(3, noon(2), &event(2).to_string(), &cancelled(CancelReason::Refunded)),
        told(4, noon(3), &event(3).to_string(), &Released::sample()),
    ]);

    assert_eq!(
        texts[1..],
        [
            "25.00 EUR went back to you because the shop gives it back.",
            "The shop cancelled the order and gives your money back.",
            "The goods that were set aside are for sale again because the shop cancelled the \
             order at 12:02 UTC.",
        ]
    );
}

#[test]
fn only_consequences_have_causes() {
    let cause = event(1).to_string();
    let late = |failure| Failed { failure, ..Failed::sample() };

    let texts = texts([
        told(1, noon(0), "req_1", &cancelled(CancelReason::Customer)),
        told(2, noon(1), &cause, &Captured::sample()),
        told(3, noon(2), &cause, &late(Failure::Declined)),
        told(4, noon(3), &cause, &late(Failure::CalledOff)),
    ]);

    assert_eq!(
        texts[1..],
        [
            "You paid 25.00 EUR.",
            "Your card was declined.",
            "The payment was called off because you cancelled the order at 12:00 UTC.",
        ]
    );
}

#[test]
fn a_request_and_an_unknown_fact_explain_nothing() {
    let unknown = event(99).to_string();

    for cause in ["req_1", unknown.as_str(), "", "evt_1", "evt_00000000000000000000000000000001"] {
        assert_eq!(
            texts([told(1, noon(0), cause, &Released::sample())]),
            ["The goods that were set aside are for sale again."],
            "{cause}"
        );
    }
}

#[test]
fn what_goes_in_circles_ends() {
    let [one, other] = [event(1), event(2)].map(|id| id.to_string());

    let texts = texts([
        told(1, noon(0), &other, &cancelled(CancelReason::Customer)),
        told(2, noon(1), &one, &Failed::sample()),
    ]);

    assert_eq!(texts.len(), 2);
}

#[test]
fn what_is_told_again_is_shown_to_shoppers_once() {
    let address = order::AddressChanged::sample;
    let timeline = heard([
        told(1, noon(0), "req_1", &cancelled(CancelReason::Customer)),
        told(2, noon(1), &event(9).to_string(), &cancelled(CancelReason::Customer)),
        told(3, noon(2), "x", &Expired { round: 1, ..Expired::sample() }),
        told(4, noon(3), "x", &Expired { round: 2, ..Expired::sample() }),
        told(5, noon(4), "x", &Expired { round: 2, ..Expired::sample() }),
        told(6, noon(5), "req_2", &address()),
        told(7, noon(6), "req_3", &address()),
    ]);

    let story = timeline.story();

    let shown: Vec<bool> = story.iter().map(super::super::Line::is_for_shoppers).collect();
    assert_eq!(shown, [true, false, true, true, false, true, true]);
}

#[test]
fn what_caused_something_stands_before_it_even_if_a_clock_is_wrong() {
    let timeline = heard([
        told(1, noon(2), "req_1", &Captured::sample()),
        told(2, noon(1), &event(1).to_string(), &order::Paid::sample()),
        told(3, noon(0), &event(2).to_string(), &Released::sample()),
    ]);

    let story = timeline.story();

    let order: Vec<&str> = story.iter().map(super::super::Line::what).collect();
    assert_eq!(order, ["captured", "paid", "released"]);
}

#[test]
fn what_was_told_at_once_stands_as_it_was_told() {
    let [one, other] = [
        told(2, noon(0), "req_1", &cancelled(CancelReason::Customer)),
        told(1, noon(0), "req_1", &refund_due(RefundReason::Cancelled)),
    ];

    let texts = texts([Entry { sequence: 9, ..other }, Entry { sequence: 8, ..one }]);

    assert_eq!(texts[0], "You cancelled the order.");
}

/// What shoppers read: the timeline, and what was heard one by one.
fn read_by_shoppers(timeline: &Timeline) -> [Vec<String>; 2] {
    [timeline.story(), timeline.heard_after(0)].map(|lines| {
        let shown = lines.iter().filter(|line| line.is_for_shoppers());
        shown.map(|line| line.what().to_owned()).collect()
    })
}

#[test]
fn cancelled_order_has_nothing_set_aside() {
    let reason = CancelReason::Customer;
    let late = |minute| {
        vec![
            told(4, noon(minute), &event(1).to_string(), &Reserved::sample()),
            told(5, noon(minute), &event(4).to_string(), &PaymentDue::sample()),
            told(6, noon(minute), "req_2", &Authorized::sample()),
        ]
    };
    let begins = told(1, noon(0), "req_1", &CheckedOut::sample());
    let cancelled = told(2, noon(1), "req_3", &Cancelled { reason, ..Cancelled::sample() });

    for minute in [0, 2] {
        let entries = [vec![begins.clone(), cancelled.clone()], late(minute)].concat();
        let [sorted, as_heard] = read_by_shoppers(&heard(entries));

        assert_eq!(sorted.last().map(String::as_str), Some("cancelled"), "{sorted:?}");
        assert_eq!(as_heard, ["checked_out", "cancelled"]);
    }
}

#[test]
fn late_money_revives_an_expired_order() {
    let again = Placed { round: 2, ..Placed::sample() };
    let timeline = heard([
        told(1, noon(0), "req_1", &Expired::sample()),
        told(2, noon(1), "late", &PayByExtended::sample()),
        told(3, noon(2), "req_2", &again),
        told(4, noon(3), &event(3).to_string(), &Reserved::sample()),
    ]);

    let [sorted, _] = read_by_shoppers(&timeline);

    assert_eq!(sorted, ["expired", "placed", "reserved"]);
}
