//! The streams of the shop, and how they come to be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use contracts::Kind;
use tracing::{info, warn};

use super::{Backoff, Bus};

/// Where dead letters rest.
pub(super) const DEAD: &str = "DEAD";
/// Where it is kept what operators did.
pub(super) const OPS: &str = "OPS";
const FACTS_STAY: Duration = Duration::from_hours(24 * 14);
/// A repeat that comes sooner is not stored again.
const REPEATS: Duration = Duration::from_mins(2);
/// What each stream may take of a thousandth of the store. Facts stay for 14 days: an order takes
/// about 5 KB of its own, 2 KB of its payment and 2 KB of its goods.
const SHARES: [(&str, u64); 9] = [
    ("ORDER", 400),
    ("PRODUCT", 200),
    ("PAYMENT", 180),
    ("CART", 90),
    ("AUTH", 40),
    ("PRODUCT_STATE", 40),
    ("DEAD", 30),
    ("OPS", 10),
    ("AUTH_STATE", 5),
];
/// What dead letters and acts may take where the store is not known.
const BOUNDED: [(&str, i64); 2] = [("DEAD", 256 << 20), ("OPS", 64 << 20)];
/// As the server writes that there is no bound.
const UNBOUNDED: i64 = -1;
const WAITING: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// Why a stream or a durable is not as it has to be.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// The server did not answer, or refused.
    #[error("{what} cannot be declared: {why}")]
    Refused {
        /// The stream, or the durable and its stream.
        what: String,
        /// What the server said.
        why: String,
    },
    /// It is missing, and this service may not declare it itself.
    #[error("{what} is missing: run `{service} --declare` with the rights to do so")]
    Missing {
        /// The stream, or the durable and its stream.
        what: String,
        /// The service that needs it.
        service: String,
    },
}

impl Bus {
    /// Waits until every stream of the shop is there; declares them, if that is allowed.
    pub async fn declared(&self) {
        let mut tries = 0;
        loop {
            self.connected().await;
            match self.declare_streams().await {
                Ok(()) => return,
                Err(error) => warn!(%error, "streams not there yet"),
            }
            tries += 1;
            tokio::time::sleep(WAITING.after(tries)).await;
        }
    }

    /// Declares every stream of the shop that is missing or lacks something, if that is allowed.
    pub(super) async fn declare_streams(&self) -> Result<(), DeclareError> {
        for wanted in self.streams() {
            self.declare_stream(wanted).await?;
        }
        Ok(())
    }

    /// Declares the stream of this name.
    pub(super) async fn declare_named(&self, stream: &str) -> Result<(), DeclareError> {
        match self.streams().into_iter().find(|wanted| wanted.name == stream) {
            Some(wanted) => self.declare_stream(wanted).await,
            None => Err(refused(stream, "no publisher has such a stream")),
        }
    }

    fn streams(&self) -> Vec<Config> {
        streams(self.config.replicas, self.config.stream_store)
    }

    async fn declare_stream(&self, wanted: Config) -> Result<(), DeclareError> {
        let name = wanted.name.clone();
        match self.jetstream.get_stream(&name).await {
            Ok(found) => self.grow(&found.cached_info().config, &wanted).await,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error) if is_missing(&error) => {
                    self.may_declare(&name)?;
                    self.create_stream(wanted).await
                }
                _ => Err(refused(&name, &error)),
            },
        }
    }

    async fn grow(&self, found: &Config, wanted: &Config) -> Result<(), DeclareError> {
        match grown(found, wanted) {
            Some(grown) if self.config.declare => self.update_stream(grown).await,
            // What it has too much is for others to see to; what it lacks cannot be told.
            Some(grown) if grown.subjects != found.subjects => {
                self.may_declare(&format!("a subject of {}", found.name))
            }
            _ => Ok(()),
        }
    }

    async fn create_stream(&self, wanted: Config) -> Result<(), DeclareError> {
        let name = wanted.name.clone();
        match self.jetstream.create_stream(wanted).await {
            Ok(_) => info!(stream = name, "stream declared"),
            // Another service was faster, and knew other types than this one: look again.
            Err(error) if is_taken(&error.kind()) => {
                return Err(refused(&name, "another declared it just now"));
            }
            Err(error) => return Err(refused(&name, &error)),
        }
        Ok(())
    }

    async fn update_stream(&self, grown: Config) -> Result<(), DeclareError> {
        let name = grown.name.clone();
        let updated = self.jetstream.update_stream(grown).await;
        updated.map_err(|error| refused(&name, &error))?;
        info!(stream = name, "stream grown");
        Ok(())
    }

    /// Errs unless the service holds the right to declare.
    pub(super) fn may_declare(&self, what: &str) -> Result<(), DeclareError> {
        if self.config.declare {
            return Ok(());
        }
        let service = self.config.service.clone();
        Err(DeclareError::Missing { what: what.to_owned(), service })
    }
}

pub(super) fn refused(what: &str, why: &(impl ToString + ?Sized)) -> DeclareError {
    DeclareError::Refused { what: what.to_owned(), why: why.to_string() }
}

/// Whether the server says that there is no such stream.
pub(super) fn is_missing(error: &jetstream::Error) -> bool {
    error.error_code() == ErrorCode::STREAM_NOT_FOUND
}

fn is_taken(error: &CreateStreamErrorKind) -> bool {
    matches!(error, CreateStreamErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STREAM_NAME_EXIST)
}

