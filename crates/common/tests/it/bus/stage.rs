//! What the tests of the bus stand on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::PullConsumer;
use common::Clock;
use common::bus::{
    Backoff, Bus, BusConfig, Consumers, Fact, Handled, Outgoing, Patience, Subscription,
};
use contracts::{Envelope, Event, EventId, OrderId, order, product, sequence_text};
use testkit::nats::NatsServer;
use testkit::{Scratch, eventually, tools};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub(super) const SOON: Duration = Duration::from_secs(30);

/// A server of its own.
pub(super) struct Stage {
    pub(super) nats: NatsServer,
    _scratch: Scratch,
}

impl Stage {
    pub(super) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more configuration of the server, such as its users.
    pub(super) async fn start_with(more: &str) -> Self {
        let scratch = Scratch::new().expect("a folder");
        let binary = tools::nats_server(&|line| eprintln!("{line}")).await.expect("nats-server");
        let nats =
            NatsServer::start_with(&binary, scratch.path(), None, more).await.expect("a server");
        Self { nats, _scratch: scratch }
    }

    pub(super) fn config(&self, service: &str) -> BusConfig {
        BusConfig { patience: impatient(), ..BusConfig::new(service, self.nats.url()) }
    }

    pub(super) async fn bus(&self, service: &str) -> Bus {
        let bus = Bus::connect(self.config(service), Clock::system()).await.expect("a client");
        bus.declared().await;
        bus
    }

    /// A replica of the cart service that hears this.
    pub(super) async fn cart(&self, subscription: impl Into<Subscription>) -> Replica {
        self.replica(self.config("cart"), "g1", vec![subscription.into()]).await
    }

    pub(super) async fn replica(
        &self,
        config: BusConfig,
        generation: &str,
        subscriptions: Vec<Subscription>,
    ) -> Replica {
        let bus = Bus::connect(config, Clock::system()).await.expect("a client");
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let consumers = bus.consume(subscriptions, generation, &tracker, &stop);
        Replica { bus, consumers, tracker, stop: stop.drop_guard() }
    }

    pub(super) async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.nats.url()).await.expect("a connection"))
    }

    pub(super) async fn durable(&self, stream: &str, name: &str) -> Option<PullConsumer> {
        self.jetstream().await.get_consumer_from_stream(name, stream).await.ok()
    }

    /// Waits until a durable has nothing left to do.
    pub(super) async fn settled(&self, stream: &str, name: &str) {
        eventually("a durable at rest", SOON, async || {
            let consumer = self.durable(stream, name).await?;
            let info = consumer.cached_info();
            (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
        })
        .await;
    }

    /// Waits until a stream holds so many messages, and gives them.
    pub(super) async fn messages(
        &self,
        stream: &str,
        count: u64,
    ) -> Vec<jetstream::message::StreamMessage> {
        let jetstream = self.jetstream().await;
        let held = eventually("messages in a stream", SOON, async || {
            let stream = jetstream.get_stream(stream).await.ok()?;
            (stream.cached_info().state.messages >= count).then_some(stream)
        })
        .await;
        let mut messages = Vec::new();
        let state = &held.cached_info().state;
        for sequence in state.first_sequence..=state.last_sequence {
            messages.extend(held.get_raw_message(sequence).await.ok());
        }
        messages
    }
}

/// Everything comes again soon.
fn impatient() -> Patience {
    let soon = Backoff::new(Duration::from_millis(5), Duration::from_millis(20));
    Patience {
        attempts: 10,
        waits: 1_000,
        deliveries: 2_000,
        redrive: soon,
        retry: soon,
        wait: soon,
        away: soon,
        handling: Duration::from_secs(5),
        word: Duration::from_secs(2),
    }
}

/// A service that hears.
pub(super) struct Replica {
    pub(super) bus: Bus,
    pub(super) consumers: Consumers,
    tracker: TaskTracker,
    stop: DropGuard,
}

impl Replica {
    /// Asks it to stop.
    pub(super) fn stop(self) -> Stopping {
        self.tracker.close();
        drop(self.stop);
        Stopping(self.tracker)
    }
}

/// A replica that finishes what it began.
pub(super) struct Stopping(TaskTracker);

