//! What a stream has to have of what an outbox says was told.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use contracts::Timestamp;
use mongodb::bson::DateTime;
use serde::Deserialize;

use super::tellings::Place;

/// How long a row that was told is kept: it says when it ends, not when it was told.
const KEPT: Duration = Duration::from_hours(72);
/// What ends so soon may be gone from the stream before the stream is read.
const SURELY_THERE: Duration = Duration::from_hours(2);

/// An event in an outbox.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) aggregate: String,
    pub(super) sequence: i64,
    told: bool,
    #[serde(default)]
    expires_at: Option<DateTime>,
}

/// How far back a stream has to remember.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// When the stream was made; none when there is no stream.
    pub(super) made: Option<Timestamp>,
    /// What was told earlier it may have forgotten.
    since: Timestamp,
}

impl Memory {
    /// What a stream has to remember now, or would have to if there were one.
    pub(super) fn of(stream: Option<&Info>, now: Timestamp) -> Self {
        let made = stream.map(|info| {
            let millis = i64::try_from(info.created.unix_timestamp_nanos() / 1_000_000);
            millis.ok().and_then(|millis| Timestamp::from_millis(millis).ok()).unwrap_or(now)
        });
        let limit = stream.map(|info| info.config.max_age).filter(|age| !age.is_zero());
        let reach = limit.map_or(KEPT, |age| age.min(KEPT)).saturating_sub(SURELY_THERE);
        Self { made, since: now.minus(reach) }
    }

    /// Where the event of a row is, for all that the row says. It was read before the stream is:
    /// what it calls told, the stream has had since.
    pub(super) fn place(&self, row: &Row) -> Place {
        let Some(told_at) = row.told_at() else { return Place::Outbox };
        if told_at < self.since {
            Place::Outbox
        } else if self.made.is_some_and(|made| made <= told_at) {
            Place::Told
        } else {
            Place::ToldBefore
        }
    }
}

impl Row {
    fn told_at(&self) -> Option<Timestamp> {
        let end = self.expires_at.filter(|_| self.told)?;
        Some(Timestamp::from_millis(end.timestamp_millis()).ok()?.minus(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: i64 = 1_000 * HOUR;

    /// Where an event is that was told so many hours ago, in a stream as old as that.
    fn place(told: bool, hours_ago: i64, age_of_stream: Option<i64>) -> Place {
        let at = |hours: i64| Timestamp::from_millis(NOW - hours * HOUR).unwrap();
        let memory = Memory { made: age_of_stream.map(at), ..Memory::of(None, at(0)) };
        memory.place(&Row {
            id: String::new(),
            aggregate: String::new(),
            sequence: 1,
            told,
            expires_at: told.then(|| DateTime::from_millis(at(hours_ago - 72).as_millis())),
        })
    }

    #[test]
    fn a_stream_has_what_was_told_since_it_was_made_and_not_long_ago() {
        assert_eq!(place(true, 1, Some(100)), Place::Told);
        assert_eq!(place(true, 10, Some(9)), Place::ToldBefore);
        assert_eq!(place(true, 1, None), Place::ToldBefore);
        assert_eq!(place(true, 71, Some(100)), Place::Outbox);
        assert_eq!(place(false, 1, Some(100)), Place::Outbox);
    }
}
