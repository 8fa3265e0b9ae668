//! Goods that come back.

use contracts::order::{ReturnApproved, ReturnReceived, ReturnRejected, ReturnRequested};

use super::*;

fn there() -> Order {
    sent(paid_much(), 1, [3, 1]).value.deliver(None, noon()).unwrap().value
}

fn requests(order: Order, number: u128, pieces: [u32; 2]) -> Outcome {
    order.request_return(goods_back(number), &goods(pieces), note(), minutes(1), &TERMS)
}

fn requested() -> Order {
    requests(there(), 1, [1, 1]).unwrap().value
}

fn approved() -> Order {
    requested().approve_return(goods_back(1), minutes(2)).unwrap().value
}

fn received() -> Change<Order> {
    approved().receive_return(goods_back(1), None, true, minutes(3)).unwrap()
}

fn stage(order: &Order) -> ReturnStage {
    order.returns[0].stage()
}

#[test]
fn goods_go_the_whole_way_back() {
    let change = requests(there(), 1, [1, 1]).unwrap();
    assert_eq!(change.told::<ReturnRequested>()[0].lines, goods([1, 1]).pieces());
    let change = change.value.approve_return(goods_back(1), minutes(2)).unwrap();
    assert_eq!(change.told::<ReturnApproved>().len(), 1);

    let change = received();

    assert_eq!(change.told::<ReturnReceived>()[0].lines, goods([1, 1]).pieces());
    assert_eq!(due(&change), [(632 + 903, RefundReason::Returned)]);
    assert_eq!(change.told::<RestockDue>()[0].lines, goods([1, 1]).pieces());
    assert_eq!(stage(&change.value), ReturnStage::Received);
    let id = change.told::<RefundDue>()[0].refund_id.unwrap();
    let back = Back { amount: eur(1535), remaining: eur(1764), cause: RefundCause::Order };
    let paid_back = change.value.refunded(id, back, minutes(4)).unwrap().value;
    assert_eq!(stage(&paid_back), ReturnStage::Refunded);
}

#[test]
fn each_step_of_a_return_is_taken_once() {
    let again = requests(requested(), 1, [1, 1]).unwrap();
    changes_nothing(&again, &requested());
    changes_nothing(&approved().approve_return(goods_back(1), noon()).unwrap(), &approved());
    let order = received().value;
    changes_nothing(&order.clone().approve_return(goods_back(1), noon()).unwrap(), &order);
    let again = order.clone().receive_return(goods_back(1), None, true, noon());
    changes_nothing(&again.unwrap(), &order);
}

#[test]
fn a_return_says_what_may_be_done_about_it() {
    let unfit = |outcome: Outcome, act, stage| {
        let order = Stage::Delivered;
        assert_eq!(outcome.unwrap_err(), Refusal::UnfitReturn { act, stage, order });
    };
    let id = goods_back(1);
    let rejected = requested().reject_return(id, noon()).unwrap();
    assert_eq!(rejected.told::<ReturnRejected>().len(), 1);
    let rejected = rejected.value;
    changes_nothing(&rejected.clone().reject_return(id, noon()).unwrap(), &rejected);

    let early = requested().receive_return(id, None, true, noon());
    unfit(early, Act::Receive, ReturnStage::Requested);
    unfit(approved().reject_return(id, noon()), Act::Reject, ReturnStage::Approved);
    unfit(rejected.approve_return(id, noon()), Act::Approve, ReturnStage::Rejected);
    let other = received().value.receive_return(id, None, false, noon());
    unfit(other, Act::Receive, ReturnStage::Received);
    let unknown = requested().approve_return(goods_back(2), noon());
    assert_eq!(unknown.unwrap_err(), Refusal::UnknownReturn);
}

