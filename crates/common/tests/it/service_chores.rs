//! What one replica does for all.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use common::Service;
use common::config::ServiceConfig;
use common::service::Running;
use testkit::{World, eventually};

const SOON: Duration = Duration::from_secs(10);
const PERIOD: Duration = Duration::from_millis(20);

/// Counts the rounds of each of two replicas, and whether two were ever at it at once.
#[derive(Debug, Default)]
struct Log {
    rounds: [AtomicU32; 2],
    at_it: AtomicU32,
    collided: AtomicBool,
}

impl Log {
    async fn round(self: Arc<Self>, replica: usize) -> Result<(), Infallible> {
        if self.at_it.fetch_add(1, Ordering::SeqCst) > 0 {
            self.collided.store(true, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
        self.at_it.fetch_sub(1, Ordering::SeqCst);
        self.rounds[replica].fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn rounds(&self) -> u32 {
        self.rounds.iter().map(|rounds| rounds.load(Ordering::SeqCst)).sum()
    }

    /// Waits for so many more rounds, by whomever.
    async fn more(&self, rounds: u32) {
        let enough = self.rounds() + rounds;
        eventually("more rounds", SOON, async || (self.rounds() >= enough).then_some(())).await;
    }
}

fn config(world: &World) -> ServiceConfig {
    ServiceConfig::for_tests(world.mongo_uri(), &world.database("chores"), &world.nats().url())
}

async fn replica(config: &ServiceConfig, log: &Arc<Log>, number: usize) -> Running {
    let service = Service::start("chores", config).await.unwrap();
    let log = Arc::clone(log);
    let service = service.every(PERIOD, "count", move || Arc::clone(&log).round(number));
    service.run_in_background().await.unwrap()
}

#[tokio::test]
async fn one_replica_at_a_time_does_it_and_the_others_go_on_when_it_is_gone() {
    let world = World::start().await;
    let (config, log) = (config(&world), Arc::new(Log::default()));
    let one = replica(&config, &log, 0).await;
    let other = replica(&config, &log, 1).await;

    log.more(20).await;
    one.stop().await.unwrap();
    let before = log.rounds[1].load(Ordering::SeqCst);
    log.more(5).await;

    assert!(log.rounds[1].load(Ordering::SeqCst) >= before + 5);
    assert!(!log.collided.load(Ordering::SeqCst));
    other.stop().await.unwrap();
}

#[tokio::test]
async fn a_replica_that_dies_over_it_loses_its_turn() {
    let world = World::start().await;
    let (config, log) = (config(&world), Arc::new(Log::default()));
    let stuck = Arc::new(AtomicBool::new(false));
    let service = Service::start("chores", &config).await.unwrap();
    let hold = Arc::clone(&stuck);
    let service = service.every(PERIOD, "count", move || {
        hold.store(true, Ordering::SeqCst);
        std::future::pending::<Result<(), Infallible>>()
    });
    let dying = service.run_in_background().await.unwrap();
    eventually("a round", SOON, async || stuck.load(Ordering::SeqCst).then_some(())).await;

    let heir = replica(&config, &log, 1).await;
    drop(dying);

    log.more(3).await;
    heir.stop().await.unwrap();
}

#[tokio::test]
async fn a_round_that_fails_comes_again() {
    let world = World::start().await;
    let log = Arc::new(Log::default());
    let service = Service::start("chores", &config(&world)).await.unwrap();
    let tries = Arc::clone(&log);
    let service = service.every(PERIOD, "fail", move || {
        let log = Arc::clone(&tries);
        async move {
            let Ok(()) = log.round(0).await;
            Err::<(), _>("on purpose")
        }
    });
    let running = service.run_in_background().await.unwrap();

    log.more(3).await;
    running.stop().await.unwrap();
}
