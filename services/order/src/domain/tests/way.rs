//! From cart to doorstep.

use super::*;

#[test]
fn a_checked_out_cart_asks_for_its_goods() {
    let change = Order::place(bought(), noon()).unwrap();

    let PlacedEvent { lines, customer, .. } = PlacedEvent::sample();
    let order_id = bought().order_id;
    assert_eq!(change.told::<PlacedEvent>(), [PlacedEvent { order_id, round: 1, lines, customer }]);
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
    assert_eq!(change.told::<PaymentDue>()[0].amount, eur(0));
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
fn only_a_paid_order_is_sent() {
    let change = paid().ship(shipment(), noon()).unwrap();

    let sent = change.told::<ShippedEvent>();
    assert_eq!((sent[0].tracking.as_str(), sent[0].parcel), ("H-123456", 1));
    assert_eq!((&sent[0].lines, sent[0].more_to_come), (&PaidEvent::sample().lines, false));
    changes_nothing(&shipped().ship(shipment(), noon()).unwrap(), &shipped());
    let other = Shipment { carrier: Some(label("UPS")), ..shipment() };
    for order in [placed(), reserved(), shipped(), delivered(), cancelled(), expired()] {
        let (act, standing) = (Act::Ship, order.standing());

        let refused = order.ship(other.clone(), noon()).unwrap_err();

        assert_eq!(refused, Refusal::Unfit { act, standing });
    }
}

#[test]
fn only_a_sent_order_arrives() {
    let change = shipped().deliver(None, noon()).unwrap();

    assert_eq!(change.told::<DeliveredEvent>().len(), 1);
    changes_nothing(&delivered().deliver(None, minutes(1)).unwrap(), &delivered());
    for order in [placed(), reserved(), paid(), cancelled(), expired()] {
        let (act, standing) = (Act::Deliver, order.standing());

        let refused = order.deliver(None, noon()).unwrap_err();

        assert_eq!(refused, Refusal::Unfit { act, standing });
    }
}

#[test]
fn an_order_is_complete_when_it_can_no_longer_be_returned() {
    let day = 24 * 60;
    changes_nothing(&delivered().complete(minutes(14 * day - 1), &TERMS), &delivered());

    let change = delivered().complete(minutes(14 * day), &TERMS);

    assert_eq!(change.told::<CompletedEvent>().len(), 1);
    assert_eq!(change.value.status, Completed { at: minutes(14 * day) });
}

#[test]
fn where_an_order_stands_is_stored_under_its_name() {
    for order in [placed(), reserved(), paid(), shipped(), delivered(), cancelled(), expired()] {
        let stored = serde_json::to_value(&order).unwrap();

        assert_eq!(stored["status"]["state"], order.status.stage().as_str());
        assert_eq!(serde_json::from_value::<Order>(stored).unwrap(), order);
    }
}

#[test]
fn a_guests_order_becomes_the_accounts() {
    let merged = Merged { guest: paid().customer, account: account(), followed: false };

    let followed = paid().follow(&merged).value;

    assert_eq!((followed.customer, followed.guest), (merged.account, Some(merged.guest)));
    changes_nothing(&followed.clone().follow(&merged), &followed);
}

fn account() -> UserId {
    UserId::from_uuid(Uuid::from_u128(99))
}

#[test]
fn why_an_order_was_cancelled_is_kept() {
    let change = paid().cancel(CancelReason::Staff, Some(&note()), noon()).unwrap();

    assert_eq!(change.value.cancel_note, Some(note()));
    assert_eq!(change.told::<CancelledEvent>()[0].customer, Some(paid().customer));
    let other = Note::try_from("Something else".to_owned()).unwrap();
    let again = change.value.clone().cancel(CancelReason::Staff, Some(&other), noon()).unwrap();
    changes_nothing(&again, &change.value);
}
