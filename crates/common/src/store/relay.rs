//! The relay: publishes what was committed, in order per aggregate, many aggregates side by side.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use mongodb::bson::{self, doc};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Store;
use super::hand::{Handed, Ticket};
use super::lanes::Lanes;
use super::outbox::{OutboxRow, told_at};
use crate::bus::{Bus, Outgoing, PublishError};
use crate::crash::{Point, point};

/// How many publishes are under way at most.
const IN_FLIGHT: usize = 256;
/// How many published rows are marked at a time.
const MARKED: usize = 512;
/// How long a published row may wait to be marked together with others; far shorter than the time after
/// which an unpublished row counts as left by a crashed replica.
const UNMARKED: Duration = Duration::from_millis(25);

/// Publishes the rows of one replica's own commits, and the pages that [`Store::sweep`] hands it.
pub struct Relay {
    store: Store,
    bus: Bus,
    rows: UnboundedReceiver<Handed>,
}

type Publishing = FuturesUnordered<BoxFuture<'static, (Handed, u64, Result<(), PublishError>)>>;

impl Store {
    /// The relay of this store; there is one.
    pub fn relay(&self, bus: Bus) -> Option<Relay> {
        let rows = self.inner.hand.rows()?;
        Some(Relay { store: self.clone(), bus, rows })
    }
}

impl Relay {
    /// Publishes until `stop`, and then what is still at hand.
    pub async fn run(self, stop: CancellationToken) {
        let (published, to_mark) = mpsc::unbounded_channel();
        let Self { store, bus, rows } = self;
        let lanes = Lanes::new(Arc::clone(&store.inner.hand), published);
        tokio::join!(publish_all(bus, rows, lanes, stop), mark(store, to_mark));
    }
}

async fn publish_all(
    bus: Bus,
    mut rows: UnboundedReceiver<Handed>,
    mut lanes: Lanes,
    stop: CancellationToken,
) {
    let mut publishing = Publishing::new();
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            Some((handed, epoch, result)) = publishing.next(), if !publishing.is_empty() => {
                lanes.done(handed, epoch, result);
            }
            Some(handed) = rows.recv() => lanes.take(handed),
            () = stop.cancelled(), if !stopping => stopping = true,
        }
        let epoch = bus.epoch();
        while publishing.len() < IN_FLIGHT
            && let Some(handed) = lanes.pop(epoch)
        {
            publishing.push(Box::pin(publish(bus.clone(), handed, epoch)));
        }
        if stopping && lanes.is_idle() && rows.is_empty() {
            return;
        }
    }
}

async fn publish(bus: Bus, handed: Handed, epoch: u64) -> (Handed, u64, Result<(), PublishError>) {
    let row = &handed.row;
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
    (handed, epoch, result)
}

/// Marks rows as published, many at a time; a row that is not marked is published again, which does
/// no harm. A majority has the marks before the next page of unpublished rows is read.
async fn mark(store: Store, mut published: UnboundedReceiver<(OutboxRow, Ticket)>) {
    let outbox = store.collection(OutboxRow::COLLECTION);
    let mut rows = Vec::new();
    while published.recv_many(&mut rows, MARKED).await > 0 {
        tokio::time::sleep(UNMARKED).await;
        while rows.len() < MARKED
            && let Ok(row) = published.try_recv()
        {
            rows.push(row);
        }
        point(Point::BeforeTold);
        let these: bson::Array = rows.iter().map(|(row, _)| row.id.to_string().into()).collect();
        let marked = outbox
            .update_many(doc! { "_id": { "$in": these } }, told_at(store.clock().now()))
            .await;
        match marked {
            Ok(_) => point(Point::AfterTold),
            Err(error) => warn!(error = %error.kind, "published events could not be marked"),
        }
        rows.drain(..).for_each(|(_, ticket)| ticket.published());
    }
}
