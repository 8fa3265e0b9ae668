//! Whether the histories lead everywhere: what none of them comes to is tried by none.

use std::collections::BTreeSet;

use order::domain::{Order, RefundState, ReturnStage, Stage};
use payment::domain::{AttemptState, CaptureMode, Payment};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::shop::Shop;
use crate::step::history;

/// So many histories come to all of it several times.
const ENOUGH: usize = 400;

#[test]
fn histories_come_to_every_end() {
    let mut ends = BTreeSet::new();
    for capture in [CaptureMode::AtOnce, CaptureMode::Later] {
        let rng_seed = RngSeed::Fixed(1);
        let mut runner = TestRunner::new(Config { rng_seed, ..Config::default() });
        for _ in 0..ENOUGH {
            let history = history(capture).new_tree(&mut runner).unwrap().current();
            let mut shop = Shop::open();
            history.0.iter().for_each(|step| shop.live(step));
            shop.settle();
            shop.orders.values().for_each(|order| ends.extend(of_order(order)));
            shop.payments.values().for_each(|payment| ends.extend(of_payment(payment)));
        }
    }

    let wanted = [
        "paid",
        "shipped",
        "delivered",
        "completed",
        "expired",
        "cancelled OutOfStock",
        "cancelled Customer",
        "cancelled Refunded",
        "cancelled NotCollected",
        "asked again",
        "several parcels",
        "refund given",
        "refund failed",
        "return refunded",
        "return rejected",
        "return received",
        "captured",
        "mismatched",
        "declined",
        "disputed",
        "disputed twice",
        "refund sent again",
        "two tries",
    ];
    let missing: Vec<_> = wanted.into_iter().filter(|end| !ends.contains(*end)).collect();
    assert!(missing.is_empty(), "no history comes to {missing:?}, only to {ends:?}");
}

fn of_order(order: &Order) -> BTreeSet<String> {
    let mut ends = BTreeSet::new();
    let stage = order.status.stage();
    ends.insert(match order.status.cancel_reason() {
        Some(reason) if stage == Stage::Cancelled => format!("cancelled {reason:?}"),
        _ => stage.to_string(),
    });
    let so = |is_so: bool, what: &str| is_so.then(|| what.to_owned());
    ends.extend(so(order.round > 1, "asked again"));
    ends.extend(so(order.parcels.len() > 1, "several parcels"));
    for refund in &order.payment.refunds {
        let failed = matches!(refund.state, RefundState::Failed { .. });
        ends.insert(if failed { "refund failed" } else { "refund given" }.to_owned());
    }
    let named = |stage: ReturnStage| format!("return {}", stage.as_str());
    ends.extend(order.returns.iter().map(|known| named(known.stage())));
    ends
}

fn of_payment(payment: &Payment) -> BTreeSet<String> {
    let name = |state: &AttemptState| match state {
        AttemptState::Captured { .. } => "captured",
        AttemptState::Mismatched { .. } => "mismatched",
        AttemptState::Declined { .. } => "declined",
        AttemptState::Started
        | AttemptState::Processing { .. }
        | AttemptState::ActionRequired { .. }
        | AttemptState::Authorized { .. }
        | AttemptState::Capturing { .. } => "open",
    };
    let mut ends: BTreeSet<_> =
        payment.attempts.iter().map(|attempt| name(&attempt.state).to_owned()).collect();
    let so = |is_so: bool, what: &str| is_so.then(|| what.to_owned());
    ends.extend(so(payment.attempts.len() > 1, "two tries"));
    ends.extend(so(payment.attempts.iter().any(|it| it.dispute.is_some()), "disputed"));
    let twice = payment.attempts.iter().any(|it| it.disputes().count() > 1);
    ends.extend(so(twice, "disputed twice"));
    ends.extend(so(payment.refunds.iter().any(|it| it.key.is_some()), "refund sent again"));
    ends
}
