//! The language Souk's services speak to each other: ids, money, time and events.
//!
//! Pure: nothing in here does IO, reads a clock or draws a random number.

mod country;
mod envelope;
mod event;
mod id;
mod money;
mod quantity;
mod sku;
mod time;

pub mod auth;
pub mod cart;
pub mod order;
pub mod payment;
pub mod product;
pub mod stored;
pub mod text;

pub use country::{Country, InvalidCountry};
pub use envelope::{Envelope, LARGEST_SEQUENCE, Malformed, sequence_text};
pub use event::{Described, Event, EventType, Kind, catalogue};
pub use id::{
    AttemptId, CartId, EventId, InvalidId, OrderId, PaymentId, ProductId, RefundId, ReturnId,
    SessionId, UserId,
};
pub use money::{Currency, InvalidCurrency, Money, TrySum};
pub use quantity::{InvalidQuantity, Quantity};
pub use sku::{InvalidSku, Sku};
pub use time::{InvalidTimestamp, Timestamp};
