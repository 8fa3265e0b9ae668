//! What an order is, and what may become of it.
//!
//! An order hears what the others did early, late and twice. So every step says what it comes to in
//! every state, and the same step again comes to nothing.

#![expect(clippy::match_same_arms, reason = "a line each: before it is sent, after that, given up")]

mod bill;
mod ending;
mod money;
mod parcel;
mod payment;
mod person;
mod refusal;
mod shipment;
mod stage;
mod status;
mod stock;
mod terms;
mod told;

#[cfg(test)]
mod tests;

use common::{Change, Document};
use contracts::cart::CheckedOut;
use contracts::{Event, OrderId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

pub use bill::{Line, Sums};
pub use parcel::{InvalidLabel, Label, Parcel};
pub use payment::{Back, Payment};
pub use person::{Merged, Person};
pub use refusal::Refusal;
pub use stage::{Act, Stage};
pub use status::Status;
pub use terms::Terms;

use Status::{Paid, Placed};

/// A shopper's wish to buy, and how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Names it since checkout.
    #[serde(rename = "_id")]
    pub id: OrderId,
    /// Who buys.
    pub customer: UserId,
    /// What is bought, at the prices that were agreed on.
    pub lines: Vec<Line>,
    /// What it costs.
    pub sums: Sums,
    /// How often its goods were asked for, from 1. Product's answers name the asking they are for.
    pub round: u32,
    /// The money that came for it, whatever became of the order.
    pub payment: Payment,
    /// When the order began.
    pub placed_at: Timestamp,
    /// When its goods were asked for last.
    pub asked_at: Timestamp,
    /// Where it stands.
    pub status: Status,
}

/// What a step comes to.
pub type Outcome = Result<Change<Order>, Refusal>;

impl Document for Order {
    const COLLECTION: &'static str = "orders";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

impl Order {
    /// A cart was checked out: the order begins, and asks for its goods.
    pub fn place(bought: CheckedOut, now: Timestamp) -> Outcome {
        let order = Self {
            id: bought.order_id,
            customer: bought.customer,
            sums: Sums::of(&bought)?,
            lines: bought.lines.into_iter().map(Line::from).collect(),
            round: 1,
            payment: Payment::default(),
            placed_at: now,
            asked_at: now,
            status: Placed,
        };
        Ok(order.becomes(Placed, told::placed))
    }

    /// Goods and money are here: they change hands.
    fn sell(self, now: Timestamp) -> Change<Self> {
        self.becomes(Paid { at: now }, told::paid)
    }

    fn asks_again(self, now: Timestamp) -> Change<Self> {
        let round = self.round.saturating_add(1);
        Self { round, asked_at: now, ..self }.becomes(Placed, told::placed)
    }

    fn becomes<E: Event>(self, status: Status, told: impl FnOnce(&Self) -> E) -> Change<Self> {
        let order = Self { status, ..self };
        let event = told(&order);
        Change::to(order).telling(&event)
    }

    fn repeats<E: Event>(self, told: impl FnOnce(&Self) -> E) -> Change<Self> {
        let event = told(&self);
        Change::none(self).telling(&event)
    }

    fn unfit(&self, act: Act) -> Outcome {
        Err(Refusal::Unfit { act, stage: self.status.stage() })
    }
}
