//! What is set aside for an order, and what becomes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Change, Document};
use contracts::product::{
    CommitRefused, Committed, Pieces, Refused, Released, ReservationOverdue, Reserved, Shortage,
};
use contracts::{OrderId, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Shelf, StockItem};

/// What an order wants of the stock, and whether it has it: all lines or none.
///
/// Orders speak through events, which come in any order, early, late and twice. So every step is
/// total over all states, and an order that was never heard of is one whose goods are released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reservation {
    /// The order.
    #[serde(rename = "_id")]
    pub(crate) order_id: OrderId,
    /// The latest asking of the order that was heard of, from 1.
    pub(crate) round: u32,
    /// How many pieces of each SKU are set aside or sold; nothing before the first time.
    pub(crate) lines: BTreeMap<Sku, u32>,
    /// Whether it has them.
    pub(crate) state: State,
}

/// Where a reservation stands; each arrow is one method of [`Reservation`].
///
/// ```text
///                  ┌─────── expire ───────┐
///                  ▼                      │
/// unheard of ═ Released ──── place ────▶ Held ──── pay ────▶ Sold ── cancel ──▶ Returned
///                │  ▲                     ▲                   ▲
/// place, too few │  │ expire              │ place             │ pay, all there
///                ▼  │                     │                   │
///               Refused ──────────────────┘          Released, Refused
///                                                             │ pay, too few
/// Released, Refused, Held, SaleRefused ── cancel ──▶ GivenUp  ▼
///                                                        SaleRefused
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum State {
    /// Nothing is set aside; the order may ask.
    Released,
    /// Something was missing; the order may ask again.
    Refused,
    /// The pieces are set aside.
    Held {
        /// Since when.
        since: Timestamp,
        /// When something was last heard of the order, or asked about it.
        quiet_since: Timestamp,
    },
    /// The pieces are sold.
    Sold,
    /// It was paid, and something was gone: the order will be given up.
    SaleRefused {
        /// What was missing.
        shortages: Vec<Shortage>,
    },
    /// The order was given up before anything was sold. Final.
    GivenUp,
    /// The order was given up after the sale, and the pieces are back. Final.
    Returned,
}

/// A step is about pieces of a SKU that it was not shown: it is to be taken again, with them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stock of {sku} is out of sight")]
pub(crate) struct OutOfSight {
    /// What is missing.
    pub(crate) sku: Sku,
}

type Outcome = Result<Change<Reservation>, OutOfSight>;

impl Document for Reservation {
    const COLLECTION: &'static str = "reservations";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.order_id
    }
}

impl Reservation {
    /// What an order has of which nothing was heard.
    pub(crate) const fn unheard_of(order_id: OrderId) -> Self {
        Self { order_id, round: 0, lines: BTreeMap::new(), state: State::Released }
    }

    /// The order asks for its goods: all lines are set aside, or none is.
    ///
    /// Every new asking is answered, so that no order waits for ever. One that was heard before, or
    /// was overtaken by a later one or by its own end, has its answer already.
    pub(crate) fn place(
        self,
        round: u32,
        lines: &[Pieces],
        stock: &Shelf,
        now: Timestamp,
    ) -> Outcome {
        if round <= self.round {
            return Ok(Change::none(self));
        }
        let reserved = Reserved { order_id: self.order_id, round };
        let asked = Self { round, ..self };
        match &asked.state {
            State::Released | State::Refused => asked.take(lines, stock, now),
            // The expiry of the asking before is still on its way: what is held is held for this.
            State::Held { .. } => {
                Ok(Change::to(Self { state: State::held(now), ..asked }).telling(&reserved))
            }
            State::Sold => Ok(Change::to(asked).telling(&reserved)),
            State::SaleRefused { shortages } => {
                let refused =
                    Refused { order_id: asked.order_id, round, shortages: shortages.clone() };
                Ok(Change::to(asked).telling(&refused))
            }
            State::GivenUp | State::Returned => Ok(Change::none(asked)),
        }
    }

    /// The order is paid: what is set aside is sold. Should nothing be, it is sold from what is
    /// there, if all lines are.
    pub(crate) fn pay(self, lines: &[Pieces], stock: &Shelf, now: Timestamp) -> Outcome {
        let order_id = self.order_id;
        let committed = Committed { order_id };
        match &self.state {
            State::Held { .. } => {
                let sold = Self { state: State::Sold, ..self };
                let change = sold.moving(stock, |item, pieces| item.sell(pieces, order_id, now))?;
                Ok(change.telling(&committed))
            }
            State::Released | State::Refused => {
                let lines = summed(lines);
                let shortages = missing(&lines, stock);
                if !shortages.is_empty() {
                    let told = CommitRefused { order_id, shortages: shortages.clone() };
                    let refused = Self { state: State::SaleRefused { shortages }, ..self };
                    return Ok(Change::to(refused).telling(&told));
                }
                let sold = Self { lines, state: State::Sold, ..self };
                let at_once = |item: StockItem, pieces| item.sell_at_once(pieces, order_id, now);
                Ok(sold.moving(stock, at_once)?.telling(&committed))
            }
            State::Sold | State::SaleRefused { .. } | State::GivenUp | State::Returned => {
                Ok(Change::none(self))
            }
        }
    }

