//! Moving the pieces of an order, whatever SKUs they are kept under by now.

use std::collections::BTreeMap;

use common::Change;
use contracts::product::Shortage;
use contracts::{OrderId, Sku, Timestamp};

use super::bearer::Place;
use super::reservation::Obstacle;
use super::{Shelf, StockItem};

/// The stock while the lines of one order move.
pub(super) struct Moves<'a> {
    order: OrderId,
    now: Timestamp,
    /// As it was before.
    stock: &'a Shelf,
    /// What moved, as it is by now.
    moved: Shelf,
}

impl<'a> Moves<'a> {
    pub(super) const fn of(order: OrderId, stock: &'a Shelf, now: Timestamp) -> Self {
        Self { order, now, stock, moved: Shelf::new() }
    }

    /// Moves what is already the order's; pieces that become available go where they belong.
    pub(super) fn back(
        &mut self,
        sku: &Sku,
        how: impl FnOnce(StockItem) -> Change<StockItem>,
    ) -> Result<Change<()>, Obstacle> {
        let item = self.item(sku)?;
        let place = item.place(self.order, self.stock)?;
        let before = item.available();
        let change = self.keep(how(item));
        let freed = i64::from(self.item(sku)?.available().saturating_sub(before));
        Ok(match place {
            Place::Under(other) if freed > 0 => change.and(self.pass(sku, &other, freed)?),
            Place::Nowhere if freed > 0 => {
                let written_off = self.item(sku)?.transfer(-freed, None, self.now);
                change.and(self.keep(written_off))
            }
            Place::Here | Place::Under(_) | Place::Nowhere => change,
        })
    }

    /// Moves available pieces to the order; they come from where they are first.
    pub(super) fn take(
        &mut self,
        sku: &Sku,
        pieces: u32,
        how: impl FnOnce(StockItem) -> Change<StockItem>,
    ) -> Result<Change<()>, Obstacle> {
        let fetched = match self.item(sku)?.place(self.order, self.stock)? {
            Place::Under(other) => self.pass(&other, sku, i64::from(pieces))?,
            Place::Here | Place::Nowhere => Change::none(()),
        };
        let item = self.item(sku)?;
        Ok(fetched.and(self.keep(how(item))))
    }

    fn pass(&mut self, from: &Sku, to: &Sku, pieces: i64) -> Result<Change<()>, Obstacle> {
        let given = self.item(from)?.transfer(-pieces, Some(to), self.now);
        let got = self.item(to)?.transfer(pieces, Some(from), self.now);
        Ok(self.keep(given).and(self.keep(got)))
    }

    fn item(&self, sku: &Sku) -> Result<StockItem, Obstacle> {
        let item = self.moved.get(sku.as_str()).or_else(|| self.stock.get(sku.as_str()));
        item.cloned().ok_or_else(|| Obstacle::OutOfSight { sku: sku.clone() })
    }

    fn keep(&mut self, change: Change<StockItem>) -> Change<()> {
        change.map(|item| drop(self.moved.insert(item.sku.to_string(), item)))
    }
}

/// The lines of which there are too few for an order; of an unknown SKU there is nothing.
pub(super) fn missing(
    lines: &BTreeMap<Sku, u32>,
    order: OrderId,
    stock: &Shelf,
) -> Result<Vec<Shortage>, Obstacle> {
    let mut shortages = Vec::new();
    // Two SKUs may mean the same pieces.
    let mut left = BTreeMap::<Sku, u32>::new();
    for (sku, &requested) in lines {
        let kept = kept_under(sku, order, stock)?;
        let left = kept.map(|item| left.entry(item.sku.clone()).or_insert(item.available()));
        let available = left.as_deref().copied().unwrap_or(0);
        if available < requested {
            shortages.push(Shortage { sku: sku.clone(), requested, available });
        } else if let Some(left) = left {
            *left -= requested;
        }
    }
    Ok(shortages)
}

fn kept_under<'a>(
    sku: &Sku,
    order: OrderId,
    stock: &'a Shelf,
) -> Result<Option<&'a StockItem>, Obstacle> {
    let Some(item) = stock.get(sku.as_str()) else { return Ok(None) };
    Ok(match item.place(order, stock)? {
        Place::Here => Some(item),
        Place::Under(other) => stock.get(other.as_str()),
        Place::Nowhere => None,
    })
}
