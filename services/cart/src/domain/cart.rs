//! A shopper's cart, and what may be done with it.

use std::time::Duration;

use common::{Change, Document};
use contracts::{CartId, Currency, Money, OrderId, Quantity, Sku, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Offers, Priced, Trouble};

/// How many different things fit into a cart.
pub(super) const MAX_LINES: usize = 100;

/// What one person means to buy. Prices are not kept: they are those of now, until checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The cart: one per person, named after them.
    #[serde(rename = "_id")]
    pub id: CartId,
    /// Whose it is.
    pub owner: UserId,
    /// What is in it, in the order in which it was put there.
    pub lines: Vec<Line>,
    /// Where its lines went, when its guest turned out to be the person of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<UserId>,
    /// When it was changed last; absent when that was by an earlier version of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touched_at: Option<Timestamp>,
    /// Whether it is a guest's, or was until it was closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_guest: bool,
}

/// So many pieces of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: Quantity,
}

/// Why a cart stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The shop does not sell it.
    #[error("{sku} is not for sale")]
    NotSold {
        /// What was asked for.
        sku: Sku,
    },
    /// Only what is not in the cart was to be put there.
    #[error("{sku} is in the cart already")]
    InCart {
        /// Which line.
        sku: Sku,
    },
    /// Too many different things.
    #[error("a cart holds at most {MAX_LINES} different things")]
    Full,
    /// Nothing can be bought.
    #[error("the cart is empty")]
    Empty,
    /// The shopper accepted another price.
    #[error("the cart costs {now}, not {expected}")]
    OtherTotal {
        /// What the shopper accepted.
        expected: Money,
        /// What it costs.
        now: Money,
    },
    /// Its guest is the person of an account by now.
    #[error("what was in this cart is in that of an account now")]
    Moved,
    /// A line cannot be bought as it is.
    #[error("{sku} cannot be bought as it is")]
    NotForSale {
        /// Which line.
        sku: Sku,
        /// Why.
        troubles: Vec<Trouble>,
    },
}

type Outcome = Result<Change<Cart>, Refusal>;

impl Document for Cart {
    const COLLECTION: &'static str = "carts";
    type Id = CartId;

    fn id(&self) -> CartId {
        self.id
    }
}

impl Cart {
    /// The name of a person's cart.
    pub const fn id_of(owner: UserId) -> CartId {
        CartId::from_uuid(owner.uuid())
    }

    /// A person's cart before anything was put into it.
    pub const fn empty(owner: UserId) -> Self {
        Self {
            id: Self::id_of(owner),
            owner,
            lines: Vec::new(),
            moved_to: None,
            touched_at: None,
            of_guest: false,
        }
    }

    /// The cart as it is changed now.
    #[must_use]
    pub fn touched(self, now: Timestamp) -> Self {
        Self { touched_at: Some(now), ..self }
    }

    /// Whether it is a guest's, or a closed one, that was not touched for so long.
    pub fn is_abandoned(&self, after: Duration, now: Timestamp) -> bool {
        self.of_guest && self.touched_at.is_some_and(|at| at.plus(after) <= now)
    }

    /// So many pieces are to be in it, whatever was there of them.
    pub fn put(mut self, line: Line, offers: &Offers) -> Outcome {
        let Some(offer) = offers.find(&line.sku) else {
            return Err(Refusal::NotSold { sku: line.sku });
        };
        let line = Line { sku: offer.sku.clone(), ..line };
        match self.lines.iter().position(|there| means(&there.sku, &line.sku, offers)) {
            Some(place) if self.lines[place] == line => return Ok(Change::none(self)),
            Some(place) => self.lines[place] = line,
            None if self.lines.len() >= MAX_LINES => return Err(Refusal::Full),
            None => self.lines.push(line),
        }
        Ok(Change::to(self))
    }

    /// Whether it has a line of this SKU, under whatever SKU it was put there.
    pub fn holds(&self, sku: &Sku, offers: &Offers) -> bool {
        self.lines.iter().any(|line| means(&line.sku, sku, offers))
    }

    /// It is to be in it no longer, under whatever SKU it was put there.
    pub fn remove(mut self, sku: &Sku, offers: &Offers) -> Change<Self> {
        let before = self.lines.len();
        self.lines.retain(|line| !means(&line.sku, sku, offers));
        if self.lines.len() == before { Change::none(self) } else { Change::to(self) }
    }

    /// Nothing is to be in it.
    pub fn clear(self) -> Change<Self> {
        if self.lines.is_empty() {
            return Change::none(self);
        }
        Change::to(Self { lines: Vec::new(), ..self })
    }

    /// The shopper buys it at the price they saw: it becomes an order, and the cart is empty.
    pub fn check_out(
        self,
        order: OrderId,
        expected: Money,
        offers: &Offers,
        currency: Currency,
    ) -> Outcome {
        if self.lines.is_empty() {
            return Err(Refusal::Empty);
        }
        // Carts of earlier versions grew to 500 lines by merges.
        if self.lines.len() > MAX_LINES {
            return Err(Refusal::Full);
        }
        let priced = Priced::of(&self.lines, offers, currency);
        let now = priced.total;
        let bought = priced.bought(&self, order)?;
        if now != expected {
            return Err(Refusal::OtherTotal { expected, now });
        }
        Ok(self.clear().telling(&bought))
    }
}

/// Whether two SKUs mean the same thing: in whatever case, and be one of them a former one.
fn means(one: &Sku, other: &Sku, offers: &Offers) -> bool {
    let offered = |sku| offers.find(sku).map(|offer| &offer.sku);
    one.is_same_as(other) || offered(one).is_some_and(|sku| offered(other) == Some(sku))
}
