//! The relay: tells what was committed, in order per aggregate, many aggregates side by side.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use contracts::{EventId, Timestamp};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use mongodb::bson::{self, Document, doc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::outbox::{OutboxRow, told_at};
use super::{Store, StoreError};
use crate::bus::{Bus, Outgoing, PublishError};
use crate::crash::{Point, point};

/// How many publishes are under way at most.
const IN_FLIGHT: usize = 256;
/// How many rows the relay holds at most; more wait in the outbox.
const HELD: usize = 4096;
/// Rows further than this from now were left by somebody.
const LEFT: Duration = Duration::from_secs(2);
/// How many told rows are marked at a time.
const MARKED: usize = 512;
/// How long a told row may wait to be marked together with others; far shorter than [`LEFT`].
const UNMARKED: Duration = Duration::from_millis(25);
/// How many rows a sweep hands over at a time.
const SWEPT: usize = 256;

/// Publishes the rows of one replica's own commits, and what a sweep hands it.
pub struct Relay {
    store: Store,
    bus: Bus,
    rows: mpsc::Receiver<Vec<OutboxRow>>,
}

/// What is under way.
struct Lanes {
    /// Aggregates that are busy, with what waits behind; at most one row of each is in `ready` or under way.
    busy: HashMap<String, VecDeque<OutboxRow>>,
    ready: VecDeque<OutboxRow>,
    held: HashSet<EventId>,
    told: mpsc::UnboundedSender<EventId>,
}

type Publishing = FuturesUnordered<BoxFuture<'static, (OutboxRow, Result<(), PublishError>)>>;

impl Store {
    /// The relay of this store; there is one.
    pub fn relay(&self, bus: Bus) -> Option<Relay> {
        let rows = self.inner.rows.lock().ok()?.take()?;
        Some(Relay { store: self.clone(), bus, rows })
    }

    /// Hands over to the relay what somebody left untold; says how many rows. For one replica at
    /// a time, though two do no harm.
    pub async fn sweep(&self, bus: &Bus) -> Result<u64, StoreError> {
        if !bus.is_connected() {
            return Ok(0);
        }
        let lost = |error| StoreError::of(OutboxRow::COLLECTION, &error);
        let left = doc! { "told": false, "$or": self.far_from_now() };
        let outbox = self.inner.database.collection::<OutboxRow>(OutboxRow::COLLECTION);
        let found = outbox.find(left).sort(doc! { "at": 1, "sequence": 1 }).await.map_err(lost)?;
        let mut chunks = found.chunks(SWEPT);
        let mut swept = 0;
        while let Some(chunk) = chunks.next().await {
            let rows: Vec<_> = chunk.into_iter().collect::<Result<_, _>>().map_err(lost)?;
            swept += rows.len() as u64;
            point(Point::Swept);
            if self.inner.relay.send(rows).await.is_err() {
                break;
            }
        }
        Ok(swept)
    }

    /// Rows that somebody left. One that was committed in what is the future here was stamped by a
    /// clock that is wrong, so it may be as old as any.
    fn far_from_now(&self) -> [Document; 2] {
        let now = self.clock().now();
        let (before, after) = (now.minus(LEFT).to_string(), now.plus(LEFT).to_string());
        [doc! { "at": { "$lt": before } }, doc! { "at": { "$gt": after } }]
    }

    /// How long the oldest untold event has been waiting, or how far ahead of this clock one was
    /// committed, whichever is longer.
    pub async fn outbox_age(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.clock().now();
        let ages = [self.untold_end(1).await?, self.untold_end(-1).await?];
        Ok(ages.into_iter().flatten().map(|at| now.since(at).max(at.since(now))).max())
    }

    /// When the first (1) or last (-1) of the untold events was committed.
    async fn untold_end(&self, order: i32) -> Result<Option<Timestamp>, StoreError> {
        let outbox = self.inner.database.collection::<OutboxRow>(OutboxRow::COLLECTION);
        let row = outbox.find_one(doc! { "told": false }).sort(doc! { "at": order }).await;
        let row = row.map_err(|error| StoreError::of(OutboxRow::COLLECTION, &error))?;
        Ok(row.map(|row| row.at))
    }
}

