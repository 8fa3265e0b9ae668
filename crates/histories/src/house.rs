//! Where the goods are: what product keeps.

use std::collections::BTreeMap;

use ::product::domain::{Adjustment, Reservation, Shelf, State, StockItem, StockMovement};
use common::Change;
use contracts::{OrderId, ProductId, Sku, Timestamp, UserId, product};
use uuid::Uuid;

/// What is for sale, and how many pieces there are of it at first: few, many, and one.
pub(crate) const GOODS: [(&str, i64, i64); 3] =
    [("FEW", 4, 1999), ("MANY", 60, 333), ("ONE", 1, 70_000)];

/// The stock, what is set aside of it, and what is known of both besides.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) shelf: Shelf,
    pub(crate) reservations: BTreeMap<OrderId, Reservation>,
    /// Pieces that somebody counted in, less those counted out.
    counted: BTreeMap<Sku, i64>,
    /// On hand and reserved, as the ledger plays back.
    played: BTreeMap<Sku, (i64, i64)>,
    /// Available, as it was told last.
    told: BTreeMap<Sku, u32>,
}

impl House {
    pub(crate) fn open(now: Timestamp) -> Self {
        let mut house = Self {
            shelf: Shelf::new(),
            reservations: BTreeMap::new(),
            counted: BTreeMap::new(),
            played: BTreeMap::new(),
            told: BTreeMap::new(),
        };
        for (name, pieces, _) in GOODS {
            let (sku, on_hand) = (sku(name), pieces.try_into().unwrap());
            house.counted.insert(sku.clone(), pieces);
            house.commit(&StockItem::begin(sku, product_id(), on_hand, staff(), now));
        }
        house
    }

    /// What is known of an order's goods.
    pub(crate) fn of(&self, order: OrderId) -> Reservation {
        let known = self.reservations.get(&order).cloned();
        known.unwrap_or_else(|| Reservation::unheard_of(order))
    }

    /// Staff count pieces in or out, as far as they can.
    pub(crate) fn count(&mut self, which: usize, delta: i64, now: Timestamp) {
        let (name, ..) = GOODS[which % GOODS.len()];
        let Ok(pieces) = delta.try_into() else { return };
        let reason = "counted".to_owned().try_into().unwrap();
        let item = self.shelf[name].clone();
        let counted = Adjustment { sku: item.sku.clone(), delta: pieces, reason };
        if let Ok(change) = item.adjust(counted, staff(), now) {
            *self.counted.entry(sku(name)).or_default() += delta;
            self.commit(&change);
        }
    }

    pub(crate) fn commit<T>(&mut self, change: &Change<T>) {
        for item in change.writes::<StockItem>() {
            self.shelf.insert(item.sku.to_string(), item);
        }
        for reservation in change.writes::<Reservation>() {
            self.reservations.insert(reservation.order_id, reservation);
        }
        for row in change.entries::<StockMovement>() {
            let (on_hand, reserved) = self.played.entry(row.sku).or_default();
            *on_hand += row.on_hand_delta;
            *reserved += row.reserved_delta;
        }
        self.told
            .extend(change.told::<product::Stock>().into_iter().map(|it| (it.sku, it.available)));
    }

    /// What is there is what was counted and is not sold, what is promised is what orders have, and
    /// nothing is promised that is not there.
    pub(crate) fn adds_up(&self) {
        for item in self.shelf.values() {
            let pieces = |is: fn(&State) -> bool| -> i64 {
                let such = self.reservations.values().filter(|it| is(&it.state));
                such.map(|it| i64::from(kept(it, &item.sku))).sum()
            };
            let held = pieces(|state| matches!(state, State::Held { .. }));
            let sold = pieces(|state| matches!(state, State::Sold));
            let (on_hand, reserved) = (i64::from(item.on_hand), i64::from(item.reserved));
            assert!(reserved <= on_hand, "{} is oversold: {reserved} of {on_hand}", item.sku);
            assert_eq!(reserved, held, "of {} others are promised than orders have", item.sku);
            let gone = sold + self.lost(&item.sku);
            assert_eq!(on_hand, self.counted[&item.sku] - gone, "{} came or went", item.sku);
            assert_eq!((on_hand, reserved), self.played[&item.sku], "the ledger of {}", item.sku);
            assert_eq!(item.available(), self.told[&item.sku], "as told of {}", item.sku);
        }
    }

    /// Pieces that went with orders that were given up.
    fn lost(&self, sku: &Sku) -> i64 {
        self.reservations.values().filter_map(|it| it.lost.get(sku)).map(|it| i64::from(*it)).sum()
    }
}

/// Pieces that an order has, less what came back of them.
pub(crate) fn kept(reservation: &Reservation, sku: &Sku) -> u32 {
    let pieces = |of: &BTreeMap<Sku, u32>| of.get(sku).copied().unwrap_or(0);
    pieces(&reservation.lines) - pieces(&reservation.restocked)
}

pub(crate) fn sku(name: &str) -> Sku {
    name.parse().unwrap()
}

pub(crate) fn product_id() -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(1))
}

fn staff() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}
