//! Each arrow, and what does not move.

use std::time::Duration;

use contracts::order::{
    Cancelled as CancelledEvent, Completed as CompletedEvent, Delivered as DeliveredEvent,
    Expired as ExpiredEvent, Paid as PaidEvent, PayByExtended, PaymentDue, Placed as PlacedEvent,
    RefundDue, Shipped as ShippedEvent,
};
use contracts::{Currency, PaymentId};
use uuid::Uuid;

use super::*;

pub(super) const TERMS: Terms = Terms {
    to_pay: Duration::from_mins(15),
    to_finish_paying: Duration::from_mins(5),
    to_return: Duration::from_hours(24 * 14),
};

pub(super) fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn minutes(minutes: u64) -> Timestamp {
    noon().plus(Duration::from_mins(minutes))
}

pub(super) fn bought() -> CheckedOut {
    CheckedOut::sample()
}

pub(super) fn placed() -> Order {
    Order::place(bought(), noon()).unwrap().value
}

fn reserved() -> Order {
    placed().reserve(1, noon(), &TERMS).value
}

fn expired() -> Order {
    reserved().expire(minutes(15)).value
}

fn paid() -> Order {
    captured(reserved()).value
}

fn shipped() -> Order {
    paid().ship(parcel(), noon()).unwrap().value
}

fn delivered() -> Order {
    shipped().deliver(noon()).unwrap().value
}

fn cancelled() -> Order {
    reserved().cancel(CancelReason::Customer, noon()).unwrap().value
}

/// Paid after it had expired, and asking for its goods again.
fn paid_late() -> Order {
    captured(expired()).value
}

fn captured(order: Order) -> Change<Order> {
    let total = order.sums.total;
    order.capture(attempt(1), total, noon()).unwrap()
}

fn refunded(order: Order, number: u128, amount: i64) -> Outcome {
    order.refunded(refund(number), eur(amount), noon())
}

