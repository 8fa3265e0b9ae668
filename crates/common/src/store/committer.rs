//! Group commit: what waits at the same time is decided together and written at once, bounded by
//! calls and by bytes.

use std::sync::Arc;
use std::time::Duration;

use contracts::Timestamp;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use mongodb::Database;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::warn;

use super::call::{Call, Fate, Mode};
use super::hand::Hand;
use super::load::Wanted;
use super::plan::Plan;
use super::write::{Lost, write};
use super::{StoreError, UpdateError, load};
use crate::Clock;
use crate::crash::{Point, point};

/// How long a group tries again before its callers hear that the shop is busy.
const PATIENCE: Duration = Duration::from_secs(8);
/// How many races a group may lose before it steps back for a moment.
const RACES_IN_A_ROW: u32 = 3;
/// After so many bytes no further call is decided in the same transaction: MongoDB takes 16 MiB in
/// one command, and one call may add as much as the largest document.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// So many bytes are read for one group; a call alone may read more.
const LOADED_BYTES: usize = 4 * 1024 * 1024;
/// How many commits run side by side when calls are not grouped.
const UNGROUPED: usize = 64;

/// Takes what waits, decides it in order of arrival and writes it in one transaction.
pub(crate) struct Committer {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    /// How many calls one commit takes at most; 1 commits each by itself.
    pub(crate) group: usize,
    /// How long a group waits for company.
    pub(crate) linger: Duration,
    pub(crate) hand: Arc<Hand>,
}

impl Committer {
    /// Works until every handle of the store is gone.
    pub(crate) async fn run(self, mut queue: mpsc::Receiver<Box<dyn Call>>) {
        let lanes = if self.group == 1 { UNGROUPED } else { 1 };
        let mut running = FuturesUnordered::new();
        loop {
            let mut calls = Vec::new();
            tokio::select! {
                biased;
                Some(()) = running.next(), if !running.is_empty() => {}
                taken = queue.recv_many(&mut calls, self.group), if running.len() < lanes => {
                    if taken == 0 {
                        break;
                    }
                    self.wait_for_company(&mut calls, &mut queue).await;
                    metrics::histogram!("souk_commit_group_size").record(size(calls.len()));
                    running.push(self.commit(calls));
                }
            }
        }
        while running.next().await.is_some() {}
    }

    async fn wait_for_company(
        &self,
        calls: &mut Vec<Box<dyn Call>>,
        queue: &mut mpsc::Receiver<Box<dyn Call>>,
    ) {
        if self.linger.is_zero() || queue.is_closed() {
            return;
        }
        tokio::time::sleep(self.linger).await;
        while calls.len() < self.group
            && let Ok(call) = queue.try_recv()
        {
            calls.push(call);
        }
    }

    /// Commits a group; nobody is answered before its fate is known.
    async fn commit(&self, mut calls: Vec<Box<dyn Call>>) {
        let mut until = Instant::now() + PATIENCE;
        let mut races = 0;
        while !calls.is_empty() {
            match self.attempt(&mut calls).await {
                Ok(fates) => {
                    point(Point::BeforeAnswer);
                    // The calls beyond the bytes of one group are the next one.
                    let rest = calls.split_off(fates.len());
                    settle(calls, fates);
                    (calls, races, until) = (rest, 0, Instant::now() + PATIENCE);
                }
                Err(Lost::Culprit { index, fate }) => calls.remove(index).settle(fate),
                Err(Lost::Race | Lost::Began) if Instant::now() < until => {
                    metrics::counter!("souk_commit_races_total").increment(1);
                    races += 1;
                    step_back(races, self.clock.now()).await;
                }
                Err(Lost::Race | Lost::Began) => {
                    return settle_all(calls, &UpdateError::Busy);
                }
                Err(Lost::Away(error)) => return settle_all(calls, &UpdateError::Store(error)),
                Err(Lost::Refused(error)) if calls.len() == 1 => {
                    warn!(%error, "commit refused");
                    return settle_all(calls, &UpdateError::Store(error));
                }
                Err(Lost::Refused(_) | Lost::Oversized) => {
                    // Not a race: one of the calls is to blame, and halving finds it. Or what they
                    // are about takes too many bytes at once.
                    let rest = calls.split_off(calls.len() / 2);
                    Box::pin(self.commit(calls)).await;
                    calls = rest;
                }
            }
        }
    }

    async fn attempt(&self, calls: &mut [Box<dyn Call>]) -> Result<Vec<Fate>, Lost> {
        let bound = if calls.len() == 1 { usize::MAX } else { LOADED_BYTES };
        let mut plan = load::plan(&self.database, Wanted::by(calls), bound).await?;
        let fates = decide(calls, &mut plan, &self.clock)?;
        let rows = plan.seal(&self.clock).map_err(Lost::Refused)?;
        write(&self.database, &plan, &rows).await?;
        metrics::counter!("souk_commits_total").increment(1);
        if !rows.is_empty() {
            self.hand.offer(rows);
        }
        Ok(fates)
    }
}

/// Decides call by call; a later one sees what an earlier one came to. Stops after the call with
/// which the group has enough bytes.
fn decide(calls: &mut [Box<dyn Call>], plan: &mut Plan, clock: &Clock) -> Result<Vec<Fate>, Lost> {
    let mut fates = Vec::with_capacity(calls.len());
    for (index, call) in calls.iter_mut().enumerate() {
        if plan.bytes >= GROUP_BYTES {
            break;
        }
        let fate = match before(call.as_ref(), plan) {
            Some(fate) => fate,
            None => match call.decide(plan, clock) {
                None => Fate::Stands,
                // It may have left half of itself in the plan: the others start over without it.
                Some(fate @ Fate::Failed(UpdateError::Store(_))) => {
                    return Err(Lost::Culprit { index, fate });
                }
                Some(fate) => fate,
            },
        };
        fates.push(fate);
    }
    Ok(fates)
}

/// What the call's receipt says, if it was asked before.
fn before(call: &dyn Call, plan: &Plan) -> Option<Fate> {
    let key = call.receipt().key.as_ref()?;
    let receipted = plan.receipts.get(&key.id)?;
    if receipted.document.fingerprint != key.fingerprint {
        return Some(Fate::Failed(UpdateError::KeyReused));
    }
    match (&receipted.document.kept, call.mode()) {
        (super::Kept::Started { .. }, Mode::Second) => None,
        (kept, _) => Some(Fate::Before(kept.clone())),
    }
}

fn settle(calls: Vec<Box<dyn Call>>, fates: Vec<Fate>) {
    for (call, fate) in calls.into_iter().zip(fates) {
        call.settle(fate);
    }
}

fn settle_all(calls: Vec<Box<dyn Call>>, error: &UpdateError<()>) {
    for call in calls {
        call.settle(Fate::Failed(error.clone()));
    }
}

/// At once for the first races, then after a moment that differs from replica to replica.
async fn step_back(races: u32, now: Timestamp) {
    if races > RACES_IN_A_ROW {
        let spread = u64::from(races.min(10)) * 5;
        let jitter = now.as_millis().unsigned_abs() % 7 * spread / 7;
        tokio::time::sleep(Duration::from_millis(1 + jitter)).await;
    }
}

fn size(calls: usize) -> f64 {
    f64::from(u32::try_from(calls).unwrap_or(u32::MAX))
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Away(_) => Self::Away(error),
            _ => Self::Refused(error),
        }
    }
}
