//! The goods of an order: set aside while it waits, sold once it is paid, and let go of else.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Sku;

use super::orders::Case;
use crate::findings::Findings;
use crate::report::Rule;
use crate::shapes::{Holding, Kind, Order, Reservation, Stage};

pub(super) fn check(case: &Case, order: &Order, out: &mut Findings) {
    let (stage, words) = (order.stage(), case.holding().words());
    if let Some(says) = case.is_wrongly_sold(order) {
        out.add(Rule::SoldOnce, [case.id], says);
    } else if let Some(sku) = case.sold_other_than_once() {
        let ids = [case.id.to_string(), sku.to_string()];
        out.add(Rule::SoldOnce, ids, "the ledger does not say that these goods were sold once");
    } else if stage.is_given_up() && case.holding() == Holding::Held {
        let says = format!("the order is {stage}, and its goods are still set aside");
        out.add(Rule::LiveReservation, [case.id], says);
    } else if stage == Stage::Reserved && case.holding() != Holding::Held {
        let says = format!("the order waits for its money, and its goods are {words}");
        out.add(Rule::GoodsMissing, [case.id], says);
    } else if let Some(sku) = case.moved_otherwise() {
        let ids = [case.id.to_string(), sku.to_string()];
        let says = format!("its goods are {words}, and the stock ledger comes to something else");
        out.add(Rule::StockOfOrder, ids, says);
    }
}

impl Case {
    fn holding(&self) -> Holding {
        self.reservation.as_ref().map_or(Holding::Released, Reservation::holding)
    }

    /// A paid order has just the goods that it bought, and one that came to nothing has none.
    fn is_wrongly_sold(&self, order: &Order) -> Option<String> {
        let (stage, is_sold) = (order.stage(), self.holding() == Holding::Sold);
        if stage.is_sold() && !is_sold {
            Some(format!("the order is {stage}, and its goods are {}", self.holding().words()))
        } else if stage.is_sold() && !self.is_what_was_bought(order) {
            Some("other goods were sold to the order than it bought".to_owned())
        } else if stage.is_given_up() && is_sold {
            Some(format!("the order is {stage}, and its goods are still sold to it"))
        } else {
            None
        }
    }

    fn is_what_was_bought(&self, order: &Order) -> bool {
        self.reservation.as_ref().is_some_and(|reservation| reservation.lines == order.bought())
    }

    /// The first SKU that was not sold once where the goods were sold, or was where they were not.
    fn sold_other_than_once(&self) -> Option<Sku> {
        let mut sales = BTreeMap::<&Sku, (i64, i64)>::new();
        for row in self.movements.iter().filter(|row| row.kind == Kind::Sale) {
            let (rows, pieces) = sales.entry(&row.sku).or_default();
            (*rows, *pieces) = (*rows + 1, *pieces - row.on_hand_delta);
        }
        let sold = self.reservation.as_ref().filter(|reservation| reservation.was_sold());
        let lines = sold.map(|reservation| &reservation.lines);
        let expected: BTreeMap<&Sku, (i64, i64)> =
            lines.into_iter().flatten().map(|(sku, pieces)| (sku, (1, *pieces))).collect();
        let skus: BTreeSet<_> = sales.keys().chain(expected.keys()).copied().collect();
        skus.into_iter().find(|sku| sales.get(sku) != expected.get(sku)).cloned()
    }

    /// The first SKU of which the ledger moved something else than the reservation says.
    fn moved_otherwise(&self) -> Option<Sku> {
        let mut moved = BTreeMap::<&Sku, (i64, i64)>::new();
        for row in &self.movements {
            let (reserved, on_hand) = moved.entry(&row.sku).or_default();
            (*reserved, *on_hand) = (*reserved + row.reserved_delta, *on_hand + row.on_hand_delta);
        }
        let lines = self.reservation.iter().flat_map(|reservation| reservation.lines.keys());
        let skus: BTreeSet<_> = lines.chain(moved.keys().copied()).collect();
        let expected = |sku: &Sku| self.reservation.as_ref().map_or((0, 0), |it| it.moved(sku));
        let differs = |sku: &&Sku| moved.get(sku).copied().unwrap_or_default() != expected(sku);
        skus.into_iter().find(differs).cloned()
    }
}

impl Reservation {
    /// Whether its goods were sold, whatever became of them after that.
    fn was_sold(&self) -> bool {
        matches!(self.holding(), Holding::Sold | Holding::Returned)
    }
}
