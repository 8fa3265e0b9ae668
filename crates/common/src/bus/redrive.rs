//! Dead letters, looked at and handled anew.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subject;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::stream::ConsumerErrorKind;
use async_nats::jetstream::{AckKind, ErrorCode, Message};
use bytes::Bytes;
use contracts::{Envelope, EventId, Timestamp};
use futures_util::TryStreamExt as _;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::dead::{AUTOMATIC, REDRIVE, plain};
use super::routes::{Routes, open};
use super::step::step;
use super::streams::{DEAD, DeclareError, refused};
use super::{Bus, Handled, Subscription, Trouble};

/// How many letters are taken at once; each may have a megabyte.
const PAGE: usize = 32;
const ANSWER: Duration = Duration::from_secs(5);
/// For so long nobody else gets what was taken and not put back; longer than one handling.
const HELD: Duration = Duration::from_mins(2);

/// An event that was given up.
pub struct DeadLetter {
    /// The event; none when what was heard is no event.
    pub id: Option<EventId>,
    /// Who gave it up, such as `order-saga`.
    pub consumer: String,
    /// Whether it is handled anew automatically.
    pub is_parked: bool,
    /// When it died; none when that cannot be read.
    pub died_at: Option<Timestamp>,
    /// Names it as long as it is there.
    pub place: u64,
    nats_subject: String,
    reason: String,
    died: String,
    payload: Bytes,
    reply: Subject,
}

/// The dead letters of a service while somebody goes through them.
///
/// What is taken is nobody else's until it is put back, or for two minutes.
pub struct DeadLetters {
    bus: Bus,
    durable: PullConsumer,
    handlers: Vec<(Arc<str>, Routes)>,
    seen: HashSet<u64>,
    kept: Vec<Subject>,
}

/// Why dead letters were not handled anew.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// Nobody here gave it up, or it was handled since.
    #[error("no dead letter of {0} here")]
    NotDead(EventId),
    /// There is no such consumer here, nor a letter of it.
    #[error("no consumer {0} here")]
    Unknown(String),
    /// They may be among those.
    #[error("another redrive holds {0} letters, or was cut off over them: repeat in two minutes")]
    Held(usize),
    /// They failed again.
    #[error("{0} could not be handled, and stay dead")]
    StillDead(usize),
    /// The server did not answer, or refused.
    #[error("dead letters cannot be read: {0}")]
    Unread(String),
    /// Handled, but the letter may still rest there; a repeat is harmless.
    #[error("handled, but the server does not know")]
    Unsettled,
    /// It failed again.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl Bus {
    /// Declares the durable by which this service's dead letters are taken.
    pub(super) async fn declare_redrive(&self) -> Result<(), DeclareError> {
        let name = self.redrive_durable();
        let what = format!("durable {name} on {DEAD}");
        let found: Result<PullConsumer, _> =
            self.jetstream.get_consumer_from_stream(&name, DEAD).await;
        match found.map_err(|error| (error.kind(), error)) {
            Ok(_) => return Ok(()),
            Err((ConsumerErrorKind::JetStream(error), _))
                if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND =>
            {
                self.may_declare(&what)?;
            }
            Err((_, error)) => return Err(refused(&what, &error)),
        }
        let wanted = Config {
            durable_name: Some(name),
            filter_subject: format!("dead.{}.>", self.config.service),
            ack_policy: AckPolicy::Explicit,
            ack_wait: HELD,
            max_ack_pending: -1,
            max_deliver: -1,
            ..Config::default()
        };
        let created = self.jetstream.create_consumer_on_stream(wanted, DEAD).await;
        created.map(drop).map_err(|error| refused(&what, &error))
    }

    /// Begins to go through the dead letters of this service, for the handlers of these
    /// subscriptions.
    pub async fn dead_letters(
        &self,
        subscriptions: &[Subscription],
    ) -> Result<DeadLetters, RedriveError> {
        let found = self.jetstream.get_consumer_from_stream(self.redrive_durable(), DEAD).await;
        let handlers = Subscription::merged(subscriptions.to_vec()).into_iter();
        let handlers = handlers.filter_map(|subscription| {
            Some((subscription.consumer(&self.config.service)?, subscription.routes))
        });
        Ok(DeadLetters {
            bus: self.clone(),
            durable: found.map_err(|error| unread(&error))?,
            handlers: handlers.collect(),
            seen: HashSet::new(),
            kept: Vec::new(),
        })
    }

    /// How many dead letters this service has.
    pub(crate) async fn count_dead_letters(&self) -> Result<u64, RedriveError> {
        let found: Result<PullConsumer, _> =
            self.jetstream.get_consumer_from_stream(self.redrive_durable(), DEAD).await;
        let found = found.map_err(|error| unread(&error))?;
        let info = found.cached_info();
        Ok(info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or(0))
    }

    fn redrive_durable(&self) -> String {
        format!("{}-redrive", self.config.service)
    }
}

