//! The one client of JetStream that every service uses.
//!
//! A service tells through [`Bus::publish_fact`] and [`Bus::publish_state`] (its store's relay does
//! that), and hears through subscriptions: [`Work`] and [`Copies`] are shared by the replicas and
//! lose nothing; a [`Broadcast`] reaches every replica.

mod capacity;
mod client;
mod consumers;
mod dead;
mod durable;
mod fact;
mod gauge;
mod handling;
mod last;
mod listener;
mod patience;
mod publish;
mod pull;
mod redrive;
mod routes;
mod step;
mod streams;
mod subscription;
mod trouble;
mod verdict;
mod worker;

pub use client::{Bus, BusConfig, ConnectError};
pub use consumers::Consumers;
pub use fact::{Fact, Handled, Trouble};
pub use gauge::ConsumerHealth;
pub use last::StreamState;
pub use patience::{Backoff, Patience};
pub use publish::{Outgoing, PublishError, Published};
pub use redrive::{DeadLetter, DeadLetters, RedriveError};
pub use streams::DeclareError;
pub use subscription::{Broadcast, Copies, Subscription, Work};
