//! The consuming of one type of event by every replica: in order, from where it was, without a
//! place that the server keeps.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{ConsumerCreateStrictErrorKind as ErrorKind, Info};
use contracts::EventType;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, warn};

use super::durable::{dashed, seconds};
use super::pull::{Lost, Pull};
use super::routes::{Routes, open};
use super::step::step;
use super::streams::{is_missing, refused};
use super::subscription::From;
use super::{Backoff, Bus};
use crate::crash::{Point, point};

const AT_ONCE: usize = 256;
const RECOVERY: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
/// The server forgets the consumer of a replica that is gone.
const FORGOTTEN: Duration = Duration::from_mins(1);

/// Hears one type of event.
pub(super) struct Listener {
    pub(super) bus: Bus,
    pub(super) consumer: Arc<str>,
    /// Of this replica alone.
    pub(super) name: String,
    pub(super) event_type: EventType,
    pub(super) from: From,
    pub(super) routes: Routes,
    /// Tells when everything was heard that was there when it began.
    pub(super) caught_up: watch::Sender<bool>,
    pub(super) place: Option<Place>,
}

/// How far a listener came, in the stream as it was created then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    created: OffsetDateTime,
    next: u64,
}

/// The name of the consumer by which a replica listens to a type: one that rights can name.
pub(super) fn name(bus: &Bus, event_type: EventType, number: u32) -> String {
    let service = &bus.config.service;
    let name = format!("{service}-{}-{}", dashed(&event_type), bus.config.instance);
    if number == 1 { name } else { format!("{name}-{number}") }
}

impl Listener {
    /// Listens until it is stopped.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut failures = 0;
        let listening = async {
            loop {
                let Err(lost) = self.session(&mut failures).await;
                failures += 1;
                warn!(consumer = %self.consumer, event_type = %self.event_type.type_name(), %lost, "listener lost");
                sleep(RECOVERY.after(failures)).await;
            }
        };
        stop.run_until_cancelled(Box::pin(listening)).await;
    }

    async fn session(&mut self, failures: &mut u32) -> Result<Infallible, Lost> {
        self.bus.connected().await;
        let stream = self.stream().await?;
        let consumer = self.begin(&stream).await?;
        if consumer.cached_info().num_pending == 0 {
            self.caught_up.send_replace(true);
        }
        let mut pull = Pull::open(&self.bus, consumer).await?;
        *failures = 0;
        loop {
            if pull.asked() <= AT_ONCE / 2 {
                pull.ask(AT_ONCE - pull.asked()).await?;
            }
            let Some(message) = pull.next().await? else { continue };
            let (next, pending) = {
                let info = message.info().map_err(|error| Lost::Refused(error.to_string()))?;
                (info.stream_sequence + 1, info.pending)
            };
            self.hear(&message).await;
            point(Point::Broadcast);
            self.place = Some(Place { created: stream.created, next });
            if pending == 0 {
                self.caught_up.send_replace(true);
            }
        }
    }

    /// How the stream is now; declares it when it is missing.
    async fn stream(&self) -> Result<Info, Lost> {
        let name = self.event_type.stream();
        match self.bus.jetstream.get_stream(&name).await {
            Ok(stream) => return Ok(stream.cached_info().clone()),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error) if is_missing(&error) => {}
                _ => return Err(refused(&name, &error).into()),
            },
        }
        self.bus.may_declare(&name)?;
        self.bus.declare_named(&name).await?;
        let stream = self.bus.jetstream.get_stream(&name).await;
        Ok(stream.map_err(|error| refused(&name, &error))?.cached_info().clone())
    }

    /// Creates a consumer that goes on where the listener was, or begins.
    async fn begin(&mut self, stream: &Info) -> Result<PullConsumer, Lost> {
        let end = stream.state.last_sequence + 1;
        // A stream that was made anew, or lost its end: all begins anew.
        let place = self.place.filter(|at| at.created == stream.created && at.next <= end);
        let deliver_policy = match (place, self.from) {
            (Some(place), _) => DeliverPolicy::ByStartSequence { start_sequence: place.next },
            (None, From::LastPerSubject) => DeliverPolicy::LastPerSubject,
            (None, From::Ago(ago)) => DeliverPolicy::ByStartTime { start_time: self.ago(ago) },
            (None, From::Now) => DeliverPolicy::ByStartSequence { start_sequence: end },
        };
        if self.from == From::Now && place.is_none() {
            self.place = Some(Place { created: stream.created, next: end });
        }
        self.create(deliver_policy).await
    }

    /// Creates this replica's consumer. An earlier one may have sent what never arrived: it goes.
    async fn create(&self, deliver_policy: DeliverPolicy) -> Result<PullConsumer, Lost> {
        let (jetstream, stream) = (&self.bus.jetstream, self.event_type.stream());
        let config = Config { deliver_policy, ..self.config() };
        let name = &self.name;
        let mut created = jetstream.create_consumer_strict_on_stream(config.clone(), &stream).await;
        if created.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
            let deleted = jetstream.delete_consumer_from_stream(name, &stream).await;
            deleted.map_err(|error| refused(name, &error))?;
            created = jetstream.create_consumer_strict_on_stream(config, &stream).await;
        }
        Ok(created.map_err(|error| refused(name, &error))?)
    }

    fn config(&self) -> Config {
        Config {
            name: Some(self.name.clone()),
            // Makes it another than an earlier one that is alike.
            metadata: HashMap::from([("session".to_owned(), self.bus.clock.uuid().to_string())]),
            filter_subject: self.event_type.filter(),
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        }
    }

    fn ago(&self, ago: Duration) -> OffsetDateTime {
        seconds(self.bus.clock.now().minus(ago))
    }

    async fn hear(&self, message: &Message) {
        let envelope = match open(&message.subject, &message.payload) {
            Ok(envelope) => envelope,
            Err(why) => {
                warn!(subject = %message.subject, why, "event not heard");
                return;
            }
        };
        let span = step(&envelope, &self.consumer, None);
        let bound = self.bus.config.patience.handling;
        let heard = self.routes.hear(&self.consumer, envelope, bound).instrument(span).await;
        if let Err(trouble) = heard {
            warn!(subject = %message.subject, %trouble, "event not heard");
        }
    }
}