#[test]
fn goods_may_be_sent_back_until_the_days_of_return_have_passed() {
    let day = 24 * 60;
    let at = |order: Order, now| {
        order.request_return(goods_back(1), &goods([1, 0]), note(), now, &TERMS)
    };
    assert!(at(there(), minutes(14 * day - 1)).is_ok());
    assert!(at(sent(paid_much(), 1, [1, 0]).value, noon()).is_ok());
    let completed = there().complete(minutes(14 * day), &TERMS).value;

    for (order, now) in [
        (there(), minutes(14 * day)),
        (completed, minutes(14 * day)),
        (paid_much(), noon()),
        (placed(), noon()),
        (cancelled(), noon()),
    ] {
        let refused = at(order, now).unwrap_err();

        let Refusal::Unfit { act: Act::Return, standing } = refused else { panic!("{refused}") };
        assert!(!standing.allowed.contains(&Act::Return));
    }
}

#[test]
fn only_what_the_shopper_has_goes_back() {
    let left = |order: Order, pieces| match requests(order, 2, pieces).unwrap_err() {
        Refusal::TooMany { left, .. } => left,
        other => panic!("{other}"),
    };
    assert_eq!(left(sent(paid_much(), 1, [2, 0]).value, [3, 0]), 2);
    assert_eq!(left(requested(), [3, 0]), 2);
    let goodwill = there().refund(&giving_back(7, [2, 0]), noon()).unwrap().value;
    assert_eq!(left(goodwill, [2, 0]), 1);
    assert_eq!(left(received().value, [0, 1]), 0);
    let rejected = requested().reject_return(goods_back(1), noon()).unwrap().value;
    assert!(requests(rejected, 2, [3, 1]).is_ok());
    assert_eq!(requests(there(), 1, [0, 0]).unwrap_err(), Refusal::NoPieces);
}

#[test]
fn only_what_really_came_is_paid_for() {
    let came = Some(goods([1, 0]));

    let change = approved().receive_return(goods_back(1), came, false, noon()).unwrap();

    assert_eq!(due(&change), [(632, RefundReason::Returned)]);
    assert!(change.told::<RestockDue>().is_empty());
    let more = approved().receive_return(goods_back(1), Some(goods([2, 0])), false, noon());
    assert!(matches!(more.unwrap_err(), Refusal::TooMany { act: Act::Receive, left: 1, .. }));
}

#[test]
fn a_return_of_which_nothing_came_is_over() {
    let nothing = Some(goods([0, 0]));

    let change = approved().receive_return(goods_back(1), nothing, true, noon()).unwrap();

    assert!(due(&change).is_empty() && change.told::<RestockDue>().is_empty());
    assert!(!change.value.returns[0].is_open());
}

#[test]
fn pieces_that_were_paid_back_meanwhile_are_not_paid_back_again() {
    let goodwill = approved().refund(&giving_back(7, [3, 1]), noon()).unwrap().value;

    let change = goodwill.receive_return(goods_back(1), None, true, noon()).unwrap();

    assert!(due(&change).is_empty());
    assert_eq!(change.told::<RestockDue>()[0].lines, goods([1, 1]).pieces());
    assert!(!change.value.returns[0].is_open());
}

#[test]
fn a_return_whose_money_came_back_from_the_bank_is_not_refunded() {
    let order = received().value;
    let asked = &order.payment.refunds[0];
    let (id, amount) = (asked.id, asked.amount);
    let refunded = order
        .refunded(id, Back { amount, remaining: eur(1), cause: RefundCause::Order }, noon())
        .unwrap()
        .value;
    assert_eq!(stage(&refunded), ReturnStage::Refunded);

    let failed = refunded.refund_failed(id, not_back(), noon()).value;

    assert_eq!(stage(&failed), ReturnStage::Received);
    assert!(!failed.returns[0].is_open());
    assert!(!failed.payment.refunds[0].is_live());
}

#[test]
fn an_order_with_an_open_return_is_not_complete() {
    let later = minutes(15 * 24 * 60);
    for order in [requested(), approved(), received().value] {
        changes_nothing(&order.clone().complete(later, &TERMS), &order);
    }
    let order = received().value;
    let id = order.payment.refunds[0].id;

    let failed = order.refund_failed(id, not_back(), noon()).value;

    assert_eq!(stage(&failed), ReturnStage::Received);
    assert_eq!(failed.complete(later, &TERMS).value.status, Completed { at: later });
}
