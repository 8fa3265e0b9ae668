//! Money that goes back by the piece.

use contracts::payment::RefundFailure;
use proptest::prelude::*;

use super::*;

/// The refund went back as it was asked for.
fn went_back(order: Order, number: u128) -> Change<Order> {
    let id = refund(number);
    let asked = order.payment.refunds.iter().find(|refund| refund.id == id).unwrap().amount;
    refunded(order, number, asked.amount).unwrap()
}

#[test]
fn a_piece_goes_back_with_its_share_and_is_no_longer_sent() {
    let change = paid_much().refund(&giving_back(1, [1, 0]), noon()).unwrap();

    assert_eq!(due(&change), [(632, RefundReason::Goodwill)]);
    assert_eq!(change.told::<RefundDue>()[0].refund_id, Some(refund(1)));
    assert_eq!(change.told::<RestockDue>()[0].lines, goods([1, 0]).pieces());
    assert_eq!(change.value.to_send(), goods([2, 1]));
    let again = change.value.clone().refund(&giving_back(1, [1, 0]), noon());
    changes_nothing(&again.unwrap(), &change.value);
}

#[test]
fn all_pieces_together_come_to_the_total_less_the_shipping() {
    let order = sent(paid_much(), 1, [3, 1]).value;
    let mut given = Vec::new();

    let mut order = order;
    for (number, pieces) in [(1, [1, 0]), (2, [1, 1]), (3, [1, 0])] {
        let change = order.refund(&giving_back(number, pieces), noon()).unwrap();
        given.extend(due(&change).into_iter().map(|(cents, _)| cents));
        order = change.value;
    }

    assert_eq!(given, [632, 632 + 903, 632]);
    let shipping = GivingBack { shipping: true, ..giving_back(4, [0, 0]) };
    let last = order.refund(&shipping, noon()).unwrap();
    assert_eq!(due(&last), [(500, RefundReason::Goodwill)]);
    let more = last.value.clone().refund(&giving_back(5, [1, 0]), noon()).unwrap_err();
    assert!(matches!(more, Refusal::TooMany { left: 0, .. }));
    let twice = GivingBack { id: refund(6), ..shipping };
    assert!(matches!(last.value.refund(&twice, noon()).unwrap_err(), Refusal::NothingLeft(_)));
}

#[test]
fn pieces_that_were_not_sent_go_first() {
    let half = sent(paid_much(), 1, [1, 0]).value;

    let change = half.refund(&giving_back(1, [3, 0]), noon()).unwrap();

    assert_eq!(change.told::<RestockDue>()[0].lines, goods([2, 0]).pieces());
    assert_eq!(change.value.to_send(), goods([0, 1]));
}

#[test]
fn what_is_not_to_be_sold_again_is_not_restocked() {
    let broken = GivingBack { restock: false, ..giving_back(1, [1, 0]) };

    let change = paid_much().refund(&broken, noon()).unwrap();

    assert!(change.told::<RestockDue>().is_empty());
    assert_eq!(change.value.dropped, goods([1, 0]));
}

#[test]
fn what_is_not_to_be_sold_again_is_not_when_the_order_is_given_up_either() {
    let restocked = paid_much().refund(&giving_back(1, [0, 1]), noon()).unwrap().value;
    let broken = GivingBack { restock: false, ..giving_back(2, [1, 0]) };
    let order = restocked.refund(&broken, noon()).unwrap().value;

    let cancelled = order.clone().cancel(CancelReason::Customer, noon()).unwrap();
    let all_broken = GivingBack { restock: false, ..giving_back(3, [2, 0]) };
    let ended = order.refund(&all_broken, noon()).unwrap();

    let lost = |change: &Change<Order>| change.told::<CancelledEvent>().remove(0).lost;
    assert_eq!(lost(&cancelled), goods([1, 0]).pieces());
    assert_eq!(lost(&ended), goods([3, 0]).pieces());
    let again = cancelled.value.answer_overdue(noon());
    assert_eq!(lost(&again), goods([1, 0]).pieces());
}

