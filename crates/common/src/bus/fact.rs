//! What a handler hears, and what it may say about it.

use std::sync::Arc;

use contracts::{Envelope, Event, Malformed};

/// An event that was heard.
#[derive(Clone, Debug)]
pub struct Fact<E> {
    /// What is told.
    pub event: E,
    /// Who told it, when, and about what.
    pub envelope: Envelope,
    consumer: Arc<str>,
}

impl<E> Fact<E> {
    /// The event as a consumer of this name hears it.
    pub fn heard_by(consumer: impl Into<Arc<str>>, envelope: Envelope, event: E) -> Self {
        Self { event, envelope, consumer: consumer.into() }
    }

    /// Counts what was told of the aggregate: a copy takes only a newer one.
    pub fn sequence(&self) -> u64 {
        self.envelope.sequence()
    }

    /// Who hears it: the same in every replica, such as `order-saga`.
    pub fn consumer(&self) -> &str {
        &self.consumer
    }
}

impl<E: Event> Fact<E> {
    pub(super) fn open(consumer: Arc<str>, envelope: Envelope) -> Result<Self, Malformed> {
        Ok(Self { event: envelope.open()?, envelope, consumer })
    }
}

/// What became of an event.
pub type Handled = Result<(), Trouble>;

/// Why an event was not handled, which says what is done with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Another event has to come first: it is delivered again after a while, for about an hour, and
    /// then parked among the dead letters, from where it is redriven automatically.
    #[error("waits: {0}")]
    Wait(String),
    /// It failed: it is tried again a few times within seconds, and then parked among the dead
    /// letters, from where it is redriven automatically.
    #[error("failed: {0}")]
    Retry(String),
    /// It can never be handled: it becomes a dead letter at once.
    #[error("rejected: {0}")]
    Reject(String),
    /// What it takes to handle it is away: the consumer pauses, and nothing is counted.
    #[error("away: {0}")]
    Away(String),
}
