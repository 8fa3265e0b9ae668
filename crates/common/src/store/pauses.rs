//! Backoff of publishes that the broker refuses: by row, and by stream where it refuses many.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use contracts::EventId;
use tokio::time::Instant;
use tracing::warn;

use super::outbox::OutboxRow;
use crate::bus::{Backoff, PublishError};

/// So many different rows in a row are refused before their stream is at fault.
const AT_FAULT: usize = 8;
/// How long a stream rests.
const STREAM: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(10));
/// How long a row rests that is refused by itself.
const ROW: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(5));
/// How many resting rows are remembered; more are tried again at once.
const REMEMBERED: usize = 1024;

/// Which rows and streams rest.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    /// The connection that they were refused over.
    epoch: u64,
    streams: HashMap<String, StreamPause>,
    rows: HashMap<EventId, Pause>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    failures: u32,
    until: Instant,
}

#[derive(Debug, Default)]
struct StreamPause {
    refused: HashSet<EventId>,
    pause: Option<Pause>,
}

impl Pauses {
    /// Forgets everything at a new connection.
    pub(super) fn over(&mut self, epoch: u64) -> &mut Self {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::default() };
        }
        self
    }

    /// Whether the row may be published now.
    pub(super) fn allow(&self, row: &OutboxRow) -> bool {
        let now = Instant::now();
        let stream = self.streams.get(&row.stream).and_then(|stream| stream.pause);
        let rests = |pause: &Pause| pause.until > now;
        !stream.as_ref().is_some_and(rests) && !self.rows.get(&row.id).is_some_and(rests)
    }

    /// The streams and the rows that rest now.
    pub(super) fn resting(&mut self) -> (Vec<String>, Vec<String>) {
        let now = Instant::now();
        let streams = self.streams.iter();
        let streams = streams.filter(|(_, it)| it.pause.is_some_and(|pause| pause.until > now));
        let rows = self.rows.iter().filter(|(_, pause)| pause.until > now);
        (
            streams.map(|(name, _)| name.clone()).collect(),
            rows.map(|(id, _)| id.to_string()).collect(),
        )
    }

    /// The broker has the row: its stream takes events.
    pub(super) fn published(&mut self, row: &OutboxRow) {
        self.streams.remove(&row.stream);
        self.rows.remove(&row.id);
    }

    /// The broker refused the row, or cannot be reached.
    pub(super) fn refused(&mut self, row: &OutboxRow, error: &PublishError) {
        let of_row =
            matches!(error, PublishError::Overtaken { .. } | PublishError::TooLarge { .. });
        if !of_row && self.stream_is_at_fault(row, error) {
            return;
        }
        if self.rows.len() >= REMEMBERED {
            let now = Instant::now();
            self.rows.retain(|_, pause| pause.until > now);
        }
        if self.rows.len() < REMEMBERED || self.rows.contains_key(&row.id) {
            let failures = self.rows.get(&row.id).map_or(0, |pause| pause.failures) + 1;
            let rest = ROW.after(failures);
            warn!(event.id = %row.id, subject = row.nats_subject, %error, ?rest, "event not published");
            self.rows.insert(row.id, Pause { failures, until: Instant::now() + rest });
        }
    }

    /// Counts a refusal against the stream; pauses it after too many.
    fn stream_is_at_fault(&mut self, row: &OutboxRow, error: &PublishError) -> bool {
        let out_of_reach =
            matches!(error, PublishError::NotConnected { .. } | PublishError::Timeout { .. });
        let now = Instant::now();
        let stream = self.streams.entry(row.stream.clone()).or_default();
        if stream.pause.is_some_and(|pause| pause.until > now) {
            // Was under way when the pause began.
            return true;
        }
        if !out_of_reach && stream.pause.is_none() {
            stream.refused.insert(row.id);
            if stream.refused.len() < AT_FAULT {
                return false;
            }
        }
        let failures = stream.pause.map_or(0, |pause| pause.failures) + 1;
        let rest = STREAM.after(failures);
        warn!(stream = row.stream, %error, failures, ?rest, "publishing to a stream is paused");
        let of_it = std::mem::take(&mut stream.refused);
        stream.pause = Some(Pause { failures, until: now + rest });
        self.rows.retain(|id, _| !of_it.contains(id));
        true
    }
}
