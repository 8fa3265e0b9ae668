//! A shopper's cart, and what may be done with it.

use common::{Change, Document};
use contracts::{CartId, Currency, Money, OrderId, Quantity, Sku, UserId};
use serde::{Deserialize, Serialize};

use super::{Offers, Priced, Trouble};

/// How many different things fit into a cart.
const MAX_LINES: usize = 100;

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
        Self { id: Self::id_of(owner), owner, lines: Vec::new(), moved_to: None }
    }

    /// So many pieces are to be in it, whatever was there of them.
    pub fn put(mut self, line: Line, offers: &Offers) -> Outcome {
        if offers.find(&line.sku).is_none() {
            return Err(Refusal::NotSold { sku: line.sku });
        }
        match self.lines.iter().position(|there| there.sku == line.sku) {
            Some(place) if self.lines[place] == line => return Ok(Change::none(self)),
            Some(place) => self.lines[place] = line,
            None if self.lines.len() >= MAX_LINES => return Err(Refusal::Full),
            None => self.lines.push(line),
        }
        Ok(Change::to(self))
    }

    /// Whether it has a line of this SKU.
    pub fn holds(&self, sku: &Sku) -> bool {
        self.lines.iter().any(|line| line.sku == *sku)
    }

    /// It is to be in it no longer.
    pub fn remove(mut self, sku: &Sku) -> Change<Self> {
        let before = self.lines.len();
        self.lines.retain(|line| line.sku != *sku);
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
        let priced = Priced::of(&self.lines, offers, currency);
        let now = priced.total;
        let bought = priced.bought(&self, order)?;
        if now != expected {
            return Err(Refusal::OtherTotal { expected, now });
        }
        Ok(self.clear().telling(&bought))
    }
}
