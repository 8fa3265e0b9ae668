//! Orders, as order keeps them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use contracts::{AttemptId, Money, OrderId, RefundId, Sku, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::merge::Keyed;

/// An order.
#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    #[serde(rename = "_id")]
    pub(crate) id: OrderId,
    pub(crate) customer: UserId,
    /// The guest who placed it, where the customer is the account that the guest became part of.
    #[serde(default)]
    pub(crate) guest: Option<UserId>,
    lines: Vec<Line>,
    sums: Sums,
    pub(crate) payment: Paid,
    pub(crate) asked_at: Timestamp,
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Line {
    sku: Sku,
    quantity: i64,
}

#[derive(Debug, Deserialize)]
struct Sums {
    total: Money,
}

#[derive(Debug, Deserialize)]
struct Status {
    state: Stage,
    #[serde(default)]
    pay_by: Option<Timestamp>,
}

/// What an order knows of its money.
#[derive(Debug, Deserialize)]
pub(crate) struct Paid {
    pub(crate) captured: BTreeMap<AttemptId, Money>,
    pub(crate) refunded: BTreeMap<RefundId, Money>,
    #[serde(default)]
    pub(crate) unrefunded: BTreeSet<RefundId>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Placed,
    Reserved,
    Paid,
    Shipped,
    Delivered,
    Completed,
    Cancelled,
    Expired,
}

impl Order {
    /// What was read of it.
    pub(crate) const FIELDS: [&'static str; 11] = [
        "customer",
        "guest",
        "lines.sku",
        "lines.quantity",
        "sums.total",
        "payment.captured",
        "payment.refunded",
        "payment.unrefunded",
        "asked_at",
        "status.state",
        "status.pay_by",
    ];

    /// Where it stands.
    pub(crate) fn stage(&self) -> Stage {
        self.status.state
    }

    /// Until when it waits for its money, while it does.
    pub(crate) fn pay_by(&self) -> Option<Timestamp> {
        self.status.pay_by
    }

    /// What it costs.
    pub(crate) fn total(&self) -> Money {
        self.sums.total
    }

    /// How many pieces of each SKU were bought.
    pub(crate) fn bought(&self) -> BTreeMap<Sku, i64> {
        let mut bought = BTreeMap::new();
        for Line { sku, quantity } in &self.lines {
            *bought.entry(sku.clone()).or_default() += quantity;
        }
        bought
    }
}

impl Stage {
    /// Whether its goods and its money changed hands.
    pub(crate) fn is_sold(self) -> bool {
        match self {
            Self::Paid | Self::Shipped | Self::Delivered | Self::Completed => true,
            Self::Placed | Self::Reserved | Self::Cancelled | Self::Expired => false,
        }
    }

    /// Whether it came to nothing; late money may still wake one that expired.
    pub(crate) fn is_given_up(self) -> bool {
        matches!(self, Self::Cancelled | Self::Expired)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Keyed for Order {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.id
    }
}