/// Every stream of the shop, as it has to be.
fn streams(replicas: usize, store: Option<u64>) -> Vec<Config> {
    let mut subjects = BTreeMap::<_, Vec<_>>::new();
    for described in contracts::catalogue() {
        let event_type = described.event_type;
        let told =
            subjects.entry((event_type.stream(), event_type.kind == Kind::Fact)).or_default();
        told.push(event_type.filter());
    }
    let told = subjects.into_iter().map(|((name, facts), subjects)| {
        if facts { fact_stream(name, subjects) } else { state_stream(name, subjects) }
    });
    told.chain([dead_stream(), ops_stream()])
        .map(|stream| {
            let max_bytes = max_bytes(&stream.name, store);
            Config { num_replicas: replicas, max_bytes, ..stream }
        })
        .collect()
}

/// What a stream may take, in bytes.
fn max_bytes(stream: &str, store: Option<u64>) -> i64 {
    let bounded = || BOUNDED.iter().find(|(name, _)| *name == stream).map(|(_, bytes)| *bytes);
    let share = |store: u64| {
        let (_, share) = SHARES.iter().find(|(name, _)| *name == stream)?;
        i64::try_from(store / 1_000 * share).ok()
    };
    store.map_or_else(bounded, share).unwrap_or(UNBOUNDED)
}

/// A full stream refuses what is told, and the outbox holds it.
fn fact_stream(name: String, subjects: Vec<String>) -> Config {
    Config { max_age: FACTS_STAY, ..stream(name, subjects) }
}

/// Only the newest of each aggregate stays, for ever.
fn state_stream(name: String, subjects: Vec<String>) -> Config {
    Config {
        max_messages_per_subject: 1,
        discard: DiscardPolicy::Old,
        allow_direct: true,
        ..stream(name, subjects)
    }
}

/// What operators did; a full stream lets go of the oldest.
fn ops_stream() -> Config {
    let subjects = vec!["ops_log.>".to_owned()];
    Config { discard: DiscardPolicy::Old, ..stream(OPS.to_owned(), subjects) }
}

/// A letter rests until it was handled after all, and no longer; a full stream lets go of the
/// oldest, as consumers go on only when the letter is stored.
fn dead_stream() -> Config {
    Config {
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::Old,
        ..stream(DEAD.to_owned(), vec!["dead.>".to_owned()])
    }
}

fn stream(name: String, subjects: Vec<String>) -> Config {
    Config {
        name,
        subjects,
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        duplicate_window: REPEATS,
        max_messages_per_subject: UNBOUNDED,
        max_bytes: UNBOUNDED,
        ..Config::default()
    }
}

/// What the stream has to become; none when it is well.
///
/// Subjects are only added: a newer version of a service may tell what this one does not know.
/// What would tell elsewhere, or bring in from elsewhere, is taken out.
fn grown(found: &Config, wanted: &Config) -> Option<Config> {
    let known: BTreeSet<_> = found.subjects.iter().collect();
    let new = wanted.subjects.iter().filter(|subject| !known.contains(subject));
    let grown = Config {
        subjects: found.subjects.iter().chain(new).cloned().collect(),
        max_age: wanted.max_age,
        max_messages_per_subject: wanted.max_messages_per_subject,
        // Where the store is not known here, another service may know it.
        max_bytes: if wanted.max_bytes > 0 { wanted.max_bytes } else { found.max_bytes },
        discard: wanted.discard,
        duplicate_window: wanted.duplicate_window,
        allow_direct: wanted.allow_direct,
        num_replicas: wanted.num_replicas,
        republish: None,
        sources: None,
        subject_transform: None,
        ..found.clone()
    };
    (grown != *found).then_some(grown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Config {
        streams(1, None).into_iter().find(|stream| stream.name == name).unwrap()
    }

    #[test]
    fn every_publisher_has_its_streams() {
        let names: Vec<_> = streams(1, None).into_iter().map(|stream| stream.name).collect();

        let expected = "AUTH AUTH_STATE CART ORDER PAYMENT PRODUCT PRODUCT_STATE DEAD OPS";
        assert_eq!(names.join(" "), expected);
        assert!(named("ORDER").subjects.contains(&"order.placed.v1.*".to_owned()));
        assert_eq!(named("AUTH_STATE").subjects, ["auth.keys.v1.*"]);
    }

    #[test]
    fn shares_of_all_streams_fit_the_store() {
        let store = 8 << 30;

        let bounds: Vec<_> = streams(1, Some(store)).into_iter().map(|it| it.max_bytes).collect();

        assert!(bounds.iter().all(|bound| *bound >= 32 << 20), "{bounds:?}");
        assert!(bounds.iter().sum::<i64>() <= 8 << 30, "{bounds:?}");
    }

    #[test]
    fn dead_letters_and_acts_are_always_bounded() {
        for name in [DEAD, OPS] {
            assert!(named(name).max_bytes > 0, "{name}");
            assert_eq!(named(name).discard, DiscardPolicy::Old, "{name}");
        }
        assert_eq!(named("ORDER").max_bytes, UNBOUNDED);
    }

    #[test]
    fn bound_of_another_service_stays() {
        let found = Config { max_bytes: 4_000, ..named("ORDER") };

        assert_eq!(grown(&found, &named("ORDER")), None);
    }

    #[test]
    fn a_stream_never_forgets_what_a_newer_service_tells() {
        let mut found = named("ORDER");
        found.subjects.push("order.placed.v2.*".to_owned());

        assert_eq!(grown(&found, &named("ORDER")), None);
    }

    #[test]
    fn a_stream_takes_new_types_and_drops_what_leads_elsewhere() {
        let mut found = named("ORDER");
        found.subjects.pop();
        found.republish = Some(async_nats::jetstream::stream::Republish {
            source: ">".to_owned(),
            destination: "payment.captured.v1.>".to_owned(),
            headers_only: false,
        });

        let grown = grown(&found, &named("ORDER")).unwrap();

        assert_eq!(grown.subjects, named("ORDER").subjects);
        assert_eq!(grown.republish, None);
    }
}
