//! What an order is, and what may become of it.
//!
//! An order hears what the others did early, late and twice. So every step says what it comes to in
//! every state, and the same step again comes to nothing.

#![expect(clippy::match_same_arms, reason = "a line each: before it is sent, after that, given up")]

mod act;
mod address;
mod bill;
mod earlier;
mod ending;
mod goods;
mod money;
mod note;
mod parcel;
mod payment;
mod person;
mod refund;
mod refunding;
mod refusal;
mod returns;
mod room;
mod share;
mod shipment;
mod stage;
mod status;
mod stock;
mod tally;
mod terms;
mod told;

#[cfg(test)]
mod tests;

use common::{Change, Document};
use contracts::cart::CheckedOut;
use contracts::{Event, OrderId, Timestamp, UserId};
use mongodb::bson;
use serde::{Deserialize, Serialize};

pub use act::Act;
pub use address::{Address, AddressField, AddressForm, AddressFormat, Misfit, Phone, Use};
pub use bill::{Line, Sums};
pub use goods::Goods;
pub use note::Note;
pub use parcel::{Label, Parcel, Shipment, TrackingChange, Waiting};
pub use payment::{Back, NotBack, Payment, Promise};
pub use person::{Merged, Person};
pub use refund::{GivingBack, Refund, RefundLine, RefundState};
pub use refusal::{Refusal, Standing};
pub use returns::{Arrival, Return, ReturnStage, ReturnState};
pub use stage::Stage;
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
    /// The guest who placed it, once the customer is the account that the guest became part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<UserId>,
    /// What is bought, at the prices that were agreed on.
    pub lines: Vec<Line>,
    /// What it costs.
    pub sums: Sums,
    /// How often its goods were asked for, from 1. Product's answers name the asking they are for.
    pub round: u32,
    /// The money that came for it, whatever became of the order.
    pub payment: Payment,
    /// What was sent, parcel by parcel.
    #[serde(default)]
    pub parcels: Vec<Parcel>,
    /// What will be sent as soon as its money is here.
    #[serde(default)]
    pub waiting: Option<Waiting>,
    /// What will not be sent, although it was bought.
    #[serde(default)]
    pub dropped: Goods,
    /// What of that is not for sale again, should the order be given up.
    #[serde(default, skip_serializing_if = "Goods::is_empty")]
    pub lost: Goods,
    /// What is on its way back, or was.
    #[serde(default)]
    pub returns: Vec<Return>,
    /// Where the goods go.
    #[serde(default)]
    pub address: Option<Address>,
    /// When the order began.
    pub placed_at: Timestamp,
    /// When its goods were asked for last.
    pub asked_at: Timestamp,
    /// Why it was cancelled, in the words of who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_note: Option<Note>,
    /// Where it stands.
    pub status: Status,
}

/// What a step comes to.
pub type Outcome = Result<Change<Order>, Refusal>;

impl Document for Order {
    const COLLECTION: &'static str = "orders";
    /// 1: knows what is lost.
    const SHAPE: i64 = 1;
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }

    fn upcast(stored: &mut bson::Document) {
        earlier::upcast(stored);
    }
}

impl Order {
    /// A cart was checked out: the order begins, and asks for its goods.
    pub fn place(bought: CheckedOut, now: Timestamp) -> Outcome {
        let order = Self {
            id: bought.order_id,
            customer: bought.customer,
            guest: None,
            sums: Sums::of(&bought)?,
            lines: bought.lines.into_iter().map(Line::from).collect(),
            round: 1,
            payment: Payment::default(),
            parcels: Vec::new(),
            waiting: None,
            dropped: Goods::default(),
            lost: Goods::default(),
            returns: Vec::new(),
            address: None,
            placed_at: now,
            asked_at: now,
            cancel_note: None,
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
}
