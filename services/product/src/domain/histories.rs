//! Whatever is heard, in whatever order and however often: stock adds up and nothing is oversold.

use std::collections::BTreeMap;
use std::time::Duration;

use common::Change;
use contracts::product::{CommitRefused, Committed, Pieces, Refused, Reserved, Stock};
use contracts::{OrderId, ProductId, Quantity, Sku, Timestamp, UserId};
use proptest::prelude::*;
use proptest::sample::Index;

use super::reservation::State;
use super::{Adjustment, Obstacle, Reservation, Shelf, StockItem, StockMovement};

pub(super) fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

pub(super) fn sku(text: &str) -> Sku {
    text.parse().unwrap()
}

pub(super) fn order(number: u8) -> OrderId {
    format!("ord_{number:032x}").parse().unwrap()
}

pub(super) fn product_id() -> ProductId {
    format!("prd_{:032x}", 1).parse().unwrap()
}

pub(super) fn staff() -> UserId {
    format!("usr_{:032x}", 1).parse().unwrap()
}

pub(super) fn pieces(of: &str, quantity: u32) -> Pieces {
    Pieces { sku: sku(of), quantity: Quantity::new(quantity).unwrap() }
}

/// What happens to a house: an order speaks, or somebody counts.
#[derive(Clone, Debug)]
enum Step {
    Place { order: u8, round: u32 },
    Pay { order: u8 },
    Expire { order: u8, round: u32 },
    Cancel { order: u8, lost: u32 },
    Restock { order: u8, what: &'static str, pieces: u32 },
    Remind { order: u8 },
    Adjust { sku: Index, delta: i64 },
}

/// A house with what it keeps, as a database would hold it.
#[derive(Clone, Debug, Default)]
struct House {
    shelf: Shelf,
    reservations: BTreeMap<OrderId, Reservation>,
    ledger: Vec<StockMovement>,
    told: BTreeMap<Sku, u32>,
    answers: BTreeMap<(OrderId, u32), u32>,
    verdicts: BTreeMap<OrderId, u32>,
    counted: BTreeMap<Sku, i64>,
    hours: u64,
}

impl House {
    fn with(stock: &[(&str, i64)]) -> Self {
        let mut house = Self::default();
        for (name, pieces) in stock {
            let pieces_there = (*pieces).try_into().unwrap();
            let begun = StockItem::begin(sku(name), product_id(), pieces_there, staff(), noon());
            house.counted.insert(sku(name), *pieces);
            house.commit(&begun);
        }
        house
    }

    /// What the order wants: of one SKU in two lines, or of one that nobody knows.
    fn lines(order: u8) -> Vec<Pieces> {
        match order % 4 {
            0 => vec![pieces("A", 1), pieces("A", 2), pieces("B", 1)],
            1 => vec![pieces("B", 3)],
            2 => vec![pieces("A", 4), pieces("B", 2)],
            _ => vec![pieces("A", 1), pieces("UNKNOWN", 1)],
        }
    }

    fn live(&mut self, step: &Step) {
        self.hours += 1;
        let now = noon().plus(Duration::from_hours(self.hours));
        let of = |number: u8| {
            let known = self.reservations.get(&order(number)).cloned();
            known.unwrap_or_else(|| Reservation::unheard_of(order(number)))
        };
        let stock = &self.shelf;
        let change = match *step {
            Step::Place { order, round } => of(order).place(round, &Self::lines(order), stock, now),
            Step::Pay { order } => of(order).pay(&Self::lines(order), stock, now),
            Step::Expire { order, round } => of(order).expire(round, stock, now),
            Step::Cancel { order, lost: 0 } => of(order).cancel(&[], stock, now),
            Step::Cancel { order, lost } => of(order).cancel(&[pieces("B", lost)], stock, now),
            Step::Restock { order: number, what, pieces: back } => {
                match of(number).restock(&[pieces(what, back)], stock, now) {
                    Ok(change) => Ok(change),
                    Err(obstacle) => return self.has_no_more(number, &obstacle, back),
                }
            }
            Step::Remind { order } => Ok(of(order).remind(Duration::from_hours(3), now)),
            Step::Adjust { sku, delta } => return self.count(sku, delta, now),
        };
        self.commit(&change.unwrap());
    }

