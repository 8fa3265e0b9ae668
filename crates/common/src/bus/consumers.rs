//! Everything that a service hears, from its start to its stop.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::Arc;

use contracts::{EventType, Timestamp};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::Bus;
use super::durable::Durable;
use super::gauge::{ConsumerHealth, Gauges};
use super::handling::Handling;
use super::listener::{self, Listener};
use super::streams::DeclareError;
use super::subscription::{From, Kind, Subscription};
use super::verdict::Attempts;
use super::worker::Worker;

/// The consumers of a service while they run.
#[derive(Clone)]
pub struct Consumers {
    gauges: Gauges,
    listeners: Vec<watch::Receiver<bool>>,
}

impl Bus {
    /// Declares the streams and the durables of these subscriptions; they hear nothing yet.
    ///
    /// `generation` names the database that copies are kept in: a new one hears the newest of
    /// everything first.
    pub async fn declare(
        &self,
        subscriptions: &[Subscription],
        generation: &str,
    ) -> Result<(), DeclareError> {
        self.connected().await;
        self.declare_streams().await?;
        self.declare_redrive().await?;
        for subscription in &Subscription::merged(subscriptions.to_vec()) {
            for durable in Durable::all_of(subscription, &self.config.service, generation) {
                let found = durable.ensure(self).await?;
                for newcomer in durable.unheard(&found.cached_info().config) {
                    durable.beside(newcomer).ensure(self).await?;
                }
            }
        }
        Ok(())
    }

    /// Lets the durables of these subscriptions hear again all that was told since then, as after a
    /// database was put back to what it was.
    pub async fn hear_again(
        &self,
        subscriptions: &[Subscription],
        since: Timestamp,
    ) -> Result<(), DeclareError> {
        self.connected().await;
        for subscription in &Subscription::merged(subscriptions.to_vec()) {
            for durable in Durable::all_of(subscription, &self.config.service, "") {
                durable.begin_at(self, since).await?;
            }
        }
        Ok(())
    }

    /// Hears what these subscriptions want to hear, on `tracker`, until `stop`: then nothing more
    /// is begun, what is begun is finished, and the tracker's task ends.
    pub fn consume(
        &self,
        subscriptions: Vec<Subscription>,
        generation: &str,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Consumers {
        let mut consuming = Consuming::new(self, stop);
        let mut listeners = Vec::new();
        for subscription in &Subscription::merged(subscriptions) {
            match &subscription.kind {
                Kind::Broadcast { from } => listeners.extend(consuming.listen(*from, subscription)),
                Kind::Work { .. } | Kind::Copies => consuming.work(subscription, generation),
            }
        }
        let gauges = consuming.gauges.clone();
        tracker.spawn(consuming.run());
        Consumers { gauges, listeners }
    }

    /// Declares the streams again whenever the server may have lost them.
    async fn mind_streams(self, stop: CancellationToken) {
        let mut link = self.link.clone();
        let minding = async {
            loop {
                self.declared().await;
                let epoch = link.borrow().epoch;
                tokio::select! {
                    () = self.missing.notified() => {}
                    changed = link.wait_for(|link| link.epoch != epoch) => {
                        if changed.is_err() { return; }
                    }
                }
            }
        };
        stop.run_until_cancelled(Box::pin(minding)).await;
    }
}

impl Consumers {
    /// Waits until the broadcasts brought what was there when they began: the keys, above all.
    pub async fn caught_up(&self) {
        for listener in &self.listeners {
            // One that ended was stopped: then nobody waits for it.
            let _ = listener.clone().wait_for(|caught_up| *caught_up).await;
        }
    }

    /// Whether the broadcasts brought what was there when they began.
    pub fn is_caught_up(&self) -> bool {
        self.listeners.iter().all(|listener| *listener.borrow())
    }

    /// How each durable is doing.
    pub fn health(&self) -> Vec<ConsumerHealth> {
        self.gauges.health()
    }
}

/// The tasks that consume.
struct Consuming {
    bus: Bus,
    stop: CancellationToken,
    gauges: Gauges,
    tasks: JoinSet<()>,
    ready: Vec<BoxFuture<'static, ()>>,
    newcomers: (UnboundedSender<Handling>, UnboundedReceiver<Handling>),
    /// How many listen to each type.
    listening: HashMap<EventType, u32>,
}

impl Consuming {
    fn new(bus: &Bus, stop: &CancellationToken) -> Self {
        let gauges = Gauges::default();
        Self {
            ready: vec![
                Box::pin(bus.clone().mind_streams(stop.clone())),
                Box::pin(gauges.clone().watch(bus.clone(), stop.clone())),
            ],
            bus: bus.clone(),
            stop: stop.clone(),
            gauges,
            tasks: JoinSet::new(),
            newcomers: mpsc::unbounded_channel(),
            listening: HashMap::new(),
        }
    }

    /// Runs until all tasks have ended; a panic in one of them is one here.
    async fn run(mut self) {
        for task in std::mem::take(&mut self.ready) {
            self.tasks.spawn(task);
        }
        loop {
            tokio::select! {
                Some(newcomer) = self.newcomers.1.recv() => {
                    info!(durable = newcomer.durable.name, "newly handled: a durable of its own");
                    let task = self.worker(newcomer);
                    self.tasks.spawn(task);
                }
                ended = self.tasks.join_next() => match ended {
                    Some(Ok(())) => {}
                    Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
                    Some(Err(_)) | None => return,
                },
            }
        }
    }

    /// Consumes a subscription by its durables.
    fn work(&mut self, subscription: &Subscription, generation: &str) {
        let service = self.bus.config.service.clone();
        let Some(consumer) = subscription.consumer(&service) else { return };
        for durable in Durable::all_of(subscription, &service, generation) {
            let handling = Handling {
                bus: self.bus.clone(),
                durable,
                consumer: Arc::clone(&consumer),
                routes: subscription.routes.clone(),
                attempts: Attempts::default(),
            };
            let task = self.worker(handling);
            self.ready.push(task);
        }
    }

    fn worker(&self, handling: Handling) -> BoxFuture<'static, ()> {
        let gauge = self.gauges.of(&handling.durable);
        let worker = Worker::new(handling, gauge, self.newcomers.0.clone());
        Box::pin(worker.run(self.stop.clone()))
    }

    /// Listens to every type of a broadcast; gives what tells that it caught up.
    fn listen(&mut self, from: From, subscription: &Subscription) -> Vec<watch::Receiver<bool>> {
        let types = subscription.routes.by_stream().into_values().flatten();
        let listening = types.map(|event_type| {
            let number = self.listening.entry(event_type).or_default();
            *number += 1;
            let (caught_up, is_caught_up) = watch::channel(false);
            let listener = Listener {
                bus: self.bus.clone(),
                consumer: format!("{}-broadcast", self.bus.config.service).into(),
                name: listener::name(&self.bus, event_type, *number),
                event_type,
                from,
                routes: subscription.routes.clone(),
                caught_up,
                place: None,
            };
            self.ready.push(Box::pin(listener.run(self.stop.clone())));
            is_caught_up
        });
        listening.collect()
    }
}
