//! What is set aside for an order, and what becomes of it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Change, Document};
use contracts::product::{
    CommitRefused, Committed, Pieces, Refused, Released, ReservationOverdue, Reserved, Shortage,
};
use contracts::{OrderId, ProductId, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use super::moves::{Moves, missing};
use super::{Shelf, StockItem};

/// What an order wants of the stock, and whether it has it: all lines or none.
///
/// Orders speak through events, which come in any order, early, late and twice. So every step is
/// total over all states, and an order that was never heard of is one whose goods are released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The order.
    #[serde(rename = "_id")]
    pub order_id: OrderId,
    /// The latest asking of the order that was heard of, from 1.
    pub round: u32,
    /// How many pieces of each SKU are set aside or sold; nothing before the first time.
    pub lines: BTreeMap<Sku, u32>,
    /// How many of the sold pieces are for sale again, while the order keeps the others.
    #[serde(default)]
    pub restocked: BTreeMap<Sku, u32>,
    /// How many of the pieces are nobody's any more: the order was given up, and they are not for
    /// sale again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lost: BTreeMap<Sku, u32>,
    /// Whether it has them.
    pub state: State,
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
///
/// What is `Sold` may come back piece by piece (`restock`), without an end to the sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
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

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// It is about pieces of a SKU that it was not shown: it is to be taken again, with them.
    #[error("the stock of {sku} is out of sight")]
    OutOfSight {
        /// What is missing.
        sku: Sku,
    },
    /// It makes a SKU sell out, or ends that, and it was not shown the product's entry of the
    /// catalogue: it is to be taken again, with that.
    #[error("the catalogue's entry of {product_id} is not loaded")]
    NotLoaded {
        /// The product.
        product_id: ProductId,
    },
    /// Pieces are to come back of which the sale was not heard yet.
    #[error("nothing is known yet of a sale to {order_id}")]
    NotSoldYet {
        /// The order.
        order_id: OrderId,
    },
    /// More pieces are to come back than the order has.
    #[error("{pieces} pieces of {sku} are to come back from {order_id}, which has {left}")]
    NotSold {
        /// The order.
        order_id: OrderId,
        /// What is to come back.
        sku: Sku,
        /// How many pieces.
        pieces: u32,
        /// How many were sold to it and did not come back yet.
        left: u32,
    },
}

/// What a step comes to.
type Outcome = Result<Change<Reservation>, Obstacle>;

impl Document for Reservation {
    const COLLECTION: &'static str = "reservations";
    /// 1: knows what is lost.
    const SHAPE: i64 = 1;
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.order_id
    }
}

impl Reservation {
    /// What an order has of which nothing was heard.
    pub const fn unheard_of(order_id: OrderId) -> Self {
        Self {
            order_id,
            round: 0,
            lines: BTreeMap::new(),
            restocked: BTreeMap::new(),
            lost: BTreeMap::new(),
            state: State::Released,
        }
    }

