//! Counters that all replicas share, each changed by one atomic command.

use std::time::Duration;

use common::http::RateLimit;
use common::store::{Records, Store, StoreError};
use contracts::Timestamp;
use metrics::counter;
use mongodb::Collection;
use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::options::{
    Acknowledgment, CollectionOptions, ReadConcern, ReturnDocument, UpdateModifications,
    WriteConcern,
};

use super::Halted;

const COLLECTION: &str = "throttle";
/// Nobody waits longer.
const LONGEST: Duration = Duration::from_mins(15);
/// So many failures more than are free bring the longest wait; more are not counted.
const STEPS: u32 = 10;
/// How long a device is known that somebody signed in with.
pub(super) const FAMILIAR_FOR: Duration = Duration::from_hours(24 * 90);
/// In which time a quota may be spent.
const WINDOW: Duration = Duration::from_mins(10);

/// How waits grow with failures: none while they are few, then a second, two, four, …, at most 15
/// minutes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growing {
    /// What is counted.
    pub(super) name: &'static str,
    /// How many cost nothing.
    pub(super) free: u32,
    /// After how long one is forgiven.
    pub(super) forgiven_in: Duration,
}

/// How many there may be in each [`WINDOW`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    /// What is counted.
    pub(super) name: &'static str,
    /// How many there may be.
    pub(super) many: u32,
}

impl Quota {
    /// The same for a network of so many times the room.
    pub(super) fn widened(self, times: u32) -> Self {
        Self { many: self.many.saturating_mul(times), ..self }
    }
}

/// What a counter says.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    what: Growing,
    wait: Duration,
}

#[derive(Clone)]
pub(super) struct Counters(Records);

impl Counters {
    /// The counters of a service's database. What is lost of them with one of its members does no
    /// harm, so that nobody waits for a majority of them.
    pub(super) async fn open(store: &Store) -> Result<Self, StoreError> {
        let quick = WriteConcern::builder().w(Acknowledgment::Nodes(1)).build();
        let options = CollectionOptions::builder()
            .write_concern(quick)
            .read_concern(ReadConcern::local())
            .build();
        store.ends_by_itself(COLLECTION).await?;
        Ok(Self(store.records(COLLECTION).with(options)))
    }

    /// What a counter says, without counting.
    pub(super) async fn state(
        &self,
        what: Growing,
        name: &str,
        now: Timestamp,
    ) -> Result<State, Halted> {
        let this = doc! { "_id": what.id(name) };
        let found = self.0.run(async move |counters| counters.find_one(this).await).await?;
        Ok(State::read(what, &found.map_err(|error| lost(&error))?.unwrap_or_default(), now))
    }

    /// Counts one more, unless it has to wait.
    pub(super) async fn reserve(
        &self,
        what: Growing,
        name: &str,
        now: Timestamp,
    ) -> Result<State, Halted> {
        let counted = self.change(what, name, what.reserved(now)).await?;
        Ok(State::reserved(what, &counted, now))
    }

