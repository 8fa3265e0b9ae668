//! A shopper's cart, and what may be done with it.

use std::time::Duration;

use common::{Change, Document};
use contracts::{CartId, Currency, Money, OrderId, Quantity, Sku, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Line, Offers, Priced, Trouble, line};

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
    /// What a guest had and a merge found no place for; at most 100 lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<Line>,
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
            left_behind: Vec::new(),
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

    /// Returns the cart as the shop sells it now: each line that is for sale under its variant's
    /// present SKU, and the lines of one thing as one.
    #[must_use]
    pub fn renewed(&self, offers: &Offers) -> Self {
        let lines = line::folded(self.lines.iter().map(|line| line.renewed(offers)));
        let left_behind = line::folded(self.left_behind.iter().map(|line| line.renewed(offers)));
        Self { lines, left_behind, ..self.clone() }
    }

    /// The SKUs of all that was put into it.
    pub fn skus(&self) -> impl Iterator<Item = &Sku> {
        self.lines.iter().chain(&self.left_behind).map(|line| &line.sku)
    }

    /// So many pieces are to be in it, whatever was there of them or is shown under this SKU.
    pub fn put(self, sku: &Sku, quantity: Quantity, offers: &Offers) -> Outcome {
        let Some(offer) = offers.find(sku) else {
            return Err(Refusal::NotSold { sku: sku.clone() });
        };
        let mut cart = self.renewed(offers);
        let place = cart.lines.iter().position(|line| line.is_meant_by(sku, offers));
        cart.take_out(sku, offers);
        if place.is_none() && cart.lines.len() >= MAX_LINES {
            return Err(Refusal::Full);
        }
        cart.lines.insert(place.unwrap_or(cart.lines.len()), Line::of(offer, quantity));
        Ok(if cart == self { Change::none(self) } else { Change::to(cart) })
    }

    /// Whether it has a line of this SKU, under whatever SKU it was put there.
    pub fn holds(&self, sku: &Sku, offers: &Offers) -> bool {
        self.renewed(offers).lines.iter().any(|line| line.is_meant_by(sku, offers))
    }

    /// It is to be in it no longer, under whatever SKU it was put there.
    pub fn remove(self, sku: &Sku, offers: &Offers) -> Change<Self> {
        let mut cart = self.renewed(offers);
        if cart.take_out(sku, offers) { Change::to(cart) } else { Change::none(self) }
    }

    /// Whether there was something of this SKU to take out of the renewed cart.
    fn take_out(&mut self, sku: &Sku, offers: &Offers) -> bool {
        let before = self.skus().count();
        for lines in [&mut self.lines, &mut self.left_behind] {
            lines.retain(|line| !line.is_meant_by(sku, offers));
        }
        self.skus().count() < before
    }

    /// Nothing is to be in it.
    pub fn clear(self) -> Change<Self> {
        if self.lines.is_empty() && self.left_behind.is_empty() {
            return Change::none(self);
        }
        Change::to(Self { lines: Vec::new(), left_behind: Vec::new(), ..self })
    }

    /// The shopper buys it at the price they saw: it becomes an order, and the cart is empty.
    pub fn check_out(
        self,
        order: OrderId,
        expected: Money,
        offers: &Offers,
        currency: Currency,
    ) -> Outcome {
        let cart = self.renewed(offers);
        if cart.lines.is_empty() {
            return Err(Refusal::Empty);
        }
        // Carts of earlier versions grew to 500 lines by merges.
        if cart.lines.len() > MAX_LINES {
            return Err(Refusal::Full);
        }
        let priced = Priced::of(&cart.lines, offers, currency);
        let now = priced.total;
        let bought = priced.bought(&cart, order)?;
        if now != expected {
            return Err(Refusal::OtherTotal { expected, now });
        }
        Ok(cart.clear().telling(&bought))
    }
}
