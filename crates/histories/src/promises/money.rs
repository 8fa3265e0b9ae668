//! Where the money has to be in the end.

use contracts::{AttemptId, Money, OrderId, RefundId};
use order::domain::{Order, Refund, Status};
use payment::domain::{Account, DisputeState, RefundOutcome};

use crate::provider::GivenBack;
use crate::shop::Shop;

impl Shop {
    /// What the provider keeps for an order, what payment says and what the order says are one, and
    /// it is what the order is owed.
    pub(super) fn money_is_right(&self, order: &Order) {
        self.nothing_is_open(order);
        let payment = self.payments.get(&order.id);
        let by_payment = payment.map_or(0, |it| it.remaining().amount);
        let by_order = order.payment.remaining().map_or(0, |money| money.amount);
        assert_eq!(by_order, by_payment, "as the order says: {order:?}\n{payment:?}");
        let mut charges = self.provider.books.of(order.id);
        let is_won = |(_, state): &(Money, DisputeState)| *state == DisputeState::Won;
        if charges.all(|(_, charge)| charge.disputes.iter().all(is_won)) {
            self.keeps_what_it_may(order);
            let refused = self.refunds(order.id, RefundOutcome::Refused).count();
            if refused == 0 && !self.given.contains_key(&order.id) {
                pieces_are_worth_what_they_cost(order);
            }
        }
    }

    /// All that an order costs less what was given back for some of it, or nothing when it came to
    /// nothing. Of what a bank has taken nothing goes back: a person has to see to that.
    fn keeps_what_it_may(&self, order: &Order) {
        let kept = self.provider.books.keep(order.id);
        match &order.status {
            Status::Cancelled { .. } | Status::Expired { .. } => {
                let stuck = self.stuck(order.id);
                assert!((0..=stuck).contains(&kept), "{kept} is kept for {order:?}");
            }
            Status::Paid { .. }
            | Status::Shipped { .. }
            | Status::Delivered { .. }
            | Status::Completed { .. } => {
                let owed = order.sums.total.amount - self.granted(order.id);
                let surplus = self.stuck_surplus(order.id);
                let payment = self.payments.get(&order.id);
                assert_eq!(kept, owed + surplus, "is kept for {order:?}\n{payment:?}");
            }
            Status::Placed | Status::Reserved { .. } => panic!("nobody sees to {order:?}"),
        }
    }

    fn nothing_is_open(&self, order: &Order) {
        assert!(!order.payment.refunds.iter().any(Refund::is_open), "a refund is open: {order:?}");
        let Some(payment) = self.payments.get(&order.id) else { return };
        assert_eq!(payment.open_attempts().count(), 0, "an attempt is open: {payment:?}");
        assert_eq!(payment.open_refunds().count(), 0, "a refund is open: {payment:?}");
        let waits = payment.refunds.iter().any(payment::domain::Refund::is_waiting);
        assert!(!waits, "a refund waits for a dispute that ended: {payment:?}");
    }

    /// What went back because order or staff said so.
    fn granted(&self, order: OrderId) -> i64 {
        let given = self.given.get(&order);
        let Some(payment) = self.payments.get(&order) else { return 0 };
        let asked: Vec<RefundId> =
            self.asked.keys().flat_map(|id| payment.refunds_for(*id)).map(|part| part.id).collect();
        let is_granted =
            |id: &RefundId| asked.contains(id) || given.is_some_and(|given| given.contains_key(id));
        self.refunds(order, RefundOutcome::Done).filter(|(id, _)| is_granted(id)).map(amount).sum()
    }

    /// What was to go back and cannot: payment and order show it to staff. What was refused only as
    /// long as a bank held the money is none of it, but where staff gave it, who judge themselves.
    fn stuck(&self, order: OrderId) -> i64 {
        let given = self.given.get(&order);
        let of_staff = |id: &RefundId| given.is_some_and(|given| given.contains_key(id));
        let refused = self.refunds(order, RefundOutcome::Refused);
        refused.filter(|(id, it)| !it.for_dispute || of_staff(id)).map(amount).sum()
    }

    /// What came too much and cannot go back.
    fn stuck_surplus(&self, order: OrderId) -> i64 {
        let Some(payment) = self.payments.get(&order) else { return 0 };
        let left = |attempt: AttemptId, came: i64| {
            let root = RefundId::from_uuid(attempt.uuid());
            payment.refund_of(root)?;
            let done = payment.refunds_for(root).filter(|it| it.is_done());
            Some(came - done.map(|it| it.amount.amount).sum::<i64>())
        };
        let charges = self.provider.books.of(order);
        charges.filter_map(|(attempt, charge)| left(attempt, charge.came())).sum()
    }

    /// The refunds of which this became at the provider, by the names that payment has for them; not
    /// those that were asked for anew under another key.
    fn refunds(
        &self,
        order: OrderId,
        outcome: RefundOutcome,
    ) -> impl Iterator<Item = (RefundId, &GivenBack)> {
        let known = self.payments.get(&order).map_or(&[][..], |payment| &payment.refunds);
        let given = self.provider.books.refunds_of(order);
        given.filter(move |(_, it)| it.outcome == outcome).filter_map(move |(key, it)| {
            let refund = known.iter().find(|refund| refund.key() == key)?;
            Some((refund.id, it))
        })
    }

    /// Every movement is entered twice, and the books are those of the provider.
    pub(super) fn ledger_is_right(&self) {
        let all: i64 = self.ledger.iter().map(|entry| entry.amount.amount).sum();
        assert_eq!(all, 0, "the ledger");
        for (order, payment) in &self.payments {
            let of = self.ledger.iter().filter(|entry| entry.payment_id == payment.id);
            let held = of.filter(|entry| entry.account == Account::ProviderClearing);
            let held: i64 = held.map(|entry| entry.amount.amount).sum();
            assert_eq!(held, self.provider.books.keep(*order), "the ledger of {payment:?}");
        }
    }
}

/// What goes back for pieces is their share of what was paid for the goods, to the cent; for all of
/// them it is all of that.
fn pieces_are_worth_what_they_cost(order: &Order) {
    let lines = order.payment.refunds.iter().flat_map(|refund| &refund.lines);
    let (bought, mut all, mut back) = (order.bought(), 0, 0);
    for (sku, pieces) in bought.iter() {
        let of_sku = order.lines.iter().filter(|line| line.sku == *sku);
        let worth: i64 = of_sku.map(|line| line.line_total.amount).sum();
        let (refunded, given) =
            lines.clone().filter(|line| line.sku == *sku).fold((0, 0), |(pieces, given), line| {
                (pieces + line.quantity, given + line.amount.amount)
            });
        let goods = order.sums.total.amount - order.sums.shipping.amount;
        let part = worth * goods * i64::from(refunded);
        let whole = order.sums.subtotal.amount * i64::from(pieces);
        let due = part / whole.max(1);
        assert!((due - 1..=due + 2).contains(&given), "{given} for {due} of {sku}: {order:?}");
        assert!(refunded <= pieces, "more pieces of {sku} are refunded than bought: {order:?}");
        (all, back) = (all + pieces - refunded, back + given);
    }
    let goods = order.sums.total.amount - order.sums.shipping.amount;
    assert!(all > 0 || back == goods, "{back} for all goods of {order:?}");
}

fn amount((_, given): (RefundId, &GivenBack)) -> i64 {
    given.amount.amount
}
