//! The frame all of Souk's services stand in: the commit, the bus, HTTP, identity and process life.
//!
//! Knows nothing of the shop.

mod card;
mod change;
mod clock;
mod document;
mod origin;

pub mod bus;
pub mod config;
pub mod crash;
pub mod http;
pub mod identity;
pub mod openapi;
pub mod service;
pub mod store;
pub mod wakeups;

mod ops;
mod telemetry;
mod unknown;

pub use card::{bears_card, is_card};
pub use change::{Change, Unwritable};
pub use clock::Clock;
pub use document::{Document, Row};
pub use service::{Running, Service, main};
pub use wakeups::Wakeups;
