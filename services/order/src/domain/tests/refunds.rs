//! Money that goes back by the piece.

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

    let cancelled = order.clone().cancel(CancelReason::Customer, None, noon()).unwrap();
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
    let failed = asked.refund_failed(refund(1), not_back(), noon());
    assert!(failed.tells_nothing());
    let order = failed.value;
    changes_nothing(&order.clone().refund_failed(refund(1), not_back(), noon()), &order);

    let change = order.refund(&giving_back(2, [1, 0]), noon()).unwrap();

    assert_eq!(due(&change), [(632, RefundReason::Goodwill)]);
    assert!(change.told::<RestockDue>().is_empty(), "it was restocked before");
    assert_eq!(change.value.to_send(), goods([2, 1]));
}

#[test]
fn a_cancelled_order_whose_refund_failed_can_be_given_back_anew() {
    let cancelled = paid_much().cancel(CancelReason::Customer, None, noon()).unwrap();
    let id = cancelled.told::<RefundDue>()[0].refund_id.unwrap();
    let all = GivingBack { shipping: true, ..giving_back(1, [3, 1]) };
    let early = cancelled.value.clone().refund(&all, noon()).unwrap_err();
    assert!(matches!(early, Refusal::NothingLeft(_)));
    assert_eq!(cancelled.value.stuck(), None, "it is on its way");
    let failed = cancelled.value.refund_failed(id, not_back(), noon()).value;
    assert_eq!(failed.standing().allowed, [Act::Refund]);
    assert_eq!(failed.stuck(), Some(eur(3299)));

    let change = failed.refund(&all, noon()).unwrap();

    assert_eq!(due(&change), [(3299, RefundReason::Goodwill)]);
    assert!(change.told::<RestockDue>().is_empty());
}

#[test]
fn money_that_came_twice_and_could_not_go_back_goes_with_the_rest_or_is_shown() {
    let twice = paid().capture(attempt(2), eur(2500), noon()).unwrap().value;
    let stuck = twice.refund_failed(refund(2), not_back(), noon()).value;

    let cancelled = stuck.cancel(CancelReason::Customer, None, noon()).unwrap();

    assert_eq!(due(&cancelled), [(5000, RefundReason::Cancelled)]);
    let id = cancelled.told::<RefundDue>()[0].refund_id.unwrap();
    let back = Back { amount: eur(2500), remaining: eur(2500), cause: RefundCause::Order };
    let half = cancelled.value.refunded(id, back, noon()).unwrap().value;
    assert_eq!(half.stuck(), Some(eur(2500)));
    let whole = refunded(half, 9, 2500).unwrap().value;
    assert_eq!((whole.stuck(), whole.payment.remaining()), (None, None));
}

#[test]
fn what_an_order_asks_for_by_itself_bears_the_same_name_every_time() {
    let name = |change: Change<Order>| change.told::<RefundDue>()[0].refund_id;
    let cancel = || paid().cancel(CancelReason::Customer, None, noon()).unwrap();

    assert!(name(cancel()).is_some());
    assert_eq!(name(cancel()), name(cancel()));
    let late = cancelled().capture(attempt(1), eur(2500), noon()).unwrap();
    let later = cancelled().capture(attempt(2), eur(2500), noon()).unwrap();
    assert_ne!(name(late), name(later));
}

#[test]
fn money_that_came_back_from_the_bank_is_here_whichever_is_heard_first() {
    let back = Back { amount: eur(900), remaining: eur(1600), cause: RefundCause::Order };
    let refunded = |order: Order| order.refunded(refund(7), back, noon()).unwrap().value;
    let failed = |order: Order| order.refund_failed(refund(7), not_back(), noon()).value;

    let (one, other) = (failed(refunded(paid())), refunded(failed(paid())));

    assert_eq!(one, other);
    assert_eq!(one.payment.remaining(), Some(eur(2500)));
    changes_nothing(&one.clone().refund_failed(refund(7), not_back(), noon()), &one);
}

#[test]
fn refund_of_nothing_is_refused_and_blocks_nothing() {
    let shipping = GivingBack { shipping: true, ..giving_back(1, [0, 0]) };
    let free = CheckedOut { shipping: eur(0), total: eur(2799), ..bought_much() };
    let order =
        captured(Order::place(free, noon()).unwrap().value.reserve(1, noon(), &TERMS).value);

    let refused = order.value.clone().refund(&shipping, noon()).unwrap_err();

    assert!(matches!(refused, Refusal::NothingLeft(_)), "{refused:?}");
    let both = GivingBack { shipping: true, ..giving_back(2, [1, 0]) };
    let first = order.value.refund(&both, noon()).unwrap();
    assert_eq!((due(&first)[0].0, first.value.payment.refunds[0].shipping), (632, None));
    let again = GivingBack { shipping: true, ..giving_back(3, [1, 0]) };
    assert_eq!(due(&first.value.refund(&again, noon()).unwrap())[0].0, 632);
}

