//! The money of an order: there once it is paid, on its way back when the order came to nothing.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{AttemptId, Money, RefundId};

use super::Shop;
use super::orders::Case;
use crate::findings::Findings;
use crate::report::Rule;
use crate::shapes::{Attempt, AttemptState, Order, Payment, RefundState, Stage};

pub(super) fn check(case: &Case, order: &Order, shop: &Shop<'_>, out: &mut Findings) {
    if let Some(payment) = &case.payment {
        is_paid_once(payment, out);
        has_let_go(order, payment, out);
        is_known(order, payment, out);
        is_asked_for(order, payment, out);
    } else if shop.bounds.quiet && matches!(order.stage(), Stage::Reserved | Stage::Cancelled) {
        out.add(Rule::CopyMissing, [case.id], "payment never heard of the order");
    }
    is_paid(order, case.payment.as_ref(), out);
}

/// What is open is asked about in time.
pub(super) fn is_seen_to(payment: &Payment, shop: &Shop<'_>, out: &mut Findings) {
    let late = |look_at: &contracts::Timestamp| shop.is_late(*look_at, shop.bounds.waiting_age);
    if let Some(look_at) = payment.look_at.filter(late) {
        let says = format!("the provider was to be asked about the payment at {look_at}");
        out.add(Rule::Hanging, [payment.id.to_string(), payment.order_id.to_string()], says);
    }
    let is_open = payment.attempts.iter().any(Attempt::is_open)
        || payment.refunds.iter().any(|refund| refund.state == RefundState::Started);
    if is_open && payment.look_at.is_none() {
        let says = "something of the payment is open, and nobody will ask about it";
        out.add(Rule::Hanging, [payment.id.to_string(), payment.order_id.to_string()], says);
    }
}

fn is_paid(order: &Order, payment: Option<&Payment>, out: &mut Findings) {
    let (stage, total) = (order.stage(), order.total());
    if !stage.is_sold() || total.amount == 0 {
        return;
    }
    let came: i64 =
        payment.iter().flat_map(|it| it.captured()).map(|attempt| attempt.amount.amount).sum();
    let promised = stage == Stage::Paid
        && payment.is_some_and(|it| it.attempts.iter().any(Attempt::is_promised));
    if came < total.amount && !promised {
        let came = Money::new(came, total.currency);
        let says = format!("the order is {stage} and costs {total}, and {came} came for it");
        out.add(Rule::Unpaid, [order.id], says);
    }
}

/// Money that came after other money, or in another amount, goes back; and no more than came.
fn is_paid_once(payment: &Payment, out: &mut Findings) {
    let ids = [payment.id.to_string(), payment.order_id.to_string()];
    let keeps = |attempt: &&Attempt| attempt.came().is_some() && payment.kept(attempt) > 0;
    let kept: Vec<_> = payment.attempts.iter().filter(keeps).collect();
    let odd = kept.iter().any(|attempt| attempt.state == AttemptState::Mismatched);
    if kept.len() > 1 {
        let says = format!("the money of {} attempts to pay is kept", kept.len());
        out.add(Rule::PaidTwice, ids.clone(), says);
    } else if odd {
        let says = "money of another amount than was asked for is kept";
        out.add(Rule::MoneyKept, ids.clone(), says);
    }
    for attempt in &payment.attempts {
        let came = attempt.came().map_or(0, |came| came.amount);
        let back = payment.back(attempt.id, &[RefundState::Started, RefundState::Done]);
        if back > came {
            let [back, came] = [back, came].map(|sum| Money::new(sum, attempt.amount.currency));
            let says = format!("{back} goes back of {came} that came by {}", attempt.id);
            out.add(Rule::RefundedTooMuch, ids.clone(), says);
        }
    }
}

/// An order that came to nothing keeps no money and waits for none.
fn has_let_go(order: &Order, payment: &Payment, out: &mut Findings) {
    let stage = order.stage();
    let ids = [order.id.to_string(), payment.id.to_string()];
    let is_over = stage.is_given_up() || stage == Stage::Completed;
    if is_over && payment.attempts.iter().any(Attempt::is_open) {
        let says = format!("the order is {stage}, and an attempt to pay is open");
        out.add(Rule::OpenAttempt, ids.clone(), says);
    }
    let kept: i64 = payment.captured().map(|attempt| payment.kept(attempt).max(0)).sum();
    if stage.is_given_up() && kept > 0 {
        let kept = Money::new(kept, order.total().currency);
        let says = format!("the order is {stage}, and {kept} of its money does not go back");
        out.add(Rule::MoneyKept, ids, says);
    }
}

/// What order knows is what payment says.
fn is_known(order: &Order, payment: &Payment, out: &mut Findings) {
    let came: BTreeMap<AttemptId, Money> =
        payment.captured().map(|attempt| (attempt.id, attempt.amount)).collect();
    let of_captured = |attempt| came.contains_key(&attempt);
    let in_state = |state| payment.refunds.iter().filter(move |it| it.state == state);
    let back: BTreeMap<RefundId, Money> = in_state(RefundState::Done)
        .filter(|refund| of_captured(refund.attempt))
        .map(|refund| (refund.id, refund.amount))
        .collect();
    let stuck: BTreeSet<RefundId> = in_state(RefundState::Failed).map(|it| it.id).collect();
    let what = if order.payment.captured != came {
        "came"
    } else if order.payment.refunded != back {
        "went back"
    } else if order.payment.unrefunded != stuck {
        "could not go back"
    } else {
        return;
    };
    let says = format!("order and payment do not agree on what {what}");
    out.add(Rule::MoneyDiffers, [order.id.to_string(), payment.id.to_string()], says);
}

/// What payment asks for is what the order is to be paid.
fn is_asked_for(order: &Order, payment: &Payment, out: &mut Findings) {
    let due = payment.due.as_ref();
    // A guest was asked whose order is an account's by now.
    let is_theirs = |customer| customer == order.customer || Some(customer) == order.guest;
    let differs = due.is_some_and(|due| !is_theirs(due.customer) || due.amount != order.total());
    let stage = order.stage();
    let what = if differs {
        "who is to pay how much"
    } else if stage == Stage::Reserved && (due.is_none() || payment.pay_by != order.pay_by()) {
        "until when is to be paid"
    } else if stage == Stage::Cancelled && !payment.cancelled
        || stage == Stage::Expired && !payment.closed
    {
        "whether the order was given up"
    } else {
        return;
    };
    let says = format!("order and payment do not agree on {what}");
    out.add(Rule::CopyDiffers, [order.id.to_string(), payment.id.to_string()], says);
}
