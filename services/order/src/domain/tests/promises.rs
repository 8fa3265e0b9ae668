//! Money that is promised, and collected when the goods are to leave.

use contracts::order::CaptureDue;

use super::*;

fn promise(order: Order, number: u128) -> Change<Order> {
    let promise = Promise { amount: order.sums.total, capture_by: minutes(7 * 24 * 60) };
    order.authorize(attempt(number), promise, noon()).unwrap()
}

fn promised() -> Order {
    promise(reserved(), 1).value
}

fn waiting() -> Order {
    promised().ship(shipment(), noon()).unwrap().value
}

#[test]
fn promised_money_pays_the_order() {
    let change = promise(reserved(), 1);

    assert_eq!(change.told::<PaidEvent>().len(), 1);
    assert_eq!(change.value.status, paid().status);
    changes_nothing(&promise(change.value.clone(), 1), &change.value);
}

#[test]
fn promised_money_that_overtakes_the_goods_is_remembered() {
    let early = promise(placed(), 1);
    assert!(early.tells_nothing());

    let change = early.value.reserve(1, noon(), &TERMS);

    assert_eq!(change.told::<PaidEvent>().len(), 1);
    assert!(change.told::<PaymentDue>().is_empty());
}

#[test]
fn money_that_is_promised_late_is_let_go() {
    let change = promise(expired(), 1);

    assert!(change.tells_nothing(), "payment calls it off");
    assert_eq!(change.value.status, expired().status);
    assert!(change.value.payment.promise().is_none());
    let called_off = change.value.clone().fail_capture(attempt(1), noon());
    assert_eq!(called_off.value.status, expired().status);
    // Money that is here wakes the order, also when it was promised before.
    let came = captured(change.value);
    assert_eq!(came.told::<PlacedEvent>()[0].round, 2);
    assert_eq!(came.value.reserve(2, noon(), &TERMS).value.status, paid().status);
}

#[test]
fn a_promise_for_an_order_given_up_means_nothing() {
    let change = promise(cancelled(), 1);

    assert!(change.tells_nothing());
    assert_eq!(change.value.status, cancelled().status);
    assert!(change.value.payment.promise().is_none());
}

#[test]
fn a_parcel_waits_for_promised_money() {
    let change = promised().ship(shipment(), noon()).unwrap();

    assert_eq!(change.told::<CaptureDue>().len(), 1);
    assert!(change.told::<ShippedEvent>().is_empty());
    assert_eq!(change.value.status, paid().status);
    let packed = change.value.waiting.as_ref().unwrap();
    assert_eq!(packed.lines, change.value.bought());
    changes_nothing(&waiting().ship(shipment(), minutes(1)).unwrap(), &waiting());
    let other = waiting().ship(Shipment { tracking: Some(label("H-2")), ..shipment() }, noon());
    let standing = Standing {
        stage: Stage::Paid,
        allowed: vec![Act::Cancel, Act::CorrectTracking],
        pay_by: None,
        returns_since: None,
    };
    assert_eq!(other.unwrap_err(), Refusal::Unfit { act: Act::Ship, standing });
}

#[test]
fn what_waits_is_sent_when_the_money_is_here() {
    let change = captured(waiting());

    assert_eq!(change.told::<ShippedEvent>()[0].tracking, "H-123456");
    assert_eq!(change.value.status, shipped().status);
    assert_eq!(change.value.waiting, None);
}

#[test]
fn money_that_was_collected_before_lets_goods_go_at_once() {
    let change = captured(promised()).value.ship(shipment(), noon()).unwrap();

    assert!(change.told::<CaptureDue>().is_empty());
    assert_eq!(change.told::<ShippedEvent>().len(), 1);
}

#[test]
fn an_order_whose_money_is_not_collected_is_given_up() {
    for order in [promised(), waiting()] {
        let change = order.fail_capture(attempt(1), noon());

        assert_eq!(change.told::<CancelledEvent>()[0].reason, CancelReason::NotCollected);
        assert!(due(&change).is_empty());
        assert_eq!(change.value.waiting, None);
        changes_nothing(&change.value.clone().fail_capture(attempt(1), noon()), &change.value);
    }
}

#[test]
fn a_cancel_that_races_the_collection_has_one_outcome() {
    let cancelled = waiting().cancel(CancelReason::Customer, None, noon()).unwrap();
    assert_eq!(cancelled.told::<CancelledEvent>().len(), 1);
    assert!(due(&cancelled).is_empty());
    let late = captured(cancelled.value);
    assert_eq!(due(&late), [(2500, RefundReason::TooLate)]);
    assert!(late.told::<ShippedEvent>().is_empty());

    let sent = captured(waiting()).value;
    let refused = sent.clone().cancel(CancelReason::Customer, None, noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Unfit { act: Act::Cancel, .. }));
}

#[test]
fn a_promise_that_broke_before_it_was_heard_of_counts_for_nothing() {
    let broken = reserved().fail_capture(attempt(1), noon()).value;
    changes_nothing(&promise(broken.clone(), 1), &broken);

    let change = promise(broken, 2);

    assert_eq!(change.value.status, paid().status);
}

#[test]
fn a_promise_that_was_kept_cannot_break() {
    let kept = captured(promised()).value;

    changes_nothing(&kept.clone().fail_capture(attempt(1), noon()), &kept);
    changes_nothing(&shipped().fail_capture(attempt(1), noon()), &shipped());
    changes_nothing(&promise(paid(), 1), &paid());
}

#[test]
fn promised_money_is_not_given_back_by_the_piece() {
    let refused = promised().refund(&giving_back(1, [1, 0]), noon()).unwrap_err();

    let allowed = vec![Act::Cancel, Act::Ship, Act::ChangeAddress];
    let standing = Standing { stage: Stage::Paid, allowed, pay_by: None, returns_since: None };
    assert_eq!(refused, Refusal::Unfit { act: Act::Refund, standing });
}

#[test]
fn another_promise_than_the_total_is_not_taken_for_it() {
    let promise = Promise { amount: eur(2499), capture_by: minutes(1) };

    let refused = reserved().authorize(attempt(1), promise, noon());

    assert_eq!(refused.unwrap_err(), Refusal::DoesNotAddUp);
}