#[test]
fn pieces_that_cost_nothing_can_be_dropped() {
    let gift = |mut cart: CheckedOut| {
        let nothing = eur(0);
        (cart.lines[1].unit_price, cart.lines[1].line_total) = (nothing, nothing);
        CheckedOut { subtotal: eur(2100), total: eur(2299), ..cart }
    };
    let placed = Order::place(gift(bought_much()), noon()).unwrap().value;
    let half = sent(captured(placed.reserve(1, noon(), &TERMS).value).value, 1, [3, 0]).value;

    let change = half.refund(&giving_back(1, [0, 1]), minutes(1)).unwrap();

    assert_eq!((due(&change), change.value.status.stage()), (vec![], Stage::Shipped));
    let nothing = change.value.refund(&giving_back(2, [0, 1]), noon()).unwrap_err();
    assert!(matches!(nothing, Refusal::TooMany { left: 0, .. }));
}

/// Staff gave this back on the payment itself.
fn on_payment(order: Order, number: u128, amount: i64) -> Order {
    let remaining = order.payment.remaining().map_or(0, |remaining| remaining.amount) - amount;
    let back = Back { amount: eur(amount), remaining: eur(remaining), cause: RefundCause::Staff };
    order.refunded(refund(number), back, noon()).unwrap().value
}

#[test]
fn refunds_made_on_the_payment_are_listed() {
    let order = on_payment(sent(paid_much(), 1, [3, 1]).value, 7, 3000);

    let listed = &order.payment.refunds[0];
    assert_eq!((listed.id, listed.amount), (refund(7), eur(3000)));
    assert_eq!((listed.state, listed.reason), (RefundState::Refunded, RefundReason::Goodwill));
    let rest = order.clone().refund(&giving_back(1, [3, 1]), noon()).unwrap();
    assert_eq!(due(&rest)[0].0, 299, "no more than is left of what came");
    let failed = order.refund_failed(refund(7), not_back(), noon()).value;
    assert!(matches!(failed.payment.refunds[0].state, RefundState::Failed { .. }));
    assert_eq!(failed.payment.free(), Some(eur(3299)));
}

#[test]
fn parts_of_a_refund_are_not_listed() {
    let order = sent(paid_much(), 1, [3, 1]).value.refund(&giving_back(1, [3, 1]), noon());
    let back = Back { amount: eur(9), remaining: eur(3290), cause: RefundCause::Order };

    let order = order.unwrap().value.refunded(refund(8), back, noon()).unwrap().value;

    assert_eq!(order.payment.refunds.len(), 1);
}

#[test]
fn a_refund_that_is_allowed_works() {
    let order = on_payment(sent(paid_much(), 1, [3, 1]).value, 7, 500);
    let mut order = order.refund(&giving_back(1, [3, 1]), noon()).unwrap().value;
    order = went_back(order, 1).value;
    let twice = order.clone().capture(attempt(2), eur(3299), noon()).unwrap().value;

    for order in [order, twice] {
        let all = GivingBack { shipping: true, ..giving_back(9, [0, 0]) };
        let works = order.clone().refund(&all, noon()).is_ok();
        assert_eq!(order.may(Act::Refund), works, "{:?}", order.payment);
    }
}

#[test]
fn acts_whose_time_is_over_are_not_allowed() {
    let delivered = delivered();
    let over = minutes(60 * 24 * 15);
    let refused = delivered.ship(shipment(), over).map(drop);
    let unfit = || reserved().ship(shipment(), noon()).unwrap_err();

    assert!(refused.is_ok(), "just this was sent before");
    let other = Shipment { tracking: None, ..shipment() };
    let late = super::delivered().ship(other, over).unwrap_err();
    let allowed = |refusal: Refusal| match refusal {
        Refusal::Unfit { standing, .. } => standing.allowed,
        other => panic!("{other}"),
    };
    assert!(allowed(late.clone()).contains(&Act::Return));
    assert!(!allowed(late.as_of(over, &TERMS)).contains(&Act::Return));
    assert!(allowed(unfit().as_of(minutes(14), &TERMS)).contains(&Act::Pay));
    assert!(!allowed(unfit().as_of(minutes(15), &TERMS)).contains(&Act::Pay));
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
            let costs = |(sku, _): &(&contracts::Sku, u32)| order.share_of(sku) > 0;
            let Some((sku, left)) = left.iter().find(costs).filter(|_| order.may(Act::Refund)) else {
                break;
            };
            let goods = [(sku.clone(), left.min(at_most))].into_iter().collect();
            let back = GivingBack { goods, ..giving_back(number, [0, 0]) };
            // One piece may come to less than a cent, and all of them to more.
            let all = GivingBack { goods: [(sku.clone(), left)].into_iter().collect(), ..back.clone() };
            let refunded = order.clone().refund(&back, noon());
            let Ok(change) = refunded.or_else(|_| order.clone().refund(&all, noon())) else { break };
            order = change.value;
            if fails {
                order = order.refund_failed(refund(number), not_back(), noon()).value;
            }
        }

        let live = order.payment.refunds.iter().filter(|refund| refund.is_live());
        let given: i64 = live.map(|refund| refund.amount.amount).sum();
        prop_assert_eq!(given, order.sums.total.amount - order.sums.shipping.amount);
    }
}
