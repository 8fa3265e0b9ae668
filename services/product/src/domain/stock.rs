//! How much of a SKU there is, and the ledger of how it came to that.

use std::collections::BTreeMap;

use common::{Change, Document, Row};
use contracts::{OrderId, ProductId, Sku, Timestamp, UserId, product};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refusal;
use super::bearer::{Bearer, Retired};
use super::words::{Delta, OnHand, Reason};

/// Stock by SKU, as far as a decision can see it.
pub type Shelf = BTreeMap<String, StockItem>;

/// How many pieces of a SKU are in the house, and how many of them are promised to an order.
///
/// It is apart from the product, so that a sale does not make the edit of a description stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockItem {
    /// What is counted.
    #[serde(rename = "_id")]
    pub sku: Sku,
    /// The product it is a variant of.
    pub product_id: ProductId,
    /// Pieces in the house, promised ones included.
    pub on_hand: u32,
    /// Pieces promised to orders; never more than there are.
    pub reserved: u32,
    /// How many rows the ledger has of it.
    pub movements: u64,
    /// Set when no variant bears the SKU any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Retired>,
    /// The variants that bore the SKU before the present one, the first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Bearer>,
}

/// One change of a stock: a row of the ledger. Played back from nothing, the rows of a SKU come to
/// its counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMovement {
    /// The SKU and the number of the movement, in a form that sorts.
    #[serde(rename = "_id")]
    pub id: String,
    /// What moved.
    pub sku: Sku,
    /// Of which product.
    pub product_id: ProductId,
    /// Why it moved.
    #[serde(flatten)]
    pub kind: Kind,
    /// Pieces that came, below 0 when they went.
    pub on_hand_delta: i64,
    /// Pieces that were promised, below 0 when they no longer are.
    pub reserved_delta: i64,
    /// Pieces in the house from then on.
    pub on_hand: u32,
    /// Pieces promised from then on.
    pub reserved: u32,
    /// When.
    pub at: Timestamp,
}

/// Why a stock changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Staff counted.
    Adjustment {
        /// Who.
        actor: UserId,
        /// What they said.
        reason: Reason,
    },
    /// Pieces are set aside for an order.
    Allocation {
        /// The order.
        order_id: OrderId,
    },
    /// Pieces are no longer set aside for it.
    Release {
        /// The order.
        order_id: OrderId,
    },
    /// It was paid: the pieces leave.
    Sale {
        /// The order.
        order_id: OrderId,
    },
    /// It was given up after it was paid: the pieces are back.
    Return {
        /// The order.
        order_id: OrderId,
    },
    /// Some of what it was sold is for sale again: it came back whole, or was never sent.
    Restock {
        /// The order.
        order_id: OrderId,
    },
    /// Pieces pass from a corrected SKU to the one that replaces it, or back for an order that names
    /// the former; or they leave the stock with a SKU that was freed.
    Transfer {
        /// The SKU at the other end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counterpart: Option<Sku>,
    },
}

/// What staff counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// Of what.
    pub sku: Sku,
    /// Pieces that came, below 0 when they went.
    pub delta: Delta,
    /// Why.
    pub reason: Reason,
}

impl Document for StockItem {
    const COLLECTION: &'static str = "stock";
    /// 1: knows that a SKU passed from one variant to another.
    const SHAPE: i64 = 1;
    type Id = Sku;

    fn id(&self) -> Sku {
        self.sku.clone()
    }

    fn shape(&self) -> i64 {
        let passed_on = self.retired.is_some() || !self.earlier.is_empty();
        if passed_on { Self::SHAPE } else { 0 }
    }
}

impl Row for StockMovement {
    const COLLECTION: &'static str = "stock_ledger";
}

impl StockItem {
    /// A new variant comes with its first pieces.
    pub fn begin(
        sku: Sku,
        product_id: ProductId,
        pieces: OnHand,
        actor: UserId,
        now: Timestamp,
    ) -> Change<Self> {
        Self::empty(sku, product_id).first(pieces, actor, now)
    }

    /// A SKU of which there is nothing.
    pub(super) fn empty(sku: Sku, product_id: ProductId) -> Self {
        let (retired, earlier) = (None, Vec::new());
        Self { sku, product_id, on_hand: 0, reserved: 0, movements: 0, retired, earlier }
    }

    /// Counts the first pieces of a new variant.
    pub(super) fn first(self, pieces: OnHand, actor: UserId, now: Timestamp) -> Change<Self> {
        if pieces.get() == 0 {
            let told = self.told();
            return Change::to(self).telling(&told);
        }
        let reason = Reason::try_from("initial stock".to_owned()).expect("a reason");
        self.moved(i64::from(pieces.get()), 0, Kind::Adjustment { actor, reason }, now)
    }

    /// Staff counted pieces in or out. What is promised stays.
    pub fn adjust(
        self,
        counted: Adjustment,
        actor: UserId,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let on_hand = i64::from(self.on_hand) + counted.delta.get();
        if on_hand < i64::from(self.reserved) {
            return Err(Refusal::TooFew { available: self.available() });
        }
        if on_hand > i64::from(OnHand::MOST) {
            return Err(Refusal::TooMany { on_hand: self.on_hand });
        }
        let kind = Kind::Adjustment { actor, reason: counted.reason };
        Ok(self.moved(counted.delta.get(), 0, kind, now))
    }

    /// Pieces that can be sold.
    pub const fn available(&self) -> u32 {
        self.on_hand.saturating_sub(self.reserved)
    }

