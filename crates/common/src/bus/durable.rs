//! The durables of a service: how far its replicas have come in a stream.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{
    AckPolicy, Config as Found, DeliverPolicy, FromConsumer as _, PullConsumer,
};
use async_nats::jetstream::stream::{ConsumerCreateStrictErrorKind, ConsumerErrorKind};
use contracts::{EventType, Timestamp};
use time::OffsetDateTime;
use tracing::{info, warn};

use super::Bus;
use super::streams::{DeclareError, is_missing, refused};
use super::subscription::{Kind, Subscription};

/// Deliveries that rest between two tries count as pending, too (a delayed NAK), and beyond this the
/// server delivers nothing more: far above what replicas hold. What is in hand is bounded by pulls.
pub(super) const MAX_ACK_PENDING: i64 = 20_000;
const NOT_FOUND: usize = 404;
/// Longer than any fact stays: what nobody hears for so long belongs to a database that is gone.
const FORGOTTEN: Duration = Duration::from_hours(24 * 30);

/// One place in one stream, shared by the replicas of a service.
#[derive(Clone, Debug)]
pub(super) struct Durable {
    pub(super) stream: String,
    pub(super) name: String,
    pub(super) types: Vec<EventType>,
    /// Copies begin at the newest of everything, and a newer generation leaves theirs behind.
    copies: bool,
}

impl Durable {
    /// The durables of a subscription, one in each stream that it hears.
    pub(super) fn all_of(
        subscription: &Subscription,
        service: &str,
        generation: &str,
    ) -> Vec<Self> {
        let (name, copies) = match &subscription.kind {
            Kind::Work { name } => (format!("{service}-{name}"), false),
            Kind::Copies => (format!("{service}-copies-{generation}"), true),
            Kind::Broadcast { .. } => return Vec::new(),
        };
        let streams = subscription.routes.by_stream().into_iter();
        streams.map(|(stream, types)| Self { stream, name: name.clone(), types, copies }).collect()
    }

    /// The durable of its own that a newly handled type gets: a wider filter would not bring back
    /// what passed already.
    pub(super) fn beside(&self, newcomer: EventType) -> Self {
        let name = format!("{}-{}", self.name, dashed(&newcomer));
        Self { name, types: vec![newcomer], ..self.clone() }
    }

    /// The types that a durable which is there already does not hear.
    pub(super) fn unheard(&self, found: &Found) -> Vec<EventType> {
        let heard = |event_type: &&EventType| {
            let filter = event_type.filter();
            found.filter_subject == filter
                || found.filter_subjects.contains(&filter)
                || (found.filter_subject.is_empty() && found.filter_subjects.is_empty())
        };
        self.types.iter().filter(|event_type| !heard(event_type)).copied().collect()
    }

    /// Finds it, or creates it if that is allowed. One that is there is left as it is, but for how
    /// many deliveries may be pending.
    pub(super) async fn ensure(&self, bus: &Bus) -> Result<PullConsumer, DeclareError> {
        let found = bus.jetstream.get_consumer_from_stream(&self.name, &self.stream).await;
        let error = match found {
            Ok(consumer) => return Ok(self.updated(bus, consumer).await),
            Err(error) => error,
        };
        match error.kind() {
            ConsumerErrorKind::JetStream(error) if is_missing(&error) => {
                bus.may_declare(&self.to_string())?;
                bus.declare_named(&self.stream).await?;
            }
            ConsumerErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND =>
            {
                bus.may_declare(&self.to_string())?;
            }
            _ => return Err(refused(&self.to_string(), &error)),
        }
        self.create(bus).await
    }