    /// Counts one more on a known device, unless it has to wait; `None` on one that is not known.
    pub(super) async fn reserve_known(
        &self,
        what: Growing,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<State>, Halted> {
        let known = doc! { "_id": what.id(name), "expires_at": { "$gt": date(now) } };
        let reserved = what.reserved(now);
        let count = async move |counters: Collection<Document>| {
            let counted = counters.find_one_and_update(known, reserved);
            counted.return_document(ReturnDocument::After).await
        };
        let counted = self.0.run(count).await?.map_err(|error| lost(&error))?;
        Ok(counted.map(|counted| State::reserved(what, &counted, now)))
    }

    /// Counts one more.
    pub(super) async fn count(
        &self,
        what: Growing,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(what, name, what.counted(now, true.into())).await.map(drop)
    }

    /// Takes back what was reserved.
    pub(super) async fn withdraw(&self, what: Growing, name: &str) -> Result<(), StoreError> {
        let back = doc! { "$set": {
            "level": { "$max": [0, { "$subtract": ["$level", 1] }] },
            "free_at": "$at",
        } };
        let this = doc! { "_id": what.id(name) };
        let done = self.0.run(async move |counters| counters.update_one(this, vec![back]).await);
        done.await?.map(drop).map_err(|error| lost(&error))
    }

    /// Forgets a counter.
    pub(super) async fn end(&self, what: Growing, name: &str) -> Result<(), StoreError> {
        let this = doc! { "_id": what.id(name) };
        let done = self.0.run(async move |counters| counters.delete_one(this).await);
        done.await?.map(drop).map_err(|error| lost(&error))
    }

    /// A device is known from now on, and nothing failed on it.
    pub(super) async fn befriend(
        &self,
        what: Growing,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = doc! {
            "$set": { "expires_at": date(now.plus(FAMILIAR_FOR)) },
            "$unset": { "level": "", "at": "", "free_at": "", "let_in": "" },
        };
        let this = doc! { "_id": what.id(name) };
        let befriend = async move |counters: Collection<Document>| {
            counters.update_one(this, known).upsert(true).await
        };
        self.0.run(befriend).await?.map(drop).map_err(|error| lost(&error))
    }

    /// Counts one more of those that there may be in a while.
    pub(super) async fn spend(
        &self,
        quota: Quota,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Halted> {
        let length = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
        let into = now.as_millis().rem_euclid(length);
        let (begin, left) = (now.as_millis() - into, (length - into).unsigned_abs());
        let id = format!("{}:{name}:{begin}", quota.name);
        let ends = date(now.plus(WINDOW));
        let more = doc! { "$inc": { "spent": 1_i64 }, "$setOnInsert": { "expires_at": ends } };
        let spent = self.upsert(id, more).await?;
        if spent.get_i64("spent").unwrap_or(0) <= i64::from(quota.many) {
            return Ok(());
        }
        let (window, reset) = (WINDOW, Duration::from_millis(left));
        Err(halted(RateLimit { name: quota.name, quota: quota.many, window, reset }))
    }

    async fn change(
        &self,
        what: Growing,
        name: &str,
        change: Vec<Document>,
    ) -> Result<Document, StoreError> {
        self.upsert(what.id(name), change).await
    }

    async fn upsert(
        &self,
        id: String,
        change: impl Into<UpdateModifications>,
    ) -> Result<Document, StoreError> {
        let change = change.into();
        let upsert = async move |counters: Collection<Document>| {
            let changed = counters.find_one_and_update(doc! { "_id": id }, change).upsert(true);
            changed.return_document(ReturnDocument::After).await
        };
        self.0.run(upsert).await?.map(Option::unwrap_or_default).map_err(|error| lost(&error))
    }
}

impl Growing {
    /// The same for a network of so many times the room: as many times as many are free, and are
    /// forgiven in a time.
    pub(super) fn widened(self, times: u32) -> Self {
        Self { free: self.free * times, forgiven_in: self.forgiven_in / times, ..self }
    }

    fn id(self, name: &str) -> String {
        format!("{}:{name}", self.name)
    }

    /// What becomes of a counter that counts one more unless that has to wait.
    fn reserved(self, now: Timestamp) -> Vec<Document> {
        let free = doc! { "$lte": [{ "$ifNull": ["$free_at", now.as_millis()] }, now.as_millis()] };
        self.counted(now, free.into())
    }

    /// What becomes of a counter that counts one more if it is let in: what time forgives goes off
    /// before, and the wait begins anew.
    fn counted(self, now: Timestamp, let_in: Bson) -> Vec<Document> {
        let (now, forgiven_in) = (now.as_millis(), millis(self.forgiven_in));
        let quiet = doc! { "$max": [0, { "$subtract": [now, { "$ifNull": ["$at", now] }] }] };
        let forgiven = doc! { "$divide": [quiet, forgiven_in] };
        let level = doc! { "$subtract": [{ "$ifNull": ["$level", 0] }, forgiven] };
        let one_more = doc! { "$min": [{ "$add": ["$level", 1] }, self.most()] };
        let later = doc! { "$toLong": { "$add": [now, self.wait()] } };
        let forgotten = doc! { "$multiply": ["$level", forgiven_in] };
        let end = doc! { "$add": [now, millis(LONGEST), forgotten] };
        let if_let_in = |then, otherwise| doc! { "$cond": ["$let_in", then, otherwise] };
        vec![
            doc! { "$set": { "let_in": let_in, "level": { "$max": [0, level] }, "at": now } },
            doc! { "$set": { "level": if_let_in(one_more, "$level") } },
            doc! { "$set": {
                "free_at": if_let_in(later, "$free_at"),
                "expires_at": { "$max": ["$expires_at", { "$toDate": { "$toLong": end } }] },
            } },
        ]
    }

    /// How long so many failures make one wait, in milliseconds. Between whole ones, as time forgives
    /// bit by bit, it is the nearest.
    fn wait(self) -> Document {
        let whole = doc! { "$round": ["$level", 0] };
        let beyond = doc! { "$subtract": [whole.clone(), self.free] };
        let grown = doc! { "$multiply": [1_000, { "$pow": [2, beyond] }] };
        let bounded = doc! { "$min": [millis(LONGEST), grown] };
        doc! { "$cond": [{ "$lt": [whole, self.free] }, 0, bounded] }
    }

    fn most(self) -> u32 {
        self.free + STEPS
    }
}

impl State {
    /// What a counter says that counted one more, or did not.
    fn reserved(what: Growing, counter: &Document, now: Timestamp) -> Self {
        if counter.get_bool("let_in").unwrap_or(true) {
            return Self { what, wait: Duration::ZERO };
        }
        Self::read(what, counter, now)
    }

    /// The one of both that makes wait longer.
    pub(super) fn longer(self, other: Self) -> Self {
        if other.wait > self.wait { other } else { self }
    }

    /// The same, of another name.
    pub(super) fn told_as(self, what: Growing) -> Self {
        Self { what, ..self }
    }

    fn read(what: Growing, counter: &Document, now: Timestamp) -> Self {
        let free_at = counter.get_i64("free_at").unwrap_or(0);
        let wait = u64::try_from(free_at.saturating_sub(now.as_millis())).unwrap_or(0);
        Self { what, wait: Duration::from_millis(wait) }
    }

    /// Lets in who need not wait.
    pub(super) fn let_in(self) -> Result<(), Halted> {
        let Self { what, wait } = self;
        if wait.is_zero() {
            return Ok(());
        }
        let window = what.forgiven_in * what.free;
        Err(halted(RateLimit { name: what.name, quota: what.free, window, reset: wait }))
    }
}

fn halted(limit: RateLimit) -> Halted {
    counter!("souk_throttled_total", "what" => limit.name).increment(1);
    Halted::TooMany(limit)
}

fn lost(error: &mongodb::error::Error) -> StoreError {
    StoreError::of(COLLECTION, error)
}

fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millis())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
