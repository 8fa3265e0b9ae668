//! Parked events: handled anew automatically, each after a pause that grows from try to try.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contracts::Timestamp;
use mongodb::bson::doc;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};

use super::chore::Chore;
use super::{FRAME, Service};
use crate::Clock;
use crate::bus::{Backoff, Bus, DeadLetter, DeadLetters, RedriveError, Subscription, Trouble};
use crate::store::{Store, StoreError};

/// How often it is looked for parked events that are due.
const ROUND: Duration = Duration::from_secs(10);
/// How often all are gone through, whatever is known of them.
const ALL: Duration = Duration::from_mins(1);
/// How long one round may begin to handle events.
const ROUND_BOUND: Duration = Duration::from_secs(30);
/// An event whose handling began so often and never ended may end the process: it is left to a
/// person.
const DEADLY: i64 = 3;

/// Handles parked events anew.
#[derive(Clone)]
struct Redriver {
    store: Store,
    bus: Bus,
    subscriptions: Vec<Subscription>,
    pauses: Backoff,
    known: Arc<Mutex<Known>>,
}

/// What is known of the dead letters since they were gone through.
#[derive(Default)]
struct Known {
    /// By the letter's place: what a restart forgets is tried once more.
    tried: HashMap<u64, Tried>,
    /// How many there were.
    letters: u64,
    /// When the first is due; absent when none is handled automatically.
    due: Option<Timestamp>,
    /// When they were gone through.
    at: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Tried {
    is_parked: bool,
    tries: u32,
    next: Timestamp,
}

/// Why a round of redrives ended early.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Redrive(#[from] RedriveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Service {
    /// The job that handles parked events anew.
    pub(super) fn redriving(&self, subscriptions: &[Subscription]) -> Chore {
        let pauses = self.bus.redrive_pauses();
        let redriver = Redriver {
            store: self.store(),
            bus: self.bus(),
            subscriptions: subscriptions.to_vec(),
            pauses,
            known: Arc::default(),
        };
        Chore::new(ROUND.min(pauses.first), "redrive", move || {
            let redriver = redriver.clone();
            async move { redriver.round().await }
        })
    }
}

impl Redriver {
    async fn round(&self) -> Result<(), RoundError> {
        if !self.bus.is_connected() {
            return Ok(());
        }
        let count = self.bus.count_dead_letters().await?;
        let mut known = self.known.lock().await;
        // Going through them takes all of them from the server, and from operators for a moment.
        let is_due = known.due.is_some_and(|due| due <= self.clock().now())
            || known.at.is_none_or(|at| at.elapsed() >= ALL);
        if count == 0 || (count == known.letters && !is_due) {
            return Ok(());
        }
        known.at = None;
        let mut letters = self.bus.dead_letters(&self.subscriptions).await?;
        let outcome = self.go_through(&mut letters, &mut known.tried).await;
        letters.put_back().await?;
        outcome?;
        known.letters = self.bus.count_dead_letters().await?;
        known.at = Some(Instant::now());
        known.due = known.tried.values().filter(|it| it.is_parked).map(|it| it.next).min();
        Ok(())
    }

    async fn go_through(
        &self,
        letters: &mut DeadLetters,
        tried: &mut HashMap<u64, Tried>,
    ) -> Result<(), RoundError> {
        let before = std::mem::take(tried);
        let (began, mut away) = (Instant::now(), false);
        loop {
            let page = letters.take().await?;
            if page.is_empty() {
                return Ok(());
            }
            for letter in page {
                let place = letter.place;
                let known = before.get(&place).copied();
                let known = known.unwrap_or_else(|| self.untried(&letter));
                let is_due = letter.is_parked && known.next <= self.clock().now();
                if !is_due || away || began.elapsed() > ROUND_BOUND {
                    tried.insert(place, known);
                    letters.keep(letter);
                    continue;
                }
                let again = Tried {
                    is_parked: true,
                    tries: known.tries + 1,
                    next: self.clock().now().plus(self.pauses.after(known.tries + 2)),
                };
                match self.redrive(letters, letter).await? {
                    Outcome::Handled => {}
                    Outcome::Failed => drop(tried.insert(place, again)),
                    Outcome::Away => {
                        tried.insert(place, known);
                        away = true;
                    }
                }
            }
        }
    }

    /// Handles one event anew, and keeps its letter if that fails.
    async fn redrive(
        &self,
        letters: &mut DeadLetters,
        letter: DeadLetter,
    ) -> Result<Outcome, RoundError> {
        let line = letter.to_string();
        let guard = Guard::of(&self.store, &letter);
        if guard.begin().await? >= DEADLY {
            warn!(letter = line, "handling this event may end the process: it is left alone");
            guard.leave().await?;
            letters.keep(letter);
            return Ok(Outcome::Failed);
        }
        let outcome = match letters.redrive(letter).await {
            Ok(()) => {
                info!(letter = line, "parked event handled");
                Outcome::Handled
            }
            Err(RedriveError::Trouble(Trouble::Away(_))) => Outcome::Away,
            Err(error) => {
                warn!(letter = line, %error, "parked event failed again");
                Outcome::Failed
            }
        };
        guard.end().await?;
        Ok(outcome)
    }

    fn untried(&self, letter: &DeadLetter) -> Tried {
        let died = letter.died_at.unwrap_or_else(|| self.clock().now());
        Tried { is_parked: letter.is_parked, tries: 0, next: died.plus(self.pauses.after(1)) }
    }

    fn clock(&self) -> &Clock {
        self.store.clock()
    }
}

/// What became of one redrive.
enum Outcome {
    Handled,
    Failed,
    /// A dependency is unavailable: the others would fail, too.
    Away,
}

/// Counts how often the handling of an event began and did not end.
struct Guard<'a> {
    store: &'a Store,
    id: String,
}

impl<'a> Guard<'a> {
    fn of(store: &'a Store, letter: &DeadLetter) -> Self {
        let event = letter.id.map_or_else(|| letter.place.to_string(), |id| id.to_string());
        Self { store, id: format!("redrive:{}:{event}", letter.consumer) }
    }

    /// Notes that it begins; returns how often it began before without an end.
    async fn begin(&self) -> Result<i64, StoreError> {
        let begun = self
            .store
            .collection(FRAME)
            .find_one_and_update(doc! { "_id": &self.id }, doc! { "$inc": { "begun": 1_i64 } })
            .upsert(true)
            .await
            .map_err(|error| StoreError::of(FRAME, &error))?;
        Ok(begun.and_then(|known| known.get_i64("begun").ok()).unwrap_or(0))
    }

    /// Takes back that it began.
    async fn leave(&self) -> Result<(), StoreError> {
        let frame = self.store.collection(FRAME);
        let left = frame.update_one(doc! { "_id": &self.id }, doc! { "$inc": { "begun": -1_i64 } });
        left.await.map(drop).map_err(|error| StoreError::of(FRAME, &error))
    }

    async fn end(&self) -> Result<(), StoreError> {
        let frame = self.store.collection(FRAME);
        let ended = frame.delete_one(doc! { "_id": &self.id }).await;
        ended.map(drop).map_err(|error| StoreError::of(FRAME, &error))
    }
}