    /// The order was not paid in time: what is set aside for that asking is for sale again. Should
    /// the asking itself come later, it finds that it is over.
    pub(crate) fn expire(self, round: u32, stock: &Shelf, now: Timestamp) -> Outcome {
        if round < self.round {
            return Ok(Change::none(self));
        }
        let is_new = round > self.round;
        match self.state {
            State::Held { .. } => Self { round, ..self }.release(State::Released, stock, now),
            State::Released | State::Refused if is_new => {
                Ok(Change::to(Self { round, state: State::Released, ..self }))
            }
            State::Released
            | State::Refused
            | State::Sold
            | State::SaleRefused { .. }
            | State::GivenUp
            | State::Returned => Ok(Change::none(self)),
        }
    }

    /// The order is given up for good: what is set aside is for sale again, and what is sold comes
    /// back.
    pub(crate) fn cancel(self, stock: &Shelf, now: Timestamp) -> Outcome {
        let order_id = self.order_id;
        match self.state {
            State::Held { .. } => self.release(State::GivenUp, stock, now),
            State::Sold => Self { state: State::Returned, ..self }
                .moving(stock, |item, pieces| item.take_back(pieces, order_id, now)),
            State::Released | State::Refused | State::SaleRefused { .. } => {
                Ok(Change::to(Self { state: State::GivenUp, ..self }))
            }
            State::GivenUp | State::Returned => Ok(Change::none(self)),
        }
    }

    /// Asks about an order of which nothing was heard for so long while goods are set aside for
    /// it. Only the order itself can say that they are to be released.
    pub(crate) fn remind(self, alarm: Duration, now: Timestamp) -> Change<Self> {
        match self.state {
            State::Held { since, quiet_since } if quiet_since.plus(alarm) <= now => {
                let overdue = ReservationOverdue { order_id: self.order_id, reserved_at: since };
                let state = State::Held { since, quiet_since: now };
                Change::to(Self { state, ..self }).telling(&overdue)
            }
            State::Held { .. }
            | State::Released
            | State::Refused
            | State::Sold
            | State::SaleRefused { .. }
            | State::GivenUp
            | State::Returned => Change::none(self),
        }
    }

    fn take(self, lines: &[Pieces], stock: &Shelf, now: Timestamp) -> Outcome {
        let (order_id, round) = (self.order_id, self.round);
        let lines = summed(lines);
        let shortages = missing(&lines, stock);
        if !shortages.is_empty() {
            let refused = Self { state: State::Refused, ..self };
            return Ok(Change::to(refused).telling(&Refused { order_id, round, shortages }));
        }
        let held = Self { lines, state: State::held(now), ..self };
        let change = held.moving(stock, |item, pieces| item.allocate(pieces, order_id, now))?;
        Ok(change.telling(&Reserved { order_id, round }))
    }

    fn release(self, state: State, stock: &Shelf, now: Timestamp) -> Outcome {
        let order_id = self.order_id;
        let released = Self { state, ..self };
        let change = released.moving(stock, |item, pieces| item.release(pieces, order_id, now))?;
        Ok(change.telling(&Released { order_id }))
    }

    /// Becomes this, and moves the stock of each of its lines.
    fn moving(self, stock: &Shelf, how: impl Fn(StockItem, u32) -> Change<StockItem>) -> Outcome {
        let lines = self.lines.clone();
        lines.into_iter().try_fold(Change::to(self), |change, (sku, pieces)| {
            let item = stock.get(sku.as_str()).cloned().ok_or(OutOfSight { sku })?;
            Ok(change.and(how(item, pieces)))
        })
    }
}

impl State {
    const fn held(now: Timestamp) -> Self {
        Self::Held { since: now, quiet_since: now }
    }
}

/// Lines of one SKU count together.
fn summed(lines: &[Pieces]) -> BTreeMap<Sku, u32> {
    let mut sums = BTreeMap::<_, u32>::new();
    for line in lines {
        let sum = sums.entry(line.sku.clone()).or_default();
        *sum = sum.saturating_add(line.quantity.get());
    }
    sums
}