    /// The order asks for its goods: all lines are set aside, or none is.
    ///
    /// Every new asking is answered, so that no order waits for ever. One that was heard before, or
    /// was overtaken by a later one or by its own end, has its answer already.
    pub fn place(self, round: u32, lines: &[Pieces], stock: &Shelf, now: Timestamp) -> Outcome {
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
    pub fn pay(self, lines: &[Pieces], stock: &Shelf, now: Timestamp) -> Outcome {
        let order_id = self.order_id;
        let committed = Committed { order_id };
        match &self.state {
            State::Held { .. } => {
                let sold = Self { state: State::Sold, ..self };
                let held = sold.lines.clone();
                let change = sold
                    .moving(held, (stock, now), |item, pieces| item.sell(pieces, order_id, now))?;
                Ok(change.telling(&committed))
            }
            State::Released | State::Refused => {
                let lines = summed(lines);
                let shortages = missing(&lines, order_id, stock)?;
                if !shortages.is_empty() {
                    let told = CommitRefused { order_id, shortages: shortages.clone() };
                    let refused = Self { state: State::SaleRefused { shortages }, ..self };
                    return Ok(Change::to(refused).telling(&told));
                }
                let sold = Self { lines: lines.clone(), state: State::Sold, ..self };
                let at_once = |item: StockItem, pieces| item.sell_at_once(pieces, order_id, now);
                Ok(sold.taking(lines, (stock, now), at_once)?.telling(&committed))
            }
            State::Sold | State::SaleRefused { .. } | State::GivenUp | State::Returned => {
                Ok(Change::none(self))
            }
        }
    }

    /// The order was not paid in time: what is set aside for that asking is for sale again. Should
    /// the asking itself come later, it finds that it is over.
    pub fn expire(self, round: u32, stock: &Shelf, now: Timestamp) -> Outcome {
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
    /// back, but for the pieces that are lost.
    pub fn cancel(self, lost: &[Pieces], stock: &Shelf, now: Timestamp) -> Outcome {
        let order_id = self.order_id;
        match self.state {
            State::Held { .. } if lost.is_empty() => self.release(State::GivenUp, stock, now),
            // Only what was paid can be lost: the sale itself is still to be heard.
            State::Held { .. } => {
                let (held, returned) = (self.lines.clone(), self.returned(lost));
                let kept = returned.lost.clone();
                returned.moving(held, (stock, now), |item, pieces| {
                    let back = pieces - kept.get(&item.sku).unwrap_or(&0);
                    let sold = item.sell(pieces, order_id, now);
                    if back == 0 {
                        return sold;
                    }
                    let taken_back = sold.value.clone().take_back(back, order_id, now);
                    let item = taken_back.value.clone();
                    sold.and(taken_back).map(|_| item)
                })
            }
            State::Sold => {
                let returned = self.returned(lost);
                let back = returned.kept();
                let take_back = |item: StockItem, pieces| item.take_back(pieces, order_id, now);
                returned.moving(back, (stock, now), take_back)
            }
            State::Released | State::Refused | State::SaleRefused { .. } => {
                Ok(Change::to(Self { state: State::GivenUp, ..self }))
            }
            State::GivenUp | State::Returned => Ok(Change::none(self)),
        }
    }

    /// Some of what was sold is for sale again: it came back whole, or was never sent. All of it, or
    /// nothing when that is more than the order has.
    pub fn restock(self, lines: &[Pieces], stock: &Shelf, now: Timestamp) -> Outcome {
        let order_id = self.order_id;
        match self.state {
            State::Sold => {
                let back = summed(lines);
                let restocked = self.restocked_with(&back)?;
                let restock = |item: StockItem, pieces| item.restock(pieces, order_id, now);
                Self { restocked, ..self }.moving(back, (stock, now), restock)
            }
            // Who sends things back has paid for them: that is still to be heard.
            State::Released | State::Refused | State::Held { .. } => {
                Err(Obstacle::NotSoldYet { order_id })
            }
            // Everything is for sale again already, or never ceased to be.
            State::GivenUp | State::Returned | State::SaleRefused { .. } => Ok(Change::none(self)),
        }
    }

    /// Asks about an order of which nothing was heard for so long while goods are set aside for
    /// it. Only the order itself can say that they are to be released.
    pub fn remind(self, alarm: Duration, now: Timestamp) -> Change<Self> {
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
        let shortages = missing(&lines, order_id, stock)?;
        if !shortages.is_empty() {
            let refused = Self { state: State::Refused, ..self };
            return Ok(Change::to(refused).telling(&Refused { order_id, round, shortages }));
        }
        let held = Self { lines: lines.clone(), state: State::held(now), ..self };
        let allocate = |item: StockItem, pieces| item.allocate(pieces, order_id, now);
        let change = held.taking(lines, (stock, now), allocate)?;
        Ok(change.telling(&Reserved { order_id, round }))
    }

    fn release(self, state: State, stock: &Shelf, now: Timestamp) -> Outcome {
        let order_id = self.order_id;
        let (held, released) = (self.lines.clone(), Self { state, ..self });
        let release = |item: StockItem, pieces| item.release(pieces, order_id, now);
        let change = released.moving(held, (stock, now), release)?;
        Ok(change.telling(&Released { order_id }))
    }

    /// The pieces that were sold, did not come back and are not lost.
    fn kept(&self) -> BTreeMap<Sku, u32> {
        let left = |(sku, pieces): (&Sku, &u32)| {
            let gone = [&self.restocked, &self.lost].map(|gone| *gone.get(sku).unwrap_or(&0));
            let left = gone.into_iter().fold(*pieces, u32::saturating_sub);
            (left > 0).then(|| (sku.clone(), left))
        };
        self.lines.iter().filter_map(left).collect()
    }

    /// The sale is given up, and of what the order still has this is lost.
    fn returned(self, lost: &[Pieces]) -> Self {
        let kept = self.kept();
        let some = |(sku, pieces): (Sku, u32)| {
            let lost = pieces.min(*kept.get(&sku)?);
            Some((sku, lost))
        };
        let lost = summed(lost).into_iter().filter_map(some).collect();
        Self { state: State::Returned, lost, ..self }
    }

    /// What came back once these pieces do, which the order has to have.
    fn restocked_with(&self, back: &BTreeMap<Sku, u32>) -> Result<BTreeMap<Sku, u32>, Obstacle> {
        let (order_id, kept) = (self.order_id, self.kept());
        back.iter().try_fold(self.restocked.clone(), |mut restocked, (sku, &pieces)| {
            let left = kept.get(sku).copied().unwrap_or(0);
            if pieces > left {
                return Err(Obstacle::NotSold { order_id, sku: sku.clone(), pieces, left });
            }
            let back = restocked.entry(sku.clone()).or_default();
            *back = back.saturating_add(pieces);
            Ok(restocked)
        })
    }

    /// Becomes this, and moves these pieces, which are the order's.
    fn moving(
        self,
        pieces: BTreeMap<Sku, u32>,
        (stock, now): (&Shelf, Timestamp),
        how: impl Fn(StockItem, u32) -> Change<StockItem>,
    ) -> Outcome {
        let mut moves = Moves::of(self.order_id, stock, now);
        pieces.into_iter().try_fold(Change::to(self), |change, (sku, pieces)| {
            Ok(change.and(moves.back(&sku, |item| how(item, pieces))?))
        })
    }

    /// Becomes this, and takes these pieces, which are available.
    fn taking(
        self,
        pieces: BTreeMap<Sku, u32>,
        (stock, now): (&Shelf, Timestamp),
        how: impl Fn(StockItem, u32) -> Change<StockItem>,
    ) -> Outcome {
        let mut moves = Moves::of(self.order_id, stock, now);
        pieces.into_iter().try_fold(Change::to(self), |change, (sku, pieces)| {
            Ok(change.and(moves.take(&sku, pieces, |item| how(item, pieces))?))
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
