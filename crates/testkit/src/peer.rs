//! The other services, as the one under test hears them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::{self, Context};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::{Keys, PublicKey, Role};
use contracts::{Envelope, Event, EventId, SessionId, Timestamp, UserId, sequence_text};
use serde_json::json;
use uuid::Uuid;

use crate::{Forger, World, eventually, now};

const SOON: Duration = Duration::from_mins(1);
const KEY: &str = "test-key";
const SECRET: [u8; 32] = [7; 32];

/// Tells events as another service would, hears what the one under test tells, and signs tokens as
/// auth does.
#[derive(Debug)]
pub struct Peer {
    jetstream: Context,
    key: Ed25519KeyPair,
    told: AtomicU64,
}

impl Peer {
    /// Joins the bus of a world.
    ///
    /// # Panics
    /// When the nats-server cannot be reached.
    pub async fn join(world: &World) -> Self {
        let client = async_nats::connect(world.nats().url()).await.expect("nats-server runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&SECRET).expect("32 bytes are a seed");
        Self { jetstream: jetstream::new(client), key, told: AtomicU64::new(0) }
    }

    /// Tells which key signs, as auth does: tokens of [`Peer::token`] are good from then on.
    pub async fn tell_keys(&self) {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref());
        let not_before = Timestamp::from_millis(0).expect("1970 is a time");
        let key = PublicKey { kid: KEY.into(), x, not_before, not_after: None };
        self.tell(&Keys { set: "current".into(), keys: vec![key] }).await;
    }

    /// An access token of this person, good for five minutes.
    pub fn token(&self, person: UserId, role: Role) -> String {
        self.token_of(person, role, SessionId::from_uuid(fresh()))
    }

    /// An access token of this person in this session, good for five minutes.
    pub fn token_of(&self, person: UserId, role: Role, session: SessionId) -> String {
        let now = now().as_millis() / 1000;
        self.signed(json!({
            "iss": "souk", "aud": "souk", "sub": person, "sid": session, "role": role,
            "iat": now, "nbf": now, "exp": now + 300,
        }))
    }

    /// An access token of a shopper who was this guest a moment ago.
    pub fn token_merged_from(&self, guest: UserId, person: UserId) -> String {
        let (now, session) = (now().as_millis() / 1000, SessionId::from_uuid(fresh()));
        self.signed(json!({
            "iss": "souk", "aud": "souk", "sub": person, "sid": session, "role": Role::Shopper,
            "iat": now, "nbf": now, "exp": now + 300, "merged_from": guest,
        }))
    }

    fn signed(&self, claims: serde_json::Value) -> String {
        let head = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KEY });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(head), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Somebody who has the key of [`Peer::tell_keys`], at a time by the clock of whom they ask.
    pub fn forger(&self, now: Timestamp) -> Forger {
        Forger::new(KEY, &SECRET, now)
    }

    /// Tells something, once; gives the envelope, so that it can be told again.
    pub async fn tell<E: Event>(&self, event: &E) -> Envelope {
        let sequence = self.told.fetch_add(1, Ordering::Relaxed) + 1;
        let envelope = envelope(event, sequence);
        self.tell_again::<E>(&envelope).await;
        envelope
    }

    /// Tells the same once more, as a broker that redelivers, or a replay.
    ///
    /// # Panics
    /// When the stream is not there soon.
    pub async fn tell_again<E: Event>(&self, envelope: &Envelope) {
        let subject = E::TYPE.subject(&envelope.subject);
        let payload = serde_json::to_vec(envelope).expect("an envelope is JSON");
        eventually(&format!("{subject} is told"), SOON, async || {
            let sent = self.jetstream.publish(subject.clone(), payload.clone().into()).await;
            sent.ok()?.await.ok().map(drop)
        })
        .await;
    }

    /// Everything of one type that was told about an aggregate so far, in order.
    ///
    /// # Panics
    /// When the stream cannot be read.
    pub async fn told<E: Event>(&self, aggregate: impl ToString) -> Vec<E> {
        let aggregate = aggregate.to_string();
        let of_it = self.envelopes(&E::TYPE.stream()).await.into_iter();
        let of_it = of_it.filter(|envelope| envelope.subject == aggregate);
        of_it.filter_map(|envelope| envelope.open().ok()).collect()
    }

    /// What is told of one type about an aggregate, as soon as something is.
    pub async fn hears<E: Event>(&self, aggregate: impl ToString) -> E {
        let aggregate = aggregate.to_string();
        let what = format!("{} of {aggregate}", E::TYPE.type_name());
        eventually(&what, SOON, async || self.told::<E>(&aggregate).await.pop()).await
    }

    /// Replaces the last message of a subject, as any user that may publish at all can: the server
    /// sends the acknowledgement of a publish to the subject that it names as its reply.
    ///
    /// # Panics
    /// When the nats-server cannot be reached.
    pub async fn evict(&self, subject: &str) {
        let client = self.jetstream.client();
        let sent =
            client.publish_with_reply("cart.checked_out.v1.x", subject.to_owned(), "{}".into());
        sent.await.expect("nats-server runs");
        client.flush().await.expect("nats-server runs");
    }

    /// Takes all messages from a stream.
    ///
    /// # Panics
    /// When the stream cannot be purged.
    pub async fn purge(&self, stream: &str) {
        let stream = self.jetstream.get_stream(stream).await.expect("the stream is declared");
        stream.purge().await.expect("it is purged");
    }

    /// Everything that is in a stream, in order.
    ///
    /// # Panics
    /// When the stream cannot be read.
    pub async fn envelopes(&self, stream: &str) -> Vec<Envelope> {
        let stream = self.jetstream.get_stream(stream).await.expect("the stream is declared");
        let state = stream.cached_info().state.clone();
        let mut envelopes = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            envelopes.extend(Envelope::parse(&message.payload));
        }
        envelopes
    }

    /// How many dead letters there are.
    ///
    /// # Panics
    /// When their stream cannot be read.
    pub async fn dead_letters(&self) -> u64 {
        let stream = self.jetstream.get_stream("DEAD").await.expect("the stream is declared");
        stream.cached_info().state.messages
    }
}

fn envelope<E: Event>(event: &E, sequence: u64) -> Envelope {
    let id = EventId::from_uuid(fresh());
    Envelope {
        specversion: "1.0".into(),
        id,
        source: format!("/souk/{}", E::TYPE.publisher),
        event_type: E::TYPE.type_name(),
        subject: event.subject(),
        time: now(),
        datacontenttype: "application/json".into(),
        sequence: sequence_text(sequence),
        correlationid: id.to_string(),
        causationid: id.to_string(),
        traceparent: None,
        data: serde_json::value::to_raw_value(event).expect("an event is JSON"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a peer has no service's clock")]
fn fresh() -> Uuid {
    Uuid::now_v7()
}
