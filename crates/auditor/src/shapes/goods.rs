//! Stock, its ledger and reservations, as product keeps them.

use std::collections::BTreeMap;

use contracts::{OrderId, Sku};
use serde::Deserialize;

use crate::merge::Keyed;

/// The counters of a SKU.
#[derive(Debug, Deserialize)]
pub(crate) struct Stock {
    #[serde(rename = "_id")]
    pub(crate) sku: Sku,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) movements: i64,
}

/// What live reservations hold of a SKU.
#[derive(Debug, Deserialize)]
pub(crate) struct Held {
    #[serde(rename = "_id")]
    pub(crate) sku: Sku,
    pub(crate) pieces: i64,
}

/// A row of the stock ledger.
#[derive(Debug, Deserialize)]
pub(crate) struct Movement {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) sku: Sku,
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) order_id: Option<OrderId>,
    pub(crate) on_hand_delta: i64,
    pub(crate) reserved_delta: i64,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
}

/// Why a stock changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Adjustment,
    Allocation,
    Release,
    Sale,
    Return,
    Restock,
    Transfer,
}

/// What is set aside for an order, or was.
#[derive(Debug, Deserialize)]
pub(crate) struct Reservation {
    #[serde(rename = "_id")]
    pub(crate) order: OrderId,
    pub(crate) lines: BTreeMap<Sku, i64>,
    #[serde(default)]
    pub(crate) restocked: BTreeMap<Sku, i64>,
    #[serde(default)]
    lost: BTreeMap<Sku, i64>,
    state: State,
}

#[derive(Debug, Deserialize)]
struct State {
    is: Holding,
}

/// What became of the goods of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Holding {
    Released,
    Refused,
    Held,
    Sold,
    SaleRefused,
    GivenUp,
    Returned,
}

impl Reservation {
    /// What became of the goods.
    pub(crate) fn holding(&self) -> Holding {
        self.state.is
    }

    /// By how much the order changed what is reserved and what is on hand of a SKU.
    pub(crate) fn moved(&self, sku: &Sku) -> (i64, i64) {
        let of = |goods: &BTreeMap<Sku, i64>| goods.get(sku).copied().unwrap_or(0);
        match self.holding() {
            Holding::Held => (of(&self.lines), 0),
            Holding::Sold => (0, of(&self.restocked) - of(&self.lines)),
            Holding::Returned => (0, -of(&self.lost)),
            Holding::Released | Holding::Refused | Holding::SaleRefused | Holding::GivenUp => {
                (0, 0)
            }
        }
    }
}

impl Holding {
    /// In words: the goods are …
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Refused => "refused",
            Self::Held => "set aside",
            Self::Sold => "sold",
            Self::SaleRefused => "gone when they were to be sold",
            Self::GivenUp => "given up",
            Self::Returned => "returned",
        }
    }
}

impl Keyed for Stock {
    type Key = Sku;

    fn key(&self) -> Sku {
        self.sku.clone()
    }
}

impl Keyed for Held {
    type Key = Sku;

    fn key(&self) -> Sku {
        self.sku.clone()
    }
}

impl Keyed for Reservation {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.order
    }
}
