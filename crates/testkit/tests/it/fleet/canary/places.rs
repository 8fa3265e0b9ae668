//! Where the fleet writes to.

use std::path::Path;

use async_nats::jetstream;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::fleet::Service;

use super::super::shop::{SOON, Shop};

/// Names what nobody can read.
pub(super) const EVENT: &str = "evt_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
/// What is told with all that others may know, and read by somebody.
pub(super) const LETTERS: [&str; 4] =
    ["cart.checked_out.v1", "order.paid.v1", "order.shipped.v1", "payment.captured.v1"];

/// Somewhere to look.
pub(super) struct Place {
    pub(super) name: String,
    written: Vec<Vec<u8>>,
}

/// What JetStream says of itself from now on.
pub(super) struct Advisories {
    client: async_nats::Client,
    heard: async_nats::Subscriber,
}

impl Place {
    /// A place where this was written.
    pub(super) fn new<T: AsRef<[u8]>>(name: &str, written: impl IntoIterator<Item = T>) -> Self {
        let lower = |it: T| it.as_ref().to_ascii_lowercase();
        Self { name: name.to_owned(), written: written.into_iter().map(lower).collect() }
    }

    /// The log of every replica.
    pub(super) fn logs(dir: &Path) -> Self {
        let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
        let logs: Vec<_> = files
            .filter(|file| file.extension().is_some_and(|it| it == "log"))
            .filter(|file| {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                Service::ALL.iter().any(|service| name.starts_with(service.name()))
            })
            .map(|file| std::fs::read(file).unwrap())
            .collect();
        assert_eq!(logs.len(), 2 * Service::ALL.len(), "a log for each replica");
        Self::new("logs", logs)
    }

    /// The metrics of every replica, and how it is.
    pub(super) async fn metrics(shop: &Shop) -> Self {
        let mut pages = vec![];
        for service in Service::ALL {
            for number in 0..2 {
                for path in ["/metrics", "/health"] {
                    pages.push(shop.fleet.ops(service, number).get(path).await.ok().text);
                }
            }
        }
        Self::new("metrics", pages)
    }

    /// Every stream, each message with its subject and headers.
    pub(super) async fn streams(nats: &str) -> Vec<Self> {
        let jetstream = jetstream::new(async_nats::connect(nats).await.unwrap());
        let names: Vec<_> = jetstream.stream_names().map(Result::unwrap).collect().await;
        let mut streams = vec![];
        for name in names {
            let stream = jetstream.get_stream(&name).await.unwrap();
            let state = stream.cached_info().state.clone();
            let mut messages = vec![];
            for sequence in state.first_sequence..=state.last_sequence {
                // A newer state took the place of what is missing.
                let Ok(message) = stream.get_raw_message(sequence).await else { continue };
                let around = format!("{} {:?}\n", message.subject, message.headers);
                messages.push([around.as_bytes(), message.payload.as_ref()].concat());
            }
            assert_eq!(messages.len() as u64, state.messages, "{name} was not read whole");
            streams.push(Self::new(&format!("stream {name}"), messages));
        }
        streams
    }

    /// Whether this is written here, in whatever case.
    pub(super) fn finds(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Panics where this is written here, and shows where.
    pub(super) fn must_not_tell(&self, what: &str, canary: &str) {
        if let Some(found) = self.find(canary) {
            panic!("{} tell {what}: …{found}…", self.name);
        }
    }

    /// What is written here around this.
    fn find(&self, text: &str) -> Option<String> {
        let text = text.to_ascii_lowercase();
        self.written.iter().find_map(|written| {
            let written = String::from_utf8_lossy(written);
            let at = written.find(&text)?;
            let (from, to) = (at.saturating_sub(300), (at + text.len() + 100).min(written.len()));
            Some(String::from_utf8_lossy(&written.as_bytes()[from..to]).into_owned())
        })
    }
}

impl Advisories {
    pub(super) async fn follow(nats: &str) -> Self {
        let client = async_nats::connect(nats).await.unwrap();
        let heard = client.subscribe("$JS.EVENT.ADVISORY.>").await.unwrap();
        client.flush().await.unwrap();
        Self { client, heard }
    }

    /// What was said so far.
    pub(super) async fn heard(mut self) -> Place {
        self.client.flush().await.unwrap();
        self.heard.unsubscribe().await.unwrap();
        let said: Vec<_> = self.heard.map(|it| it.payload).collect().await;
        Place::new("advisories", said)
    }
}

/// Tells once more what was told, such that nobody can read it, until all of it is among the dead
/// letters.
pub(super) async fn letters_die(nats: &str) {
    let jetstream = jetstream::new(async_nats::connect(nats).await.unwrap());
    for letter in LETTERS {
        let (service, _) = letter.split_once('.').unwrap();
        let stream = jetstream.get_stream(service.to_ascii_uppercase()).await.unwrap();
        let told = stream.get_last_raw_message_by_subject(&format!("{letter}.*")).await.unwrap();
        let mut again: Value = serde_json::from_slice(&told.payload).unwrap();
        assert!(again["data"]["order_id"].is_string(), "{again}");
        (again["id"], again["data"]["order_id"]) = (json!(EVENT), json!(7));
        let again = jetstream.publish(told.subject, again.to_string().into());
        again.await.unwrap().await.unwrap();
        let dead = format!("dead.*.*.{}", letter.replace('.', "-"));
        eventually(&format!("{letter} is dead"), SOON, async || {
            let letters = jetstream.get_stream("DEAD").await.ok()?;
            letters.get_last_raw_message_by_subject(&dead).await.ok()
        })
        .await;
    }
}