/// The lines of which there are too few; of an unknown SKU there is nothing.
fn missing(lines: &BTreeMap<Sku, u32>, stock: &Shelf) -> Vec<Shortage> {
    let shortage = |(sku, &requested): (&Sku, &u32)| {
        let available = stock.get(sku.as_str()).map_or(0, StockItem::available);
        (available < requested).then(|| Shortage { sku: sku.clone(), requested, available })
    };
    lines.iter().filter_map(shortage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::histories::{noon, order, pieces, product_id, sku, staff};

    fn shelf(stock: &[(&str, i64)]) -> Shelf {
        let item = |&(name, pieces): &(&str, i64)| {
            let pieces = pieces.try_into().unwrap();
            let begun = StockItem::begin(sku(name), product_id(), pieces, staff(), noon());
            (name.to_owned(), begun.value)
        };
        stock.iter().map(item).collect()
    }

    fn placed(round: u32, lines: &[Pieces], shelf: &Shelf) -> Change<Reservation> {
        Reservation::unheard_of(order(1)).place(round, lines, shelf, noon()).unwrap()
    }

    /// What is held of 2 mugs, and the shelf that is left.
    fn held() -> (Reservation, Shelf) {
        let mut shelf = shelf(&[("MUG", 5)]);
        let change = placed(1, &[pieces("MUG", 2)], &shelf);
        let [item] = &change.writes::<StockItem>()[..] else { panic!("one SKU moves") };
        shelf.insert("MUG".into(), item.clone());
        (change.value, shelf)
    }

    #[test]
    fn all_lines_are_set_aside_and_it_is_said() {
        let change = placed(1, &[pieces("MUG", 2)], &shelf(&[("MUG", 5)]));

        assert_eq!(change.told::<Reserved>(), [Reserved { order_id: order(1), round: 1 }]);
        assert_eq!(change.writes::<StockItem>()[0].reserved, 2);
    }

    #[test]
    fn lines_of_one_sku_count_together() {
        let two_lines = [pieces("MUG", 2), pieces("MUG", 2), pieces("CUP", 1)];

        let change = placed(1, &two_lines, &shelf(&[("MUG", 3), ("CUP", 1)]));

        let [refused] = &change.told::<Refused>()[..] else { panic!("it is refused") };
        let short = Shortage { sku: sku("MUG"), requested: 4, available: 3 };
        assert_eq!(refused.shortages, [short]);
        assert!(change.writes::<StockItem>().is_empty());
    }

    #[test]
    fn of_an_unknown_sku_there_is_nothing() {
        let change = placed(1, &[pieces("CUP", 1)], &shelf(&[]));

        let [refused] = &change.told::<Refused>()[..] else { panic!("it is refused") };
        assert_eq!(refused.shortages[0].available, 0);
    }

    #[test]
    fn what_is_held_is_held_for_the_next_asking_too() {
        let (held, shelf) = held();

        let again = held.place(2, &[pieces("MUG", 2)], &shelf, noon()).unwrap();
        let late = again.value.clone().expire(1, &shelf, noon()).unwrap();

        assert_eq!(again.told::<Reserved>(), [Reserved { order_id: order(1), round: 2 }]);
        assert!(again.writes::<StockItem>().is_empty());
        assert!(late.is_none());
    }

    #[test]
    fn an_asking_that_its_end_overtook_reserves_nothing() {
        let shelf = shelf(&[("MUG", 5)]);
        let order = Reservation::unheard_of(order(1));

        let expired = order.clone().expire(1, &shelf, noon()).unwrap().value;
        let cancelled = order.cancel(&shelf, noon()).unwrap().value;

        for overtaken in [expired, cancelled] {
            let placed = overtaken.place(1, &[pieces("MUG", 1)], &shelf, noon()).unwrap();
            assert!(placed.writes::<StockItem>().is_empty() && placed.tells_nothing());
        }
    }

    #[test]
    fn a_paid_order_without_goods_gets_what_is_there_or_hears_that_it_is_gone() {
        let order = Reservation::unheard_of(order(1));

        let there = order.clone().pay(&[pieces("MUG", 5)], &shelf(&[("MUG", 5)]), noon()).unwrap();
        let gone = order.pay(&[pieces("MUG", 6)], &shelf(&[("MUG", 5)]), noon()).unwrap();

        assert_eq!(there.told::<Committed>().len(), 1);
        assert_eq!(there.writes::<StockItem>()[0].on_hand, 0);
        assert_eq!(gone.told::<CommitRefused>()[0].shortages[0].available, 5);
        assert!(gone.writes::<StockItem>().is_empty());
    }

    #[test]
    fn what_was_sold_comes_back_when_the_order_is_given_up() {
        let (held, shelf) = held();
        let sold = held.pay(&[], &shelf, noon()).unwrap();
        let shelf = Shelf::from([("MUG".into(), sold.writes::<StockItem>().remove(0))]);

        let returned = sold.value.cancel(&shelf, noon()).unwrap();

        assert_eq!(returned.value.state, State::Returned);
        assert_eq!(returned.writes::<StockItem>()[0].on_hand, 5);
    }

    #[test]
    fn stock_that_was_not_shown_is_asked_for() {
        let (held, _) = held();

        let blind = held.cancel(&Shelf::new(), noon()).unwrap_err();

        assert_eq!(blind, OutOfSight { sku: sku("MUG") });
    }

    #[test]
    fn an_order_that_is_quiet_for_too_long_is_asked_about_once_in_a_while() {
        const ALARM: Duration = Duration::from_hours(24);
        let (held, _) = held();
        let later = |hours| noon().plus(Duration::from_hours(hours));

        assert!(held.clone().remind(ALARM, later(23)).is_none());
        let asked = held.remind(ALARM, later(24));
        assert_eq!(asked.told::<ReservationOverdue>()[0].reserved_at, noon());
        assert!(asked.value.clone().remind(ALARM, later(47)).is_none());
        assert_eq!(asked.value.remind(ALARM, later(48)).told::<ReservationOverdue>().len(), 1);
    }
}
