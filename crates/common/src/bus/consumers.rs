//! Everything that a service hears, from its start to its stop.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use contracts::{Envelope, EventType, Malformed};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::durable::Durable;
use super::gauge::{ConsumerHealth, Gauges};
use super::handling::Handling;
use super::listener::Listener;
use super::routes::Routes;
use super::streams::DeclareError;
use super::subscription::{From, Kind, Subscription};
use super::verdict::Attempts;
use super::worker::Worker;
use super::{Bus, Trouble};

/// The consumers of a service while they run.
#[derive(Clone)]
pub struct Consumers {
    bus: Bus,
    gauges: Gauges,
    listeners: Vec<watch::Receiver<bool>>,
    routes: Arc<Vec<(Arc<str>, Routes)>>,
}

/// Why a dead letter was not handled anew.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// There is no such consumer here.
    #[error("no consumer {0} here")]
    Unknown(String),
    /// It is no event.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It failed again.
    #[error(transparent)]
    Trouble(#[from] Trouble),
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
        for subscription in subscriptions {
            for durable in Durable::all_of(subscription, &self.config.service, generation) {
                let found = durable.ensure(self).await?;
                for newcomer in durable.unheard(&found.cached_info().config) {
                    durable.beside(newcomer).ensure(self).await?;
                }
            }
        }
        Ok(())
    }

    /// Hears what these subscriptions want to hear, on `tracker`, until `stop`: then nothing more
    /// is begun, what is begun is finished, and the tracker's tasks end.
    pub fn consume(
        &self,
        subscriptions: Vec<Subscription>,
        generation: &str,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Consumers {
        let starting = Starting {
            bus: self.clone(),
            gauges: Gauges::default(),
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        let (mut listeners, mut routes) = (Vec::new(), Vec::new());
        for subscription in subscriptions {
            match &subscription.kind {
                Kind::Broadcast { from } => listeners.extend(starting.listen(*from, &subscription)),
                Kind::Work { .. } | Kind::Copies => {
                    routes.push(starting.work(&subscription, generation));
                }
            }
        }
        starting.mind();
        let Starting { bus, gauges, .. } = starting;
        Consumers { bus, gauges, listeners, routes: Arc::new(routes) }
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

    /// Handles a dead letter of `consumer` (such as `order-saga`) anew, once. When the event was
    /// handled before, its receipt makes this nothing.
    pub async fn redrive(&self, consumer: &str, event: &Bytes) -> Result<(), RedriveError> {
        let found = self.routes.iter().find(|(name, _)| &**name == consumer);
        let (name, routes) = found.ok_or_else(|| RedriveError::Unknown(consumer.to_owned()))?;
        let envelope = Envelope::parse(event)?;
        routes.hear(name, envelope, self.bus.config.patience.handling).await?;
        Ok(())
    }
}

/// What the consumers are started with.
#[derive(Clone)]
struct Starting {
    bus: Bus,
    gauges: Gauges,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Starting {
    /// Consumes a subscription by its durables; gives its name and handlers.
    fn work(&self, subscription: &Subscription, generation: &str) -> (Arc<str>, Routes) {
        let service = &self.bus.config.service;
        let consumer: Arc<str> = match &subscription.kind {
            Kind::Work { name } => format!("{service}-{name}").into(),
            Kind::Copies | Kind::Broadcast { .. } => format!("{service}-copies").into(),
        };
        for durable in Durable::all_of(subscription, service, generation) {
            let handling = self.handling(durable, &consumer, &subscription.routes);
            self.start(handling);
        }
        (consumer, subscription.routes.clone())
    }

    fn handling(&self, durable: Durable, consumer: &Arc<str>, routes: &Routes) -> Handling {
        Handling {
            bus: self.bus.clone(),
            durable,
            consumer: Arc::clone(consumer),
            routes: routes.clone(),
            attempts: Attempts::default(),
        }
    }

    /// Consumes a durable, and beside it those of the types that it does not hear.
    fn start(&self, handling: Handling) {
        let starting = self.clone();
        let (durable, routes) = (handling.durable.clone(), handling.routes.clone());
        let consumer = Arc::clone(&handling.consumer);
        let mut heard = HashSet::new();
        let unheard = move |newcomer: EventType| {
            if heard.insert(newcomer) {
                let beside = durable.beside(newcomer);
                info!(durable = beside.name, "a newly handled type gets a durable of its own");
                starting.start_one(starting.handling(beside, &consumer, &routes), drop);
            }
        };
        self.start_one(handling, unheard);
    }

    fn start_one(
        &self,
        handling: Handling,
        unheard: impl FnMut(EventType) + Send + Sync + 'static,
    ) {
        let gauge = self.gauges.of(&handling.durable);
        let worker = Worker::new(handling, gauge, unheard);
        self.tracker.spawn(worker.run(self.stop.clone()));
    }

    /// Listens to every type of a broadcast.
    fn listen(&self, from: From, subscription: &Subscription) -> Vec<watch::Receiver<bool>> {
        let types = subscription.routes.by_stream().into_values().flatten();
        let listening = types.map(|event_type| {
            let (caught_up, is_caught_up) = watch::channel(false);
            let listener = Listener {
                bus: self.bus.clone(),
                consumer: format!("{}-broadcast", self.bus.config.service).into(),
                event_type,
                from,
                routes: subscription.routes.clone(),
                caught_up,
                place: None,
            };
            self.tracker.spawn(listener.run(self.stop.clone()));
            is_caught_up
        });
        listening.collect()
    }

    /// Keeps the streams declared and the gauges fresh.
    fn mind(&self) {
        self.tracker.spawn(self.bus.clone().mind_streams(self.stop.clone()));
        self.tracker.spawn(self.gauges.clone().watch(self.bus.clone(), self.stop.clone()));
    }
}
