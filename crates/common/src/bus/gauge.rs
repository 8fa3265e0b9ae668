//! How the consumers of a service are doing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{Info, PullConsumer};
use contracts::Timestamp;
use metrics::gauge;
use serde::Serialize;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::durable::{Durable, MAX_ACK_PENDING};
use super::{Bus, capacity};

const ROUND: Duration = Duration::from_secs(10);
/// With more unsettled deliveries than this, none may rest: half of those that the server allows.
const CROWDED: u64 = MAX_ACK_PENDING.unsigned_abs() / 2;

/// How one consumer is doing, as far as this replica knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsumerHealth {
    /// Its name, such as `order-saga`.
    pub durable: String,
    /// The stream it hears.
    pub stream: String,
    /// Whether it hears right now.
    pub connected: bool,
    /// How many events it has not been given yet.
    pub pending: u64,
    /// How many events the replicas were given and have not settled.
    pub unsettled: u64,
    /// When the oldest event was told that is not handled, or a time shortly before.
    pub oldest: Option<Timestamp>,
}

/// What is known of one durable.
#[derive(Debug)]
pub(super) struct Gauge {
    durable: String,
    stream: String,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    connected: bool,
    created: Option<OffsetDateTime>,
    pending: u64,
    unsettled: u64,
    /// What this replica was given and did not settle, by its place in the stream.
    open: BTreeMap<u64, Timestamp>,
    newest: Option<Timestamp>,
    /// When anything was given to any replica.
    active: Option<Timestamp>,
}

/// The gauges of all durables of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauges(Arc<Mutex<Vec<Arc<Gauge>>>>);

impl Gauges {
    pub(super) fn of(&self, durable: &Durable) -> Arc<Gauge> {
        let gauge = Arc::new(Gauge {
            durable: durable.name.clone(),
            stream: durable.stream.clone(),
            seen: Mutex::default(),
        });
        self.lock().push(Arc::clone(&gauge));
        gauge
    }

    pub(super) fn health(&self) -> Vec<ConsumerHealth> {
        self.lock().iter().map(|gauge| gauge.health()).collect()
    }

    /// Asks the server from time to time how far each durable is.
    pub(super) async fn watch(self, bus: Bus, stop: CancellationToken) {
        let mut round = tokio::time::interval(ROUND);
        let rounds = async {
            loop {
                round.tick().await;
                bus.connected().await;
                let gauges = self.lock().clone();
                for gauge in gauges {
                    gauge.ask(&bus).await;
                }
                capacity::measure(&bus).await;
                if let Ok(dead) = bus.count_dead_letters().await {
                    #[expect(clippy::cast_precision_loss, reason = "that many are not exact")]
                    gauge!("souk_dead_letters").set(dead as f64);
                }
            }
        };
        stop.run_until_cancelled(rounds).await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Gauge>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gauge {
    /// It hears, by this durable.
    pub(super) fn up(&self, info: &Info) {
        let mut seen = self.lock();
        if seen.created.replace(info.created) != Some(info.created) {
            *seen = Seen { created: seen.created, ..Seen::default() };
        }
        seen.connected = true;
        drop(seen);
        self.note(info);
    }

    /// Whether so many deliveries are unsettled that none may rest.
    pub(super) fn is_crowded(&self) -> bool {
        self.lock().unsettled > CROWDED
    }

    /// It does not hear for now.
    pub(super) fn down(&self) {
        self.lock().connected = false;
    }

    /// This replica was given an event.
    pub(super) fn given(&self, message: &Message) {
        let Ok(info) = message.info() else { return };
        let told = timestamp(info.published);
        let mut seen = self.lock();
        seen.open.insert(info.stream_sequence, told);
        seen.newest = seen.newest.max(Some(told));
    }

    /// An event is at its end.
    pub(super) fn settled(&self, message: &Message) {
        if let Ok(info) = message.info() {
            self.lock().open.remove(&info.stream_sequence);
        }
    }

    async fn ask(&self, bus: &Bus) {
        let found: Result<PullConsumer, _> =
            bus.jetstream.get_consumer_from_stream(&self.durable, &self.stream).await;
        if let Ok(consumer) = found {
            self.note(consumer.cached_info());
        }
        self.publish(bus.clock.now());
    }

    fn note(&self, info: &Info) {
        let mut seen = self.lock();
        seen.pending = info.num_pending;
        seen.unsettled = info.num_ack_pending as u64;
        seen.active = Some(timestamp(info.delivered.last_active.unwrap_or(info.created)));
        // What is below the floor was settled, perhaps by another replica.
        seen.open = seen.open.split_off(&(info.ack_floor.stream_sequence + 1));
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    fn publish(&self, now: Timestamp) {
        let ConsumerHealth { durable, stream, pending, oldest, .. } = self.health();
        let age = oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        let labels = [("durable", durable), ("stream", stream)];
        gauge!("souk_consumer_lag", &labels).set(pending as f64);
        gauge!("souk_consumer_oldest_seconds", &labels).set(age.as_secs_f64());
    }

    fn health(&self) -> ConsumerHealth {
        let seen = self.lock();
        // What is unread was told after what was read last.
        let unread = seen.newest.or(seen.active).filter(|_| seen.pending > 0);
        ConsumerHealth {
            durable: self.durable.clone(),
            stream: self.stream.clone(),
            connected: seen.connected,
            pending: seen.pending,
            unsettled: seen.unsettled,
            oldest: seen.open.values().min().copied().or(unread),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn timestamp(time: OffsetDateTime) -> Timestamp {
    let millis = i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    Timestamp::from_millis(millis).unwrap_or_else(|_| Timestamp::from_millis(0).expect("1970"))
}