    /// Raises the bound of pending deliveries of a durable that an earlier version made, if that is
    /// allowed.
    async fn updated(&self, bus: &Bus, found: PullConsumer) -> PullConsumer {
        let config = found.cached_info().config.clone();
        if !bus.config.declare || config.max_ack_pending == MAX_ACK_PENDING {
            return found;
        }
        let Ok(config) = Config::try_from_consumer_config(config) else { return found };
        let config = Config { max_ack_pending: MAX_ACK_PENDING, ..config };
        match bus.jetstream.update_consumer_on_stream(config, &self.stream).await {
            Ok(updated) => {
                info!(durable = self.name, MAX_ACK_PENDING, "durable updated");
                updated
            }
            // It works as it is, and the next start tries again.
            Err(error) => {
                warn!(durable = self.name, %error, "durable not updated");
                found
            }
        }
    }

    /// Lets it hear again all that was told since then. A copy is not concerned: one that is to
    /// begin anew is that of another generation.
    pub(super) async fn begin_at(&self, bus: &Bus, since: Timestamp) -> Result<(), DeclareError> {
        if self.copies {
            return Ok(());
        }
        bus.may_declare(&self.to_string())?;
        for newcomer in &self.types {
            // The one that comes anew hears all types.
            self.beside(*newcomer).delete(bus).await?;
        }
        if !self.delete(bus).await? {
            // One that is made for the first time hears all that there is.
            return Ok(());
        }
        let again = Config {
            deliver_policy: DeliverPolicy::ByStartTime { start_time: seconds(since) },
            ..self.config(bus.config.patience.word)
        };
        let created = bus.jetstream.create_consumer_strict_on_stream(again, &self.stream).await;
        match created {
            // Another replica was faster.
            Err(error) if error.kind() == ConsumerCreateStrictErrorKind::AlreadyExists => Ok(()),
            created => created.map(drop).map_err(|error| refused(&self.to_string(), &error)),
        }
    }

    /// Deletes it; says whether it was there.
    async fn delete(&self, bus: &Bus) -> Result<bool, DeclareError> {
        let deleted = bus.jetstream.delete_consumer_from_stream(&self.name, &self.stream).await;
        match deleted {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                ConsumerErrorKind::JetStream(error) if error.code() == NOT_FOUND => Ok(false),
                _ => Err(refused(&self.to_string(), &error)),
            },
        }
    }

    async fn create(&self, bus: &Bus) -> Result<PullConsumer, DeclareError> {
        let config = self.config(bus.config.patience.word);
        let created = bus.jetstream.create_consumer_strict_on_stream(config, &self.stream).await;
        match created {
            Ok(consumer) => Ok(consumer),
            // Another replica was faster, perhaps one that knows other types: take what it made.
            Err(error) if error.kind() == ConsumerCreateStrictErrorKind::AlreadyExists => {
                let found = bus.jetstream.get_consumer_from_stream(&self.name, &self.stream).await;
                found.map_err(|error| refused(&self.to_string(), &error))
            }
            Err(error) => Err(refused(&self.to_string(), &error)),
        }
    }

    fn config(&self, ack_wait: Duration) -> Config {
        let (deliver_policy, inactive_threshold) = if self.copies {
            (DeliverPolicy::LastPerSubject, FORGOTTEN)
        } else {
            (DeliverPolicy::All, Duration::ZERO)
        };
        Config {
            durable_name: Some(self.name.clone()),
            filter_subjects: self.types.iter().map(EventType::filter).collect(),
            ack_policy: AckPolicy::Explicit,
            ack_wait,
            max_ack_pending: MAX_ACK_PENDING,
            // What runs out of deliveries would vanish without a dead letter.
            max_deliver: -1,
            deliver_policy,
            inactive_threshold,
            ..Config::default()
        }
    }
}

impl std::fmt::Display for Durable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "durable {} on {}", self.name, self.stream)
    }
}

/// The server's own kind of time.
pub(super) fn seconds(time: Timestamp) -> OffsetDateTime {
    let seconds = OffsetDateTime::from_unix_timestamp(time.as_millis() / 1_000);
    seconds.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A type as it can be part of a name, such as `order-placed-v1`.
pub(super) fn dashed(event_type: &EventType) -> String {
    format!("{}-{}-v{}", event_type.publisher, event_type.name, event_type.version)
}
