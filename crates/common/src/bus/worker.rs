//! The consuming of one durable: as much at once as makes sense, what is of one aggregate in
//! order, for as long as the service lives.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::Config as Found;
use async_nats::jetstream::{AckKind, Message};
use contracts::EventType;
use futures_util::future::join_all;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Backoff;
use super::gauge::Gauge;
use super::handling::Handling;
use super::pull::{Lost, Pull};
use super::verdict::Verdict;

/// How many events a replica holds of one durable: enough to fill a group commit.
const AT_ONCE: usize = 64;
/// Fewer are asked for only when nothing is on its way.
const WORTH_ASKING: usize = AT_ONCE / 4;
const RECOVERY: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
const SENDING: Duration = Duration::from_secs(1);

/// Consumes one durable.
pub(super) struct Worker {
    handling: Arc<Handling>,
    gauge: Arc<Gauge>,
    /// Takes what is to consume the types that the durable does not hear.
    newcomers: UnboundedSender<Handling>,
    sent: HashSet<EventType>,
    tasks: JoinSet<Settled>,
    /// What is held, by aggregate; the first of each is being handled.
    lanes: HashMap<String, VecDeque<Arc<Message>>>,
    progress: Interval,
    /// How many sessions in a row ended because a dependency was away.
    away: u32,
}

/// An event that was handled.
struct Settled {
    lane: String,
    verdict: Verdict,
}

/// Why a session ended.
enum Ended {
    Stopped,
    Away,
    Lost(Lost),
}

