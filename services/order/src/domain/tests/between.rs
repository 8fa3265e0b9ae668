//! What can come in between.

use super::*;

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

    assert_eq!(due(&change), [(2500, RefundReason::TooLate)]);
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
    assert_eq!(due(&change), [(2500, RefundReason::OutOfStock)]);
    changes_nothing(&shipped().refuse_commit(noon()), &shipped());
}

#[test]
fn a_shopper_may_cancel_until_the_goods_are_sent() {
    let money = || vec![(2500, RefundReason::Cancelled)];
    for (order, back) in [
        (placed(), vec![]),
        (reserved(), vec![]),
        (expired(), vec![]),
        (paid(), money()),
        (paid_late(), money()),
    ] {
        let change = order.cancel(CancelReason::Customer, None, noon()).unwrap();

        assert_eq!(change.told::<CancelledEvent>()[0].reason, CancelReason::Customer);
        assert_eq!(due(&change), back);
        let again = change.value.clone().cancel(CancelReason::Staff, None, noon());
        changes_nothing(&again.unwrap(), &change.value);
    }
    for order in [shipped(), delivered()] {
        let (act, standing) = (Act::Cancel, order.standing());

        let refused = order.cancel(CancelReason::Customer, None, noon()).unwrap_err();

        assert_eq!(refused, Refusal::Unfit { act, standing });
    }
}

#[test]
fn money_for_a_cancelled_order_goes_back_and_never_revives_it() {
    let change = captured(cancelled());

    assert_eq!(due(&change), [(2500, RefundReason::TooLate)]);
    assert_eq!(change.value.status, cancelled().status);
    changes_nothing(&captured(change.value.clone()), &change.value);
}

#[test]
fn all_money_that_comes_after_the_end_goes_back() {
    let refused = paid_late().refuse(2, noon()).value;
    let given_up = paid().cancel(CancelReason::Staff, None, noon()).unwrap().value;

    for ended in [refused, given_up] {
        let change = ended.clone().capture(attempt(2), eur(2500), noon()).unwrap();

        assert_eq!(due(&change), [(2500, RefundReason::TooLate)]);
        assert_eq!(change.value.status, ended.status);
    }
}

#[test]
fn what_expired_with_its_money_gone_back_can_still_be_cancelled() {
    let refused = paid_late().refuse(2, noon()).value;

    let change = refused.cancel(CancelReason::Customer, None, noon()).unwrap();

    assert_eq!(change.told::<CancelledEvent>().len(), 1);
    assert!(change.told::<RefundDue>().is_empty());
}

#[test]
fn only_what_is_still_there_goes_back() {
    let partly = refunded(paid(), 1, 500).unwrap().value;

    let change = partly.cancel(CancelReason::Customer, None, noon()).unwrap();

    assert_eq!(due(&change), [(2000, RefundReason::Cancelled)]);
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
    assert_eq!(sent.told::<RefundedEvent>()[0].amount, eur(2500));
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
        let refused = paid().refunded(
            refund(1),
            Back { amount, remaining: eur(0), cause: RefundCause::Order },
            noon(),
        );

        assert_eq!(refused.unwrap_err(), Refusal::DoesNotAddUp);
    }
}

#[test]
fn product_is_told_again_what_it_missed() {
    let again = |order: Order| {
        let before = order.clone();
        let change = order.answer_overdue(noon());
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
    let change = placed().answer_overdue(noon());

    assert_eq!(change.told::<PlacedEvent>()[0].round, 2);
    changes_nothing(&change.value.clone().reserve(1, noon(), &TERMS), &change.value);
}

#[test]
fn a_surplus_that_went_back_before_it_was_heard_of_leaves_the_order_paid() {
    let back = Back { amount: eur(2500), remaining: eur(2500), cause: RefundCause::Order };

    let order = paid().refunded(refund(1), back, noon()).unwrap().value;
    assert_eq!(order.status, Paid { at: noon() });

    let order = order.capture(attempt(2), eur(2500), noon()).unwrap().value;
    assert_eq!(order.status, Paid { at: noon() });
    assert_eq!(order.payment.remaining(), Some(eur(2500)));
}

#[test]
fn an_order_that_nobody_answers_asks_again_after_a_while() {
    changes_nothing(&placed().ask_again(minutes(4), &TERMS), &placed());

    let change = placed().ask_again(minutes(5), &TERMS);

    assert_eq!(change.told::<contracts::order::Placed>()[0].round, 2);
    let again = change.value;
    changes_nothing(&again.clone().ask_again(minutes(9), &TERMS), &again);
    changes_nothing(&reserved().ask_again(minutes(99), &TERMS), &reserved());
}