impl Stopping {
    pub(super) fn has_ended(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) async fn ended(self) {
        tokio::time::timeout(SOON, self.0.wait()).await.expect("it ends");
    }
}

type Answer = dyn Fn(&str, usize) -> Handled + Send + Sync;

/// Remembers what it hears, and answers as it was told to.
#[derive(Clone)]
pub(super) struct Ear {
    heard: Arc<Mutex<Vec<String>>>,
    answer: Arc<Answer>,
}

impl Ear {
    /// Handles everything.
    pub(super) fn new() -> Self {
        Self::answering(|_, _| Ok(()))
    }

    /// Answers by what is told and how often it was heard.
    pub(super) fn answering(
        answer: impl Fn(&str, usize) -> Handled + Send + Sync + 'static,
    ) -> Self {
        Self { heard: Arc::default(), answer: Arc::new(answer) }
    }

    pub(super) async fn shipped(self, fact: Fact<order::Shipped>) -> Handled {
        self.hear(fact.event.tracking).await
    }

    pub(super) async fn delivered(self, fact: Fact<order::Delivered>) -> Handled {
        self.hear(format!("delivered {}", fact.event.order_id)).await
    }

    pub(super) async fn stock(self, fact: Fact<product::Stock>) -> Handled {
        self.hear(format!("{} {}", fact.event.sku, fact.event.available)).await
    }

    /// Others may come between, as when a handler asks the database.
    async fn hear(&self, what: String) -> Handled {
        tokio::task::yield_now().await;
        let mut heard = self.heard.lock().expect("no panic");
        let before = heard.iter().filter(|heard| **heard == what).count();
        let answer = (self.answer)(&what, before + 1);
        heard.push(what);
        answer
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }

    /// Waits until it heard something so often.
    pub(super) async fn heard_times(&self, what: &str, times: usize) {
        let what_for = format!("{what} heard {times} times");
        eventually(&what_for, SOON, async || {
            let heard = self.heard().iter().filter(|heard| *heard == what).count();
            (heard >= times).then_some(())
        })
        .await;
    }

    /// Waits until it heard all of these.
    pub(super) async fn heard_all(&self, whats: impl IntoIterator<Item = String>) {
        for what in whats {
            self.heard_times(&what, 1).await;
        }
    }
}

pub(super) fn order(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn shipped(number: u128, tracking: &str) -> order::Shipped {
    order::Shipped {
        order_id: order(number),
        carrier: "Post".to_owned(),
        tracking: tracking.to_owned(),
        parcel: 1,
        lines: Vec::new(),
        more_to_come: false,
    }
}

pub(super) fn delivered(number: u128) -> order::Delivered {
    order::Delivered { order_id: order(number) }
}

pub(super) fn stock(sku: &str, available: u32) -> product::Stock {
    product::Stock { sku: sku.parse().expect("a SKU"), available, ..product::Stock::sample() }
}

/// An event as the outbox keeps it.
pub(super) fn letter<E: Event>(event: &E, sequence: u64) -> Outgoing {
    let clock = Clock::system();
    let id = EventId::from_uuid(clock.uuid());
    let envelope = Envelope {
        specversion: "1.0".to_owned(),
        id,
        source: format!("/souk/{}", E::TYPE.publisher),
        event_type: E::TYPE.type_name(),
        subject: event.subject(),
        time: clock.now(),
        datacontenttype: "application/json".to_owned(),
        sequence: sequence_text(sequence),
        correlationid: "req".to_owned(),
        causationid: "req".to_owned(),
        traceparent: None,
        data: serde_json::value::to_raw_value(event).expect("JSON"),
    };
    Outgoing {
        id,
        stream: E::TYPE.stream(),
        nats_subject: E::TYPE.subject(&event.subject()),
        sequence,
        payload: serde_json::to_vec(&envelope).expect("JSON").into(),
    }
}

/// Tells it as a relay does: until the stream has it.
pub(super) async fn tell<E: Event>(bus: &Bus, event: &E, sequence: u64) -> Outgoing {
    let row = letter(event, sequence);
    eventually("the event told", SOON, async || bus.publish_fact(&row).await.ok()).await;
    row
}
