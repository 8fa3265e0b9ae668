//! Work that comes up again and again, which one replica does for all.

use std::fmt::Display;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info_span, warn};

use super::lease::{Asked, Lease, Turn};
use crate::crash::{Point, point};
use crate::store::Store;

/// After so long without a sign of life of the replica that does it, another does it.
const TERM: Duration = Duration::from_secs(5);
/// After the database could not be asked.
const PAUSE: Duration = Duration::from_secs(1);

type Round = dyn Fn() -> BoxFuture<'static, ()> + Send + Sync;

/// Something to be done every so often.
pub(crate) struct Chore {
    name: &'static str,
    period: Duration,
    round: Box<Round>,
}

impl Chore {
    pub(crate) fn new<F, Fut, E>(period: Duration, name: &'static str, round: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let round = move || {
            let done = round();
            async move {
                if let Err(error) = done.await {
                    warn!(error = format!("{error:#}"), "a chore failed");
                }
            }
            .boxed()
        };
        Self { name, period, round: Box::new(round) }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Does it whenever it is due and nobody else does, until `stopping`; a round that was begun is
    /// finished.
    pub(crate) async fn run(self, store: Store, stopping: CancellationToken) {
        let lease = Lease::of(store, format!("chore:{}", self.name));
        while !stopping.is_cancelled() {
            let pause = self.once(&lease).await;
            stopping.run_until_cancelled(sleep(pause)).await;
        }
    }

    /// Does it if it is due, and says when to look again.
    async fn once(&self, lease: &Lease) -> Duration {
        match lease.ask(TERM).await {
            Ok(Asked::Mine(turn)) => {
                point(Point::TurnTaken);
                let round = (self.round)().instrument(info_span!("chore", chore = self.name));
                if holding(&turn, round).await {
                    point(Point::RoundDone);
                    // Nobody else's turn before it is due again; should this fail, the term ends.
                    let _ = turn.extend(self.period).await;
                }
                self.period
            }
            // Whatever the period was when that turn was taken, it is this now.
            Ok(Asked::Later(left)) => left.min(self.period.max(TERM)),
            Err(error) => {
                warn!(chore = self.name, %error, "whose turn it is could not be asked");
                PAUSE
            }
        }
    }
}

/// Does `work` while the turn is held; gives both up when it is lost.
async fn holding(turn: &Turn, work: impl Future<Output = ()>) -> bool {
    tokio::select! {
        () = work => true,
        () = lost(turn) => {
            warn!("a chore was given up, as another replica may do it by now");
            false
        }
    }
}

/// Extends the turn until that does not work in time.
async fn lost(turn: &Turn) {
    let mut beat = interval(TERM / 5);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.tick().await;
    let mut failures = 0;
    while failures < 2 {
        beat.tick().await;
        match tokio::time::timeout(TERM / 5, turn.extend(TERM)).await {
            Ok(Ok(true)) => failures = 0,
            Ok(Ok(false)) => return,
            Ok(Err(_)) | Err(_) => failures += 1,
        }
    }
}