    /// Sets available pieces aside.
    pub(super) fn allocate(self, pieces: u32, order_id: OrderId, now: Timestamp) -> Change<Self> {
        self.moved(0, i64::from(pieces), Kind::Allocation { order_id }, now)
    }

    /// Puts pieces back that were set aside.
    pub(super) fn release(self, pieces: u32, order_id: OrderId, now: Timestamp) -> Change<Self> {
        self.moved(0, -i64::from(pieces), Kind::Release { order_id }, now)
    }

    /// Gives away pieces that were set aside.
    pub(super) fn sell(self, pieces: u32, order_id: OrderId, now: Timestamp) -> Change<Self> {
        let pieces = i64::from(pieces);
        self.moved(-pieces, -pieces, Kind::Sale { order_id }, now)
    }

    /// Gives away available pieces.
    pub(super) fn sell_at_once(
        self,
        pieces: u32,
        order_id: OrderId,
        now: Timestamp,
    ) -> Change<Self> {
        self.moved(-i64::from(pieces), 0, Kind::Sale { order_id }, now)
    }

    /// Takes back pieces that were sold.
    pub(super) fn take_back(self, pieces: u32, order_id: OrderId, now: Timestamp) -> Change<Self> {
        self.moved(i64::from(pieces), 0, Kind::Return { order_id }, now)
    }

    /// Puts pieces on sale again that an order was sold and does not keep.
    pub(super) fn restock(self, pieces: u32, order_id: OrderId, now: Timestamp) -> Change<Self> {
        self.moved(i64::from(pieces), 0, Kind::Restock { order_id }, now)
    }

    /// Passes pieces to another SKU, or takes them from it when `pieces` is below 0 there; `None`
    /// takes them out of the stock.
    pub(super) fn transfer(
        self,
        pieces: i64,
        counterpart: Option<&Sku>,
        now: Timestamp,
    ) -> Change<Self> {
        self.moved(pieces, 0, Kind::Transfer { counterpart: counterpart.cloned() }, now)
    }

    /// The one way in which counters change: with a row of the ledger, and told when it matters to
    /// those who sell.
    fn moved(
        self,
        on_hand_delta: i64,
        reserved_delta: i64,
        kind: Kind,
        at: Timestamp,
    ) -> Change<Self> {
        let item = Self {
            on_hand: counted(self.on_hand, on_hand_delta),
            reserved: counted(self.reserved, reserved_delta),
            movements: self.movements + 1,
            ..self.clone()
        };
        let row = StockMovement {
            id: format!("{}:{:012}", item.sku, item.movements),
            sku: item.sku.clone(),
            product_id: item.product_id,
            kind,
            on_hand_delta: i64::from(item.on_hand) - i64::from(self.on_hand),
            reserved_delta: i64::from(item.reserved) - i64::from(self.reserved),
            on_hand: item.on_hand,
            reserved: item.reserved,
            at,
        };
        let first = self.movements == 0;
        let matters = first || item.available() != self.available();
        let (told, change) = (item.told(), Change::to(item).row(&row));
        if matters { change.telling(&told) } else { change }
    }

    /// How many can be sold, as it is told.
    pub fn told(&self) -> product::Stock {
        product::Stock {
            sku: self.sku.clone(),
            product_id: self.product_id,
            available: self.available(),
        }
    }
}

fn counted(pieces: u32, delta: i64) -> u32 {
    let pieces = (i64::from(pieces) + delta).clamp(0, i64::from(u32::MAX));
    u32::try_from(pieces).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::histories::{noon, order, product_id, sku, staff};

    fn begin(pieces: i64) -> Change<StockItem> {
        StockItem::begin(sku("MUG"), product_id(), pieces.try_into().unwrap(), staff(), noon())
    }

    fn counted(delta: i64) -> Adjustment {
        let reason = "counted".to_owned().try_into().unwrap();
        Adjustment { sku: sku("MUG"), delta: delta.try_into().unwrap(), reason }
    }

    #[test]
    fn the_first_pieces_are_in_the_ledger_and_told() {
        let change = begin(12);

        let [row] = &change.entries::<StockMovement>()[..] else { panic!("one row") };
        assert_eq!((row.id.as_str(), row.on_hand_delta, row.on_hand), ("MUG:000000000001", 12, 12));
        assert_eq!(change.told::<product::Stock>()[0].available, 12);
    }

    #[test]
    fn a_stock_of_nothing_is_told_too() {
        let change = begin(0);

        assert_eq!(change.told::<product::Stock>()[0].available, 0);
        assert!(change.entries::<StockMovement>().is_empty());
    }

    #[test]
    fn what_is_promised_cannot_be_counted_out() {
        let item = StockItem { reserved: 3, ..begin(5).value };

        assert_eq!(
            item.clone().adjust(counted(-3), staff(), noon()).unwrap_err(),
            Refusal::TooFew { available: 2 }
        );
        let change = item.adjust(counted(-2), staff(), noon()).unwrap();
        assert_eq!((change.value.on_hand, change.value.available()), (3, 0));
    }

    #[test]
    fn a_stock_has_a_bound() {
        let change = begin(1_000_000_000);

        assert!(change.value.adjust(counted(1), staff(), noon()).is_err());
    }

    #[test]
    fn a_sale_of_what_was_set_aside_changes_nothing_for_those_who_sell() {
        let order = order(1);
        let held = begin(5).value.allocate(2, order, noon()).value;

        let change = held.sell(2, order, noon());

        assert_eq!((change.value.on_hand, change.value.reserved), (3, 0));
        assert!(change.tells_nothing());
    }
}