    fn count(&mut self, which: Index, delta: i64, now: Timestamp) {
        let item = which.get(&self.shelf.values().cloned().collect::<Vec<_>>()).clone();
        let Ok(delta) = delta.try_into() else { return };
        let reason = "counted".to_owned().try_into().unwrap();
        let counted = Adjustment { sku: item.sku.clone(), delta, reason };
        let (sku, available) = (item.sku.clone(), i64::from(item.available()));
        match item.adjust(counted, staff(), now) {
            Ok(change) => {
                *self.counted.entry(sku).or_default() += delta.get();
                self.commit(&change);
            }
            Err(_) => assert!(available + delta.get() < 0),
        }
    }

    /// Pieces stay with an order only when it does not have them, or is not known to.
    fn has_no_more(&self, number: u8, obstacle: &Obstacle, back: u32) {
        let known = self.reservations.get(&order(number));
        let state = known.map_or(&State::Released, |it| &it.state);
        match (obstacle, state) {
            (
                Obstacle::NotSoldYet { .. },
                State::Released | State::Refused | State::Held { .. },
            ) => {}
            (Obstacle::NotSold { sku, left, .. }, State::Sold) => {
                assert_eq!(*left, known.map_or(0, |it| kept(it, sku)));
                assert!(back > *left);
            }
            (obstacle, state) => panic!("{obstacle} although {state:?}"),
        }
    }

    fn commit<T>(&mut self, change: &Change<T>) {
        for item in change.writes::<StockItem>() {
            self.shelf.insert(item.sku.to_string(), item);
        }
        for reservation in change.writes::<Reservation>() {
            self.reservations.insert(reservation.order_id, reservation);
        }
        self.ledger.extend(change.entries::<StockMovement>());
        self.told.extend(change.told::<Stock>().into_iter().map(|it| (it.sku, it.available)));
        let reserved = change.told::<Reserved>().into_iter().map(|it| (it.order_id, it.round));
        let refused = change.told::<Refused>().into_iter().map(|it| (it.order_id, it.round));
        for asking in reserved.chain(refused) {
            *self.answers.entry(asking).or_default() += 1;
        }
        let committed = change.told::<Committed>().into_iter().map(|it| it.order_id);
        let too_late = change.told::<CommitRefused>().into_iter().map(|it| it.order_id);
        for paid in committed.chain(too_late) {
            *self.verdicts.entry(paid).or_default() += 1;
        }
    }

    /// Pieces of a SKU in all reservations of a kind.
    fn in_orders(&self, sku: &Sku, kind: impl Fn(&State) -> bool) -> u32 {
        let of_kind = self.reservations.values().filter(|it| kind(&it.state));
        of_kind.map(|it| kept(it, sku)).sum()
    }

    fn adds_up(&self) {
        for item in self.shelf.values() {
            let held = self.in_orders(&item.sku, |state| matches!(state, State::Held { .. }));
            let sold = self.in_orders(&item.sku, |state| matches!(state, State::Sold));
            assert_eq!(item.reserved, held, "what is promised is what is held");
            assert!(item.reserved <= item.on_hand, "no more is promised than is there");
            let lost: u32 =
                self.reservations.values().filter_map(|it| it.lost.get(&item.sku)).sum();
            assert_eq!(
                i64::from(item.on_hand),
                self.counted[&item.sku] - i64::from(sold) - i64::from(lost),
                "what was counted is there, sold or lost"
            );
            assert_eq!(self.told[&item.sku], item.available(), "what is told is so");
            self.plays_back(item);
        }
        assert!(self.answers.values().all(|times| *times == 1), "an asking has one answer");
        assert!(self.verdicts.values().all(|times| *times == 1), "a paid order has one verdict");
    }