impl DeadLetters {
    /// Whether this service has such a consumer.
    pub fn has(&self, consumer: &str) -> bool {
        self.handlers.iter().any(|(name, _)| **name == *consumer)
    }

    /// Takes those that come next; none at the end. Each is to be kept or redriven.
    pub async fn take(&mut self) -> Result<Vec<DeadLetter>, RedriveError> {
        let taking = async {
            let page = self.durable.fetch().max_messages(PAGE).messages().await;
            let page = page.map_err(|error| unread(&error))?;
            page.try_collect::<Vec<_>>().await.map_err(|error| unread(&error))
        };
        let page = timeout(ANSWER, taking).await.map_err(|late| unread(&late))??;
        let letters = page.iter().filter_map(DeadLetter::read);
        // What comes twice was held for long, and is in hand.
        Ok(letters.filter(|letter| self.seen.insert(letter.place)).collect())
    }

    /// Leaves a letter as it is.
    pub fn keep(&mut self, letter: DeadLetter) {
        self.kept.push(letter.reply);
    }

    /// Lets the handler of its consumer handle a letter anew, once; only then the letter is gone.
    /// When the event was handled before, its receipt makes this nothing.
    pub async fn redrive(&mut self, letter: DeadLetter) -> Result<(), RedriveError> {
        let redriven = match self.handle(&letter).await {
            Ok(()) if self.bus.settle(letter.reply.clone(), AckKind::Ack).await => return Ok(()),
            Ok(()) => Err(RedriveError::Unsettled),
            Err(trouble) => Err(trouble.into()),
        };
        self.keep(letter);
        redriven
    }

    async fn handle(&self, letter: &DeadLetter) -> Handled {
        let found = self.handlers.iter().find(|(name, _)| **name == *letter.consumer);
        let none = || Trouble::Wait("this version has no such consumer".to_owned());
        let (consumer, routes) = found.ok_or_else(none)?;
        let envelope = open(&letter.nats_subject, &letter.payload).map_err(Trouble::Reject)?;
        let span = step(&envelope, consumer, None);
        let bound = self.bus.config.patience.handling;
        routes.hear(consumer, envelope, bound).instrument(span).await
    }

    /// How many letters another redrive has taken.
    pub async fn taken_elsewhere(&mut self) -> Result<usize, RedriveError> {
        let info = self.durable.info().await.map_err(|error| unread(&error))?;
        Ok(info.num_ack_pending.saturating_sub(self.kept.len()))
    }

    /// Puts back what was kept; returns how many letters another redrive has taken.
    pub async fn put_back(mut self) -> Result<usize, RedriveError> {
        let elsewhere = self.taken_elsewhere().await?;
        for reply in self.kept {
            self.bus.settle(reply, AckKind::Nak(None)).await;
        }
        Ok(elsewhere)
    }
}

impl DeadLetter {
    fn read(message: &Message) -> Option<Self> {
        let said = |name: &str| {
            let said = message.headers.as_ref().and_then(|headers| headers.get(name));
            said.map(|said| plain(said.as_str())).unwrap_or_default()
        };
        Some(Self {
            id: Envelope::parse(&message.payload).ok().map(|envelope| envelope.id),
            consumer: said("Souk-Consumer"),
            is_parked: said(REDRIVE) == AUTOMATIC,
            died_at: said("Souk-Time").parse().ok(),
            nats_subject: said("Souk-Subject"),
            reason: said("Souk-Reason"),
            died: said("Souk-Time"),
            payload: message.payload.clone(),
            place: message.info().ok()?.stream_sequence,
            reply: message.reply.clone()?,
        })
    }
}

impl fmt::Display for DeadLetter {
    /// One line, without what the event tells.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { consumer, nats_subject, reason, died, .. } = self;
        let (event_type, subject) = nats_subject.rsplit_once('.').unwrap_or((nats_subject, "-"));
        let id = self.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        write!(f, "{died} {consumer} {event_type} {id} {subject}: {reason}")
    }
}

fn unread(why: &(impl ToString + ?Sized)) -> RedriveError {
    RedriveError::Unread(why.to_string())
}