impl Relay {
    /// Tells until `stop`, and then what is still at hand.
    pub async fn run(self, stop: CancellationToken) {
        let (told, to_mark) = mpsc::unbounded_channel();
        let Self { store, bus, rows } = self;
        tokio::join!(tell(bus, rows, told, stop), mark(store, to_mark));
    }
}

async fn tell(
    bus: Bus,
    mut rows: mpsc::Receiver<Vec<OutboxRow>>,
    told: mpsc::UnboundedSender<EventId>,
    stop: CancellationToken,
) {
    let mut lanes = Lanes::new(told);
    let mut publishing = Publishing::new();
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            Some((row, result)) = publishing.next(), if !publishing.is_empty() => lanes.done(&row, result),
            Some(rows) = rows.recv(), if lanes.held.len() < HELD => lanes.take(rows),
            () = stop.cancelled(), if !stopping => stopping = true,
        }
        while publishing.len() < IN_FLIGHT
            && let Some(row) = lanes.ready.pop_front()
        {
            publishing.push(Box::pin(publish(bus.clone(), row)));
        }
        if stopping && lanes.held.is_empty() && rows.is_empty() {
            return;
        }
    }
}

async fn publish(bus: Bus, row: OutboxRow) -> (OutboxRow, Result<(), PublishError>) {
    let outgoing = Outgoing {
        id: row.id,
        stream: row.stream.clone(),
        nats_subject: row.nats_subject.clone(),
        sequence: u64::try_from(row.sequence).unwrap_or(0),
        payload: Bytes::from(row.payload.clone()),
    };
    point(Point::BeforePublish);
    let result = if row.state {
        // An older state than the newest told one is no longer worth telling.
        bus.publish_state(&outgoing).await.map(drop)
    } else {
        bus.publish_fact(&outgoing).await
    };
    if result.is_ok() {
        point(Point::AfterPublish);
    }
    (row, result)
}

impl Lanes {
    fn new(told: mpsc::UnboundedSender<EventId>) -> Self {
        Self { busy: HashMap::new(), ready: VecDeque::new(), held: HashSet::new(), told }
    }

    fn take(&mut self, rows: Vec<OutboxRow>) {
        for row in rows {
            if !self.held.insert(row.id) {
                continue;
            }
            if let Some(behind) = self.busy.get_mut(&row.aggregate) {
                behind.push_back(row);
            } else {
                self.busy.insert(row.aggregate.clone(), VecDeque::new());
                self.ready.push_back(row);
            }
        }
    }

    fn done(&mut self, row: &OutboxRow, result: Result<(), PublishError>) {
        match result {
            Ok(()) => {
                debug!(event.id = %row.id, subject = row.nats_subject, "event told");
                metrics::counter!("souk_events_told_total").increment(1);
                self.finish(row.id);
                self.next(&row.aggregate);
            }
            Err(error) => {
                warn!(event.id = %row.id, subject = row.nats_subject, %error, "event not told yet");
                self.give_up(row);
            }
        }
    }

    fn finish(&mut self, id: EventId) {
        self.held.remove(&id);
        // Nobody marks any longer only when the process ends; then it is told once more.
        let _ = self.told.send(id);
    }

    /// The aggregate's next row, leaving out states that a later one behind it replaces.
    fn next(&mut self, aggregate: &str) {
        let Some(behind) = self.busy.get_mut(aggregate) else { return };
        let mut replaced = Vec::new();
        let mut next = None;
        while let Some(row) = behind.pop_front() {
            // A sweep may bring older ones behind.
            let later = |other: &OutboxRow| {
                other.nats_subject == row.nats_subject && other.sequence > row.sequence
            };
            if row.state && behind.iter().any(later) {
                replaced.push(row.id);
                continue;
            }
            next = Some(row);
            break;
        }
        match next {
            Some(row) => self.ready.push_back(row),
            None => drop(self.busy.remove(aggregate)),
        }
        for id in replaced {
            self.finish(id);
        }
    }

    /// What could not be told stays in the outbox, with all that comes after it.
    fn give_up(&mut self, row: &OutboxRow) {
        self.held.remove(&row.id);
        for behind in self.busy.remove(&row.aggregate).unwrap_or_default() {
            self.held.remove(&behind.id);
        }
    }
}