impl Worker {
    pub(super) fn new(
        handling: Handling,
        gauge: Arc<Gauge>,
        newcomers: UnboundedSender<Handling>,
    ) -> Self {
        let mut progress = interval(handling.bus.config.patience.word / 3);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            handling: Arc::new(handling),
            gauge,
            newcomers,
            sent: HashSet::new(),
            tasks: JoinSet::new(),
            lanes: HashMap::new(),
            progress,
            away: 0,
        }
    }

    /// Consumes until it is stopped; then finishes what is started.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut failures = 0;
        loop {
            let pause = match self.session(&stop, &mut failures).await {
                Ended::Stopped => break,
                Ended::Away => {
                    self.away += 1;
                    self.handling.bus.config.patience.away.after(self.away)
                }
                Ended::Lost(lost) => {
                    failures += 1;
                    warn!(durable = self.handling.durable.name, %lost, "consumer lost");
                    RECOVERY.after(failures)
                }
            };
            self.gauge.down();
            self.meanwhile(stop.run_until_cancelled(sleep(pause))).await;
        }
        self.gauge.down();
        self.finish().await;
    }

    /// Consumes over one connection, until that or the consumer is lost.
    async fn session(&mut self, stop: &CancellationToken, failures: &mut u32) -> Ended {
        let handling = Arc::clone(&self.handling);
        let found = Box::pin(async {
            handling.bus.connected().await;
            let consumer = handling.durable.ensure(&handling.bus).await?;
            let info = consumer.cached_info().clone();
            Ok((info, Pull::open(&handling.bus, consumer).await?))
        });
        let (info, mut pull) = match self.meanwhile(stop.run_until_cancelled(found)).await {
            Some(Ok(found)) => found,
            Some(Err(lost)) => return Ended::Lost(lost),
            None => return Ended::Stopped,
        };
        info!(durable = info.name, stream = info.stream_name, "consumer found");
        *failures = 0;
        self.gauge.up(&info);
        self.send_newcomers(&info.config);
        let ended = self.consume(&mut pull, stop).await;
        let left = self.meanwhile(pull.close()).await;
        match ended {
            Ended::Lost(_) => left.into_iter().for_each(|message| self.take(message)),
            Ended::Stopped | Ended::Away => self.hand_back(left.iter()).await,
        }
        ended
    }

    /// Has each type that the durable does not hear consumed by a durable of its own.
    fn send_newcomers(&mut self, found: &Found) {
        for newcomer in self.handling.durable.unheard(found) {
            if self.sent.insert(newcomer) {
                // Without a receiver the service has stopped.
                let _ = self.newcomers.send(self.handling.beside(newcomer));
            }
        }
    }

    async fn consume(&mut self, pull: &mut Pull, stop: &CancellationToken) -> Ended {
        loop {
            if let Err(lost) = self.ask(pull).await {
                return Ended::Lost(lost);
            }
            tokio::select! {
                () = stop.cancelled() => return Ended::Stopped,
                message = pull.next() => match message {
                    Ok(Some(message)) => self.take(message),
                    Ok(None) => {}
                    Err(lost) => return Ended::Lost(lost),
                },
                Some(settled) = self.tasks.join_next() => {
                    if matches!(self.settled(settled), Verdict::Away { .. }) {
                        return Ended::Away;
                    }
                }
                _ = self.progress.tick() => self.say_progress().await,
            }
        }
    }

    /// Asks for what can be started at once; after an outage for a single event, to see.
    async fn ask(&self, pull: &mut Pull) -> Result<(), Lost> {
        let limit = if self.away > 0 { 1 } else { AT_ONCE };
        let held: usize = self.lanes.values().map(VecDeque::len).sum();
        let room = limit.saturating_sub(held + pull.asked());
        if room >= WORTH_ASKING || (room > 0 && pull.asked() == 0) {
            pull.ask(room).await?;
        }
        Ok(())
    }

    /// Waits for something else while what is started goes on.
    async fn meanwhile<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                Some(settled) = self.tasks.join_next() => { self.settled(settled); }
                _ = self.progress.tick() => self.say_progress().await,
            }
        }
    }

    fn take(&mut self, message: Message) {
        self.gauge.given(&message);
        let lane = aggregate(&message).to_owned();
        let waiting = self.lanes.entry(lane.clone()).or_default();
        waiting.push_back(Arc::new(message));
        if waiting.len() == 1 {
            self.start(lane);
        }
    }

    /// Begins to handle the first event of a lane.
    fn start(&mut self, lane: String) {
        let Some(message) = self.lanes.get(&lane).and_then(VecDeque::front).cloned() else {
            return;
        };
        let (handling, gauge) = (Arc::clone(&self.handling), Arc::clone(&self.gauge));
        self.tasks.spawn(async move {
            let verdict = handling.handle(&message, &gauge).await;
            if matches!(verdict, Verdict::Done | Verdict::Park { .. } | Verdict::Reject { .. }) {
                gauge.settled(&message);
            }
            Settled { lane, verdict }
        });
    }

    fn settled(&mut self, settled: Result<Settled, JoinError>) -> Verdict {
        let Settled { lane, verdict } = settled.expect("handling catches its panics");
        if !matches!(verdict, Verdict::Away { .. }) {
            self.away = 0;
        }
        if let Some(waiting) = self.lanes.get_mut(&lane) {
            waiting.pop_front();
            if waiting.is_empty() {
                self.lanes.remove(&lane);
            } else {
                self.start(lane);
            }
        }
        verdict
    }

    /// Tells the server that what is held is in good hands.
    async fn say_progress(&self) {
        let bus = &self.handling.bus;
        if !bus.is_connected() {
            return;
        }
        let held = self.lanes.values().flatten();
        let saying = held.map(|message| message.ack_with(AckKind::Progress));
        // What cannot be said now is said the next time; at worst the event comes again.
        let _ = timeout(SENDING, join_all(saying)).await;
    }

    /// Finishes what is started, and hands back what is not.
    async fn finish(mut self) {
        let mut waiting = Vec::new();
        for lane in self.lanes.values_mut() {
            waiting.extend(lane.drain(1..));
        }
        self.hand_back(waiting.iter().map(AsRef::as_ref)).await;
        while !self.tasks.is_empty() {
            tokio::select! {
                Some(settled) = self.tasks.join_next() => { self.settled(settled); }
                _ = self.progress.tick() => self.say_progress().await,
            }
        }
    }

    /// Lets the server give these to another replica at once.
    async fn hand_back(&self, messages: impl Iterator<Item = &Message>) {
        let saying = messages.map(|message| message.ack_with(AckKind::Nak(None)));
        let _ = timeout(SENDING, join_all(saying)).await;
    }
}

/// The aggregate an event is about: what comes after publisher, name and version.
fn aggregate(message: &Message) -> &str {
    let subject = message.subject.as_str();
    subject.splitn(4, '.').nth(3).unwrap_or(subject)
}
