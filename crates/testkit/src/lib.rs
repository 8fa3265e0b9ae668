//! The machinery that runs Souk's real parts: servers, services and those who use them.
//!
//! Tests stand on a [`World`]: a real mongod and a real nats-server. What is started here ends with
//! the process that started it, however that one ends.
//!
//! Tests that take long ask [`full`] first, and return at once when it says no:
//! `cargo xtask test --full` runs them.

mod answer;
mod client;
mod collector;
mod documents;
mod error;
mod events;
mod eventually;
mod part;
mod peer;
mod proxy;
mod scratch;
mod shopper;
mod staff;
mod unique;
mod world;

pub mod fleet;
pub mod forged;
pub mod fuzz;
pub mod localstripe;
pub mod mail_server;
pub mod mongo;
pub mod nats;
pub mod ports;
pub mod process;
pub mod schemathesis;
pub mod tools;

use contracts::Timestamp;

pub use answer::Answer;
pub use client::{Client, Request};
pub use collector::{Collector, Step};
pub use error::StartError;
pub use events::{Events, Sent};
pub use eventually::eventually;
pub use fleet::Fleet;
pub use forged::Forger;
pub use localstripe::LocalStripe;
pub use mail_server::MailServer;
pub use peer::Peer;
pub use proxy::Proxy;
pub use scratch::Scratch;
pub use shopper::Shopper;
pub use staff::Staff;
pub use world::World;

/// What this machine's clock says.
///
/// # Panics
/// When the clock is wrong by centuries.
#[must_use]
pub fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970");
    let millis = i64::try_from(since.as_millis()).expect("it is before the year 292 million");
    Timestamp::from_millis(millis).expect("it is before the year 9999")
}

/// Whether the tests that take long are to run too: `SOUK_FULL=1`.
pub fn full() -> bool {
    std::env::var_os("SOUK_FULL").is_some_and(|value| value == "1")
}
