//! One saga in which somebody dies.

use std::time::Duration;

use futures_util::future::join;
use tokio::sync::Notify;
use tokio::time::timeout;

use testkit::fleet::Service;

use super::plan::{Cell, Death};
use super::play::Play;
use super::saga::Saga;
use super::stall::{Passes, Stall};

/// How a process ends that aborts: 128 and the number of SIGABRT.
const ABORTED: i32 = 134;
/// How long after the end of a saga somebody may die who is still busy with it.
const AFTERWARDS: Duration = Duration::from_secs(3);
const CRASH_AT: &str = "SOUK_CRASH_AT";

/// Plays a saga in which nobody dies, and says how often each point was passed.
pub(super) async fn rehearse(stall: &Stall, saga: Saga, number: usize) -> Passes {
    let play = Play::prepare(stall, saga, number).await;
    let before = stall.passes().await;
    let placed = play.run().await;
    play.ends_well(&placed).await;
    let mut passes = stall.passes().await;
    for (place, times) in &mut passes {
        *times -= before.get(place).copied().unwrap_or_default();
    }
    play.close().await;
    stall.is_in_order().await;
    passes
}

impl Cell {
    /// Plays it; says whether everybody died who was to.
    pub(super) async fn plays(&self, stall: &Stall, number: usize) -> bool {
        let play = Play::prepare(stall, self.saga, number).await;
        let died = if self.saga == Saga::Retold {
            self.dies_retelling(&play).await
        } else {
            self.dies_beside(&play).await
        };
        play.close().await;
        stall.is_in_order().await;
        died
    }

    /// The saga goes on whoever dies; whoever dies comes back.
    async fn dies_beside(&self, play: &Play<'_>) -> bool {
        let stall = play.stall;
        start_to_die(stall, self.service, self.deaths[0]).await;
        let over = Notify::new();
        let saga = async {
            let placed = play.run().await;
            play.ends_well(&placed).await;
            over.notify_one();
            placed
        };
        let (placed, died) = join(saga, self.die(stall, &over)).await;
        if !died {
            stall.fleet.restart(self.service, 0).await.unwrap();
        }
        play.ends_well(&placed).await;
        died
    }

    /// Lets them die one after the other, and the last one live; false when the saga was over
    /// before that.
    async fn die(&self, stall: &Stall, over: &Notify) -> bool {
        let fleet = &stall.fleet;
        let mut is_over = false;
        for next in 1..=self.deaths.len() {
            let process = fleet.process(self.service, 0);
            let code = tokio::select! {
                code = process.wait() => Some(code),
                () = over.notified(), if !is_over => {
                    is_over = true;
                    timeout(AFTERWARDS, process.wait()).await.ok()
                }
            };
            let Some(code) = code else { return false };
            assert_eq!(code, ABORTED, "{} ended by itself", self.service);
            match self.deaths.get(next) {
                Some(&death) => start_to_die(stall, self.service, death).await,
                None => fleet.restart(self.service, 0).await.unwrap(),
            }
        }
        true
    }

    /// A service dies telling again what it told.
    async fn dies_retelling(&self, play: &Play<'_>) -> bool {
        let placed = play.run().await;
        play.ends_well(&placed).await;
        let (fleet, mut died) = (&play.stall.fleet, false);
        let at = self.deaths[0].to_string();
        for how in [["replay", "--since", "1h"].as_slice(), &["replay", "--state"]] {
            let deadly = [(CRASH_AT, at.as_str())];
            let (code, said) = fleet.run_with(self.service, how, &deadly).await.unwrap();
            assert!(code == 0 || code == ABORTED, "{how:?}: {code} {said}");
            died |= code == ABORTED;
            let (code, said) = fleet.run(self.service, how).await.unwrap();
            assert_eq!(code, 0, "{how:?}: {said}");
        }
        play.ends_well(&placed).await;
        died
    }
}

/// Starts a service that is to die; it may do so as soon as it is ready.
async fn start_to_die(stall: &Stall, service: Service, death: Death) {
    let (fleet, at) = (&stall.fleet, death.to_string());
    if let Err(error) = fleet.restart_with(service, 0, &[(CRASH_AT, &at)]).await {
        assert!(!fleet.process(service, 0).is_running(), "{error}");
    }
}

impl Play<'_> {
    /// Somebody has seen to the dead letters, and to what they are about.
    async fn close(&self) {
        if self.saga == Saga::Unreadable {
            let streams = &self.stall.jetstream;
            streams.get_stream("DEAD").await.unwrap().purge().await.unwrap();
            let orders = streams.get_stream("ORDER").await.unwrap();
            orders.purge().filter(self.unread()).await.unwrap();
        }
    }
}