    fn plays_back(&self, item: &StockItem) {
        let rows = self.ledger.iter().filter(|row| row.sku == item.sku);
        let (mut on_hand, mut reserved, mut number) = (0, 0, 0);
        for row in rows {
            on_hand += row.on_hand_delta;
            reserved += row.reserved_delta;
            number += 1;
            assert_eq!((on_hand, reserved), (row.on_hand.into(), row.reserved.into()));
            assert_eq!(row.id, format!("{}:{number:012}", row.sku));
        }
        assert_eq!((on_hand, reserved), (item.on_hand.into(), item.reserved.into()));
        assert_eq!(number, item.movements);
    }
}

/// Pieces that an order has, less what came back.
fn kept(order: &Reservation, sku: &Sku) -> u32 {
    let pieces = |of: &BTreeMap<Sku, u32>| of.get(sku).copied().unwrap_or(0);
    pieces(&order.lines) - pieces(&order.restocked)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (order, round) = (0_u8..6, 1_u32..4);
    let step = prop_oneof![
        4 => (order.clone(), round.clone()).prop_map(|(order, round)| Step::Place { order, round }),
        2 => order.clone().prop_map(|order| Step::Pay { order }),
        2 => (order.clone(), round).prop_map(|(order, round)| Step::Expire { order, round }),
        1 => (order.clone(), 0_u32..3).prop_map(|(order, lost)| Step::Cancel { order, lost }),
        2 => (order.clone(), prop::sample::select(vec!["A", "B", "UNKNOWN"]), 1_u32..4)
            .prop_map(|(order, what, pieces)| Step::Restock { order, what, pieces }),
        1 => order.prop_map(|order| Step::Remind { order }),
        2 => (any::<Index>(), -8_i64..8).prop_map(|(sku, delta)| Step::Adjust { sku, delta }),
    ];
    prop::collection::vec(step, 0..60)
}

/// The life of an order as it speaks of it, and where its goods are in the end.
fn lives() -> Vec<(Vec<Step>, &'static str)> {
    let place = |round| Step::Place { order: 0, round };
    let expire = |round| Step::Expire { order: 0, round };
    let (pay, cancel) = (Step::Pay { order: 0 }, Step::Cancel { order: 0, lost: 0 });
    vec![
        (vec![place(1)], "held"),
        (vec![place(1), pay.clone()], "sold"),
        (vec![place(1), expire(1)], "free"),
        (vec![place(1), cancel.clone()], "free"),
        (vec![place(1), pay.clone(), cancel.clone()], "free"),
        (vec![place(1), expire(1), place(2)], "held"),
        (vec![place(1), expire(1), place(2), expire(2)], "free"),
        (vec![place(1), expire(1), place(2), pay.clone()], "sold"),
        (vec![place(1), expire(1), place(2), pay, cancel.clone()], "free"),
        (vec![place(1), expire(1), cancel], "free"),
    ]
}

/// One of the lives, shuffled, each step once or twice.
fn shuffled_life() -> impl Strategy<Value = (Vec<Step>, &'static str)> {
    prop::sample::select(lives()).prop_flat_map(|(life, end)| {
        let again = prop::collection::vec(any::<bool>(), life.len());
        again.prop_flat_map(move |again| {
            let twice = life.iter().zip(again).filter(|(_, again)| *again).map(|(step, _)| step);
            let all: Vec<_> = life.iter().chain(twice).cloned().collect();
            (Just(all).prop_shuffle(), Just(end))
        })
    })
}

proptest! {
    #[test]
    fn stock_adds_up_after_every_step_of_any_history(
        steps in steps(), a in 0_i64..12, b in 0_i64..12,
    ) {
        let mut house = House::with(&[("A", a), ("B", b)]);
        for step in &steps {
            house.live(step);
            house.adds_up();
        }
    }

    #[test]
    fn an_order_ends_the_same_in_whatever_order_it_is_heard((life, end) in shuffled_life()) {
        let mut house = House::with(&[("A", 10), ("B", 10)]);

        for step in &life {
            house.live(step);
            house.adds_up();
        }

        let a = &house.shelf["A"];
        let where_is = match (a.on_hand, a.reserved) {
            (10, 3) => "held",
            (7, 0) => "sold",
            (10, 0) => "free",
            _ => "lost",
        };
        prop_assert_eq!(where_is, end);
    }
}