#[test]
fn an_order_of_which_nothing_is_left_is_cancelled_with_its_shipping() {
    let some = paid_much().refund(&giving_back(1, [1, 0]), noon()).unwrap().value;

    let change = some.refund(&giving_back(2, [2, 1]), noon()).unwrap();

    assert_eq!(due(&change), [(3299 - 632, RefundReason::Goodwill)]);
    assert_eq!(change.told::<CancelledEvent>()[0].reason, CancelReason::Refunded);
    assert!(change.told::<RestockDue>().is_empty(), "a cancelled order gives its goods back");
}

#[test]
fn an_order_of_which_the_rest_is_dropped_is_shipped_or_there() {
    let half = sent(paid_much(), 1, [3, 0]).value;
    let dropped = half.clone().refund(&giving_back(1, [0, 1]), minutes(1)).unwrap();
    assert_eq!(dropped.value.status, Shipped { at: minutes(1) });

    let arrived = half.deliver(None, noon()).unwrap().value;
    let change = arrived.refund(&giving_back(1, [0, 1]), minutes(1)).unwrap();

    assert_eq!(change.value.status, Delivered { at: minutes(1) });
    assert_eq!(change.told::<DeliveredEvent>().len(), 1);
}

#[test]
fn a_refund_that_went_back_is_told_with_its_reason() {
    let asked = paid_much().refund(&giving_back(1, [1, 0]), noon()).unwrap().value;

    let change = went_back(asked, 1);

    let told = change.told::<RefundedEvent>();
    assert_eq!((told[0].amount, told[0].reason), (eur(632), RefundReason::Goodwill));
    assert_eq!(change.value.payment.refunds[0].state, RefundState::Refunded);
}

#[test]
fn a_refund_that_failed_may_be_asked_for_anew() {
    let asked = paid_much().refund(&giving_back(1, [1, 0]), noon()).unwrap().value;
    let failed = asked.refund_failed(refund(1), RefundFailure::Refused);
    assert!(failed.tells_nothing());
    let order = failed.value;
    changes_nothing(&order.clone().refund_failed(refund(1), RefundFailure::Refused), &order);

    let change = order.refund(&giving_back(2, [1, 0]), noon()).unwrap();

    assert_eq!(due(&change), [(632, RefundReason::Goodwill)]);
    assert!(change.told::<RestockDue>().is_empty(), "it was restocked before");
    assert_eq!(change.value.to_send(), goods([2, 1]));
}

#[test]
fn a_cancelled_order_whose_refund_failed_can_be_given_back_anew() {
    let cancelled = paid_much().cancel(CancelReason::Customer, noon()).unwrap();
    let id = cancelled.told::<RefundDue>()[0].refund_id.unwrap();
    let all = GivingBack { shipping: true, ..giving_back(1, [3, 1]) };
    let early = cancelled.value.clone().refund(&all, noon()).unwrap_err();
    assert!(matches!(early, Refusal::NothingLeft(_)));
    assert_eq!(cancelled.value.stuck(), None, "it is on its way");
    let failed = cancelled.value.refund_failed(id, RefundFailure::Refused).value;
    assert_eq!(failed.standing().allowed, [Act::Refund]);
    assert_eq!(failed.stuck(), Some(eur(3299)));

    let change = failed.refund(&all, noon()).unwrap();

    assert_eq!(due(&change), [(3299, RefundReason::Goodwill)]);
    assert!(change.told::<RestockDue>().is_empty());
}

#[test]
fn money_that_came_twice_and_could_not_go_back_goes_with_the_rest_or_is_shown() {
    let twice = paid().capture(attempt(2), eur(2500), noon()).unwrap().value;
    let stuck = twice.refund_failed(refund(2), RefundFailure::Refused).value;

    let cancelled = stuck.cancel(CancelReason::Customer, noon()).unwrap();

    assert_eq!(due(&cancelled), [(5000, RefundReason::Cancelled)]);
    let id = cancelled.told::<RefundDue>()[0].refund_id.unwrap();
    let back = Back { amount: eur(2500), remaining: eur(2500) };
    let half = cancelled.value.refunded(id, back, noon()).unwrap().value;
    assert_eq!(half.stuck(), Some(eur(2500)));
    let whole = refunded(half, 9, 2500).unwrap().value;
    assert_eq!((whole.stuck(), whole.payment.remaining()), (None, None));
}