/// Names one of the attempts to pay.
pub(super) fn attempt(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

/// Names one of the refunds.
pub(super) fn refund(number: u128) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn parcel() -> Parcel {
    let label = |text: &str| Label::try_from(text.to_owned()).unwrap();
    Parcel { carrier: label("Hermes"), tracking: label("H-123456") }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn refund_due(amount: i64) -> RefundDue {
    let order_id = placed().id;
    RefundDue { order_id, payment_id: PaymentId::of(order_id), amount: eur(amount) }
}

#[track_caller]
fn changes_nothing(change: &Change<Order>, before: &Order) {
    assert!(change.is_none());
    assert_eq!(&change.value, before);
}

#[test]
fn a_checked_out_cart_asks_for_its_goods() {
    let change = Order::place(bought(), noon()).unwrap();

    let lines = PlacedEvent::sample().lines;
    let order_id = bought().order_id;
    assert_eq!(change.told::<PlacedEvent>(), [PlacedEvent { order_id, round: 1, lines }]);
    assert_eq!(change.value.status, Placed);
}

#[test]
fn what_does_not_add_up_is_no_order() {
    let with = |change: fn(&mut CheckedOut)| {
        let mut bought = bought();
        change(&mut bought);
        Order::place(bought, noon()).map(|change| change.value)
    };

    for contradiction in [
        with(|bought| bought.lines.clear()),
        with(|bought| bought.lines[0].line_total = eur(2499)),
        with(|bought| bought.lines[0].unit_price = eur(i64::MAX)),
        with(|bought| bought.subtotal = eur(2499)),
        with(|bought| bought.total = eur(0)),
        with(|bought| (bought.discount, bought.total) = (eur(-1), eur(2501))),
        with(|bought| (bought.discount, bought.total) = (eur(2501), eur(-1))),
        with(|bought| bought.tax = Money::new(0, "USD".parse().unwrap())),
        with(|bought| (bought.shipping, bought.tax) = (eur(i64::MAX), eur(1))),
    ] {
        assert_eq!(contradiction, Err(Refusal::DoesNotAddUp));
    }
    assert!(with(|bought| (bought.tax, bought.total) = (eur(7), eur(2507))).is_ok());
}

#[test]
fn goods_set_aside_ask_for_the_money() {
    let change = placed().reserve(1, noon(), &TERMS);

    let Order { id: order_id, customer, .. } = placed();
    let pay_by = minutes(15);
    assert_eq!(
        change.told::<PaymentDue>(),
        [PaymentDue { order_id, customer, amount: eur(2500), pay_by }]
    );
    assert_eq!(change.value.status, Reserved { pay_by, extended: false });
}

#[test]
fn an_order_that_costs_nothing_is_paid_as_soon_as_its_goods_are_set_aside() {
    let mut gift = bought();
    (gift.discount, gift.total) = (eur(2500), eur(0));
    let placed = Order::place(gift, noon()).unwrap().value;

    let change = placed.reserve(1, noon(), &TERMS);

    assert_eq!(change.value.status, Paid { at: noon() });
    assert_eq!(change.told::<PaidEvent>().len(), 1);
    assert!(change.told::<PaymentDue>().is_empty());
}

#[test]
fn an_answer_to_another_asking_means_nothing() {
    changes_nothing(&placed().reserve(2, noon(), &TERMS), &placed());
    changes_nothing(&placed().refuse(2, noon()), &placed());
    changes_nothing(&paid_late().reserve(1, noon(), &TERMS), &paid_late());
    changes_nothing(&paid_late().refuse(1, noon()), &paid_late());
}

#[test]
fn who_pays_at_the_last_moment_gets_more_time_once() {
    let change = reserved().await_attempt(minutes(14), &TERMS);

    let pay_by = minutes(19);
    assert_eq!(change.told::<PayByExtended>(), [PayByExtended { order_id: placed().id, pay_by }]);
    assert_eq!(change.value.status, Reserved { pay_by, extended: true });
    let extended = change.value;
    changes_nothing(&extended.clone().await_attempt(minutes(18), &TERMS), &extended);
}

#[test]
fn who_pays_early_keeps_the_extension_for_later() {
    changes_nothing(&reserved().await_attempt(minutes(10), &TERMS), &reserved());
}

#[test]
fn money_in_time_pays_the_order() {
    let change = captured(reserved());

    let Order { id: order_id, .. } = placed();
    let (payment_id, lines) = (PaymentId::of(order_id), PaidEvent::sample().lines);
    assert_eq!(change.told::<PaidEvent>(), [PaidEvent { order_id, payment_id, lines }]);
    assert_eq!(change.value.status, Paid { at: noon() });
    changes_nothing(&captured(change.value.clone()), &change.value);
}

#[test]
fn money_that_overtakes_the_goods_is_remembered() {
    let early = captured(placed());
    assert!(early.tells_nothing());

    let change = early.value.reserve(1, noon(), &TERMS);

    assert_eq!(change.told::<PaidEvent>().len(), 1);
    assert_eq!(change.value, paid());
}

#[test]
fn another_sum_than_the_total_is_not_taken_for_it() {
    for amount in [eur(2499), eur(2501), Money::new(2500, "USD".parse().unwrap())] {
        let refused = reserved().capture(attempt(1), amount, noon());

        assert_eq!(refused.unwrap_err(), Refusal::DoesNotAddUp);
    }
}

#[test]
fn who_paid_twice_bought_once() {
    let change = paid().capture(attempt(2), eur(2500), noon()).unwrap();

    assert!(change.tells_nothing());
    assert_eq!(change.value.status, paid().status);
    let back = refunded(change.value, 1, 2500).unwrap().value;
    assert_eq!(back.status, paid().status);
    assert_eq!(back.payment.remaining(), Some(eur(2500)));
}

#[test]
fn what_nobody_paid_expires_when_its_time_is_up() {
    changes_nothing(&reserved().expire(minutes(14)), &reserved());

    let change = reserved().expire(minutes(15));

    assert_eq!(change.told::<ExpiredEvent>()[0].round, 1);
    assert_eq!(change.value.status, Expired { at: minutes(15) });
}

#[test]
fn late_money_asks_for_the_goods_again() {
    let change = captured(expired());
    assert_eq!(change.told::<PlacedEvent>()[0].round, 2);
    assert_eq!(change.value.status, Placed);

    let change = change.value.reserve(2, noon(), &TERMS);

    assert_eq!(change.told::<PaidEvent>().len(), 1);
    assert_eq!(change.value.status, Paid { at: noon() });
}

#[test]
fn late_money_goes_back_when_the_goods_are_gone() {
    let change = paid_late().refuse(2, noon());

    assert_eq!(change.told::<RefundDue>(), [refund_due(2500)]);
    assert_eq!(change.value.status, Expired { at: noon() });
    changes_nothing(&captured(change.value.clone()), &change.value);
}

#[test]
fn an_order_without_its_goods_is_cancelled() {
    let change = placed().refuse(1, noon());

    assert_eq!(change.told::<CancelledEvent>()[0].reason, CancelReason::OutOfStock);
    assert!(change.told::<RefundDue>().is_empty());
}

#[test]
fn a_paid_order_whose_goods_are_gone_gets_its_money_back() {
    let change = paid().refuse_commit(noon());

    assert_eq!(change.told::<CancelledEvent>()[0].reason, CancelReason::OutOfStock);
    assert_eq!(change.told::<RefundDue>(), [refund_due(2500)]);
    changes_nothing(&shipped().refuse_commit(noon()), &shipped());
}

#[test]
fn a_shopper_may_cancel_until_the_goods_are_sent() {
    for (order, due) in [
        (placed(), vec![]),
        (reserved(), vec![]),
        (expired(), vec![]),
        (paid(), vec![refund_due(2500)]),
        (paid_late(), vec![refund_due(2500)]),
    ] {
        let change = order.cancel(CancelReason::Customer, noon()).unwrap();

        assert_eq!(change.told::<CancelledEvent>()[0].reason, CancelReason::Customer);
        assert_eq!(change.told::<RefundDue>(), due);
        let again = change.value.clone().cancel(CancelReason::Staff, noon());
        changes_nothing(&again.unwrap(), &change.value);
    }
    for order in [shipped(), delivered()] {
        let (act, stage) = (Act::Cancel, order.status.stage());

        let refused = order.cancel(CancelReason::Customer, noon()).unwrap_err();

        assert_eq!(refused, Refusal::Unfit { act, stage });
    }
}

#[test]
fn money_for_a_cancelled_order_goes_back_and_never_revives_it() {
    let change = captured(cancelled());

    assert_eq!(change.told::<RefundDue>(), [refund_due(2500)]);
    assert_eq!(change.value.status, cancelled().status);
    changes_nothing(&captured(change.value.clone()), &change.value);
}

#[test]
fn all_money_that_comes_after_the_end_goes_back() {
    let refused = paid_late().refuse(2, noon()).value;
    let given_up = paid().cancel(CancelReason::Staff, noon()).unwrap().value;

    for ended in [refused, given_up] {
        let change = ended.clone().capture(attempt(2), eur(2500), noon()).unwrap();

        assert_eq!(change.told::<RefundDue>(), [refund_due(2500)]);
        assert_eq!(change.value.status, ended.status);
    }
}

#[test]
fn what_expired_with_its_money_gone_back_can_still_be_cancelled() {
    let refused = paid_late().refuse(2, noon()).value;

    let change = refused.cancel(CancelReason::Customer, noon()).unwrap();

    assert_eq!(change.told::<CancelledEvent>().len(), 1);
    assert!(change.told::<RefundDue>().is_empty());
}

#[test]
fn only_what_is_still_there_goes_back() {
    let partly = refunded(paid(), 1, 500).unwrap().value;

    let change = partly.cancel(CancelReason::Customer, noon()).unwrap();

    assert_eq!(change.told::<RefundDue>(), [refund_due(2000)]);
    assert_eq!(change.value.payment.went_back(), Some(eur(500)));
}

#[test]
fn an_order_whose_money_is_all_gone_back_is_not_sent() {
    for order in [paid(), paid_late()] {
        let partly = refunded(order, 1, 2000).unwrap().value;
        let change = refunded(partly, 2, 500).unwrap();

        assert_eq!(change.told::<CancelledEvent>()[0].reason, CancelReason::Refunded);
        assert!(change.told::<RefundDue>().is_empty());
    }
    let sent = refunded(shipped(), 1, 2500).unwrap();
    assert_eq!(sent.value.status, shipped().status);
    assert!(sent.tells_nothing());
}

#[test]
fn a_refund_counts_once() {
    let partly = refunded(shipped(), 1, 500).unwrap().value;

    changes_nothing(&refunded(partly.clone(), 1, 500).unwrap(), &partly);
}

#[test]
fn a_refund_waits_for_its_capture() {
    assert_eq!(refunded(reserved(), 1, 2500).unwrap_err(), Refusal::NotCaptured);
}

#[test]
fn no_refund_is_below_nothing_or_of_another_currency() {
    for amount in [eur(-1), Money::new(1, "USD".parse().unwrap())] {
        let refused = paid().refunded(refund(1), amount, noon());

        assert_eq!(refused.unwrap_err(), Refusal::DoesNotAddUp);
    }
}

#[test]
fn only_a_paid_order_is_sent() {
    let change = paid().ship(parcel(), noon()).unwrap();

    assert_eq!(change.told::<ShippedEvent>()[0].tracking, "H-123456");
    changes_nothing(&shipped().ship(parcel(), noon()).unwrap(), &shipped());
    let other = Parcel { carrier: Label::try_from("UPS".to_owned()).unwrap(), ..parcel() };
    for order in [placed(), reserved(), shipped(), delivered(), cancelled(), expired()] {
        let stage = order.status.stage();

        let refused = order.ship(other.clone(), noon()).unwrap_err();

        assert_eq!(refused, Refusal::Unfit { act: Act::Ship, stage });
    }
}

#[test]
fn only_a_sent_order_arrives() {
    let change = shipped().deliver(noon()).unwrap();

    assert_eq!(change.told::<DeliveredEvent>().len(), 1);
    changes_nothing(&delivered().deliver(minutes(1)).unwrap(), &delivered());
    for order in [placed(), reserved(), paid(), cancelled(), expired()] {
        let stage = order.status.stage();

        let refused = order.deliver(noon()).unwrap_err();

        assert_eq!(refused, Refusal::Unfit { act: Act::Deliver, stage });
    }
}

#[test]
fn an_order_is_complete_when_it_can_no_longer_be_returned() {
    let day = 24 * 60;
    changes_nothing(&delivered().complete(minutes(14 * day - 1), &TERMS), &delivered());

    let change = delivered().complete(minutes(14 * day), &TERMS);

    assert_eq!(change.told::<CompletedEvent>().len(), 1);
    assert_eq!(change.value.status, Completed { parcel: parcel(), at: minutes(14 * day) });
}

#[test]
fn product_is_told_again_what_it_missed() {
    let again = |order: Order| {
        let before = order.clone();
        let change = order.answer_overdue();
        assert_eq!(change.value, before);
        change
    };

    assert!(again(reserved()).is_none());
    assert_eq!(again(cancelled()).told::<CancelledEvent>().len(), 1);
    assert_eq!(again(expired()).told::<ExpiredEvent>().len(), 1);
    for order in [paid(), shipped(), delivered()] {
        assert_eq!(again(order).told::<PaidEvent>().len(), 1);
    }
}

#[test]
fn an_order_that_missed_the_answer_asks_again() {
    let change = placed().answer_overdue();

    assert_eq!(change.told::<PlacedEvent>()[0].round, 2);
    changes_nothing(&change.value.clone().reserve(1, noon(), &TERMS), &change.value);
}

#[test]
fn where_an_order_stands_is_stored_under_its_name() {
    for order in [placed(), reserved(), paid(), shipped(), delivered(), cancelled(), expired()] {
        let stored = serde_json::to_value(&order).unwrap();

        assert_eq!(stored["status"]["state"], order.status.stage().as_str());
        assert_eq!(serde_json::from_value::<Order>(stored).unwrap(), order);
    }
}
