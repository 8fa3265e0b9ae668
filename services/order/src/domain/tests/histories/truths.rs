//! What holds for every order all the time.

use proptest::prelude::*;

use super::super::*;
use super::steps::History;

/// Everything that holds.
pub(super) fn hold(history: &History) -> Result<(), TestCaseError> {
    pieces(&history.order)?;
    stages(&history.order)?;
    money(history)?;
    tellings(history)
}

/// Bought = sent + to send + dropped, and nobody gets more back than they have.
fn pieces(order: &Order) -> Result<(), TestCaseError> {
    let (bought, sent, to_send) = (order.bought(), order.sent(), order.to_send());
    prop_assert_eq!(&sent.plus(&to_send).plus(&order.dropped), &bought);
    prop_assert!(order.refunded_pieces().beyond(&bought).is_none());
    let back: Vec<Goods> = order.returns.iter().map(Return::claims).collect();
    prop_assert!(back.iter().collect::<Goods>().beyond(&sent).is_none());
    Ok(())
}

fn stages(order: &Order) -> Result<(), TestCaseError> {
    let all_settled = order.to_send().is_empty();
    let is_paid = matches!(order.status, Paid { .. });
    prop_assert!(order.waiting.is_none() || is_paid && order.payment.promise().is_some());
    match order.status {
        Placed | Reserved { .. } | Expired { .. } => {
            prop_assert!(order.parcels.is_empty() && order.dropped.is_empty());
        }
        Paid { .. } => {
            prop_assert!(!all_settled, "nothing to send");
            prop_assert!(order.payment.is_covered(), "sold without money");
            let money = order.payment.remaining();
            prop_assert!(money.is_some() || !order.payment.has_come(), "to be sent for nothing");
        }
        Shipped { .. } => prop_assert!(all_settled && order.is_on_its_way()),
        Delivered { .. } => prop_assert!(all_settled && !order.is_on_its_way()),
        Completed { .. } => {
            prop_assert!(all_settled && !order.is_on_its_way());
            prop_assert!(!order.has_open_return(), "a return is open");
        }
        Cancelled { .. } => {
            prop_assert!(order.parcels.is_empty() && all_settled);
            prop_assert!(order.payment.promise().is_none(), "money is still promised");
        }
    }
    prop_assert!(order.parcels.is_empty() || order.payment.has_come(), "sent without money");
    Ok(())
}

/// The money of an order is where it belongs.
fn money(history: &History) -> Result<(), TestCaseError> {
    let payment = &history.order.payment;
    let cents = |sums: &mut dyn Iterator<Item = Money>| sums.map(|sum| sum.amount).sum::<i64>();
    let came = cents(&mut payment.captured.values().copied());
    let live = payment.refunds.iter().filter(|refund| refund.is_live());
    let asked = cents(&mut live.clone().map(|refund| refund.amount));
    prop_assert!(asked <= came, "{asked} asked of {came}");
    let has_failed = live.count() < payment.refunds.len();
    if matches!(history.order.status, Cancelled { .. } | Expired { .. }) {
        prop_assert!(payment.free().is_none() || has_failed, "paid for nothing");
    }
    for (sku, _) in history.order.bought().iter() {
        let live = payment.refunds.iter().filter(|refund| refund.is_live());
        let lines = live.flat_map(|refund| &refund.lines).filter(|line| line.sku == *sku);
        let given = cents(&mut lines.map(|line| line.amount));
        prop_assert!((0..=history.order.share_of(sku)).contains(&given));
    }
    Ok(())
}

/// What was told is what is so.
fn tellings(history: &History) -> Result<(), TestCaseError> {
    let order = &history.order;
    prop_assert!(history.paid.len() <= 1, "sold twice");
    let rounds = usize::try_from(order.round).unwrap();
    prop_assert!(history.extensions.len() <= rounds, "waited twice for somebody who pays");
    let sent = history.shipped.iter().flat_map(|told| told.lines.clone());
    prop_assert_eq!(sent.collect::<Goods>(), order.sent());
    let numbers = history.shipped.iter().map(|told| told.parcel);
    prop_assert!(numbers.eq(order.parcels.iter().map(|parcel| parcel.number)));
    let arrived = matches!(order.status, Delivered { .. } | Completed { .. });
    prop_assert_eq!(history.delivered.len(), usize::from(arrived));
    let told = history.refunds.iter().map(|told| (told.refund_id, told.amount));
    let asked = order.payment.refunds.iter().filter(|refund| refund.amount.is_positive());
    prop_assert!(told.eq(asked.map(|refund| (Some(refund.id), refund.amount))));
    let restocked = history.restocked.iter().flat_map(|told| told.lines.clone());
    prop_assert!(restocked.collect::<Goods>().beyond(&order.bought()).is_none());
    Ok(())
}