#[test]
fn what_an_order_asks_for_by_itself_bears_the_same_name_every_time() {
    let name = |change: Change<Order>| change.told::<RefundDue>()[0].refund_id;
    let cancel = || paid().cancel(CancelReason::Customer, noon()).unwrap();

    assert!(name(cancel()).is_some());
    assert_eq!(name(cancel()), name(cancel()));
    let late = cancelled().capture(attempt(1), eur(2500), noon()).unwrap();
    let later = cancelled().capture(attempt(2), eur(2500), noon()).unwrap();
    assert_ne!(name(late), name(later));
}

#[test]
fn money_that_came_back_from_the_bank_is_here_whichever_is_heard_first() {
    let back = Back { amount: eur(900), remaining: eur(1600) };
    let refunded = |order: Order| order.refunded(refund(7), back, noon()).unwrap().value;
    let failed = |order: Order| order.refund_failed(refund(7), RefundFailure::Refused).value;

    let (one, other) = (failed(refunded(paid())), refunded(failed(paid())));

    assert_eq!(one, other);
    assert_eq!(one.payment.remaining(), Some(eur(2500)));
    changes_nothing(&one.clone().refund_failed(refund(7), RefundFailure::Refused), &one);
}

#[test]
fn no_money_goes_back_before_any_came() {
    for order in [placed(), reserved(), expired(), cancelled()] {
        let refused = order.refund(&giving_back(1, [1, 0]), noon()).unwrap_err();

        assert!(matches!(refused, Refusal::Unfit { act: Act::Refund, .. }));
    }
}

/// A cart of any lines, and how its pieces are given back: so many at a time, and whether that
/// fails the first time.
fn carts() -> impl Strategy<Value = (CheckedOut, Vec<(u32, bool)>)> {
    let line = (1_u32..6, 0_i64..3000);
    let sums = (0_i64..5000, 0_i64..900, 0_i64..900);
    let parts = prop::collection::vec((1_u32..4, any::<bool>()), 30);
    (prop::collection::vec(line, 1..5), sums, parts).prop_map(|(lines, sums, parts)| {
        let lines = lines.into_iter().enumerate().map(|(number, (pieces, unit))| cart::Line {
            sku: format!("SKU-{number}").parse().unwrap(),
            quantity: Quantity::new(pieces).unwrap(),
            unit_price: eur(unit),
            line_total: eur(unit * i64::from(pieces)),
            ..bought().lines.remove(0)
        });
        let lines: Vec<_> = lines.collect();
        let subtotal: i64 = lines.iter().map(|line| line.line_total.amount).sum();
        let (discount, shipping, tax) = (sums.0.min(subtotal), eur(sums.1), eur(sums.2 + 1));
        let total = eur(subtotal - discount + sums.1 + sums.2 + 1);
        let (subtotal, discount) = (eur(subtotal), eur(discount));
        (CheckedOut { lines, subtotal, discount, shipping, tax, total, ..bought() }, parts)
    })
}

proptest! {
    #[test]
    fn shares_add_up_exactly_however_pieces_are_given_back((cart, parts) in carts()) {
        let placed = Order::place(cart, noon()).unwrap().value;
        let paid = captured(placed.reserve(1, noon(), &TERMS).value).value;
        let mut order = paid.ship(shipment(), noon()).unwrap().value;
        let steps = parts.into_iter().chain(std::iter::repeat((1, false)));

        for (number, (at_most, fails)) in (1..).zip(steps) {
            let left = order.refundable();
            // What costs nothing may be left when all money is.
            let Some((sku, left)) = left.iter().next().filter(|_| order.may(Act::Refund)) else {
                break;
            };
            let goods = [(sku.clone(), left.min(at_most))].into_iter().collect();
            let back = GivingBack { goods, ..giving_back(number, [0, 0]) };
            order = order.refund(&back, noon()).unwrap().value;
            if fails {
                order = order.refund_failed(refund(number), RefundFailure::Refused).value;
            }
        }

        let live = order.payment.refunds.iter().filter(|refund| refund.is_live());
        let given: i64 = live.map(|refund| refund.amount.amount).sum();
        prop_assert_eq!(given, order.sums.total.amount - order.sums.shipping.amount);
    }
}