/// Marks what was told, many at a time; what is not marked is told again, which does no harm.
async fn mark(store: Store, mut told: mpsc::UnboundedReceiver<EventId>) {
    let outbox = store.relaxed(OutboxRow::COLLECTION);
    let mut ids = Vec::new();
    while told.recv_many(&mut ids, MARKED).await > 0 {
        tokio::time::sleep(UNMARKED).await;
        while ids.len() < MARKED
            && let Ok(id) = told.try_recv()
        {
            ids.push(id);
        }
        point(Point::BeforeTold);
        let these: bson::Array = ids.drain(..).map(|id| id.to_string().into()).collect();
        let marked = outbox
            .update_many(doc! { "_id": { "$in": these } }, told_at(store.clock().now()))
            .await;
        match marked {
            Ok(_) => point(Point::AfterTold),
            Err(error) => warn!(error = %error.kind, "told events could not be marked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::Timestamp;

    use super::*;

    fn row(aggregate: &str, sequence: i64, state: bool) -> OutboxRow {
        OutboxRow {
            id: EventId::from_uuid(crate::Clock::system().uuid()),
            stream: "ORDER".into(),
            nats_subject: format!("order.x.v1.{aggregate}"),
            aggregate: aggregate.into(),
            sequence,
            state,
            payload: String::new(),
            at: Timestamp::from_millis(0).unwrap(),
            told: false,
        }
    }

    fn lanes() -> (Lanes, mpsc::UnboundedReceiver<EventId>) {
        let (told, marked) = mpsc::unbounded_channel();
        (Lanes::new(told), marked)
    }

    #[test]
    fn one_row_of_an_aggregate_is_under_way_at_a_time() {
        let (mut lanes, _marked) = lanes();
        lanes.take(vec![row("a", 1, false), row("a", 2, false), row("b", 1, false)]);

        let ready: Vec<_> = lanes.ready.drain(..).collect();
        assert_eq!(ready.iter().map(|row| row.aggregate.as_str()).collect::<Vec<_>>(), ["a", "b"]);

        lanes.done(&ready[0], Ok(()));
        assert_eq!(lanes.ready.front().map(|row| row.sequence), Some(2));
    }

    #[test]
    fn of_state_only_the_newest_is_told_and_all_are_marked() {
        let (mut lanes, mut marked) = lanes();
        lanes.take((1..=4).map(|n| row("sku", n, true)).collect());
        let first = lanes.ready.pop_front().unwrap();

        lanes.done(&first, Ok(()));
        let newest = lanes.ready.pop_front().unwrap();
        assert_eq!(newest.sequence, 4);
        lanes.done(&newest, Ok(()));

        assert!(lanes.held.is_empty() && lanes.busy.is_empty());
        assert_eq!(std::iter::from_fn(|| marked.try_recv().ok()).count(), 4);
    }

    #[test]
    fn a_state_that_a_sweep_brings_late_does_not_pass_for_a_newer_one() {
        let (mut lanes, mut marked) = lanes();
        let rows: Vec<_> = (5..=8).map(|n| row("sku", n, true)).collect();
        lanes.take(vec![rows[2].clone()]);
        let seventh = lanes.ready.pop_front().unwrap();
        lanes.take(vec![rows[3].clone()]);
        lanes.take(rows[..2].to_vec());

        lanes.done(&seventh, Ok(()));

        assert_eq!(lanes.ready.front().map(|row| row.sequence), Some(8));
        let told: Vec<_> = std::iter::from_fn(|| marked.try_recv().ok()).collect();
        assert!(!told.contains(&rows[3].id), "the newest was not told");
    }

    #[test]
    fn what_could_not_be_told_keeps_what_comes_after_it() {
        let (mut lanes, mut marked) = lanes();
        lanes.take(vec![row("a", 1, false), row("a", 2, false)]);
        let first = lanes.ready.pop_front().unwrap();

        lanes.done(&first, Err(PublishError::NotConnected { subject: String::new() }));

        assert!(lanes.ready.is_empty() && lanes.held.is_empty());
        assert!(marked.try_recv().is_err());
    }
}
