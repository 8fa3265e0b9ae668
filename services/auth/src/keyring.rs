//! The keys that this replica signs access tokens with.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::bus::Bus;
use common::identity::{Claims, Identity};
use common::store::{Cause, One, Receipt, Retold as _, Store, StoreError, UpdateError};
use common::{Change, Service};
use contracts::auth::Keys;
use contracts::{Event as _, SessionId, Timestamp, UserId};
use jsonwebtoken::EncodingKey;
use tracing::{info, warn};

use crate::domain::{Configured, Digest, KeySet, PublicHalf, User};

/// How often it is made sure that everybody trusts the key in use.
const ROUND: Duration = Duration::from_mins(1);
/// How often it is looked whether the key to sign with next is published.
const LOOK: Duration = Duration::from_secs(1);

/// The keys a replica is configured with.
#[derive(Clone, Debug)]
pub(crate) struct SigningKeys {
    current: SigningKey,
    previous: Option<SigningKey>,
}

/// An Ed25519 key pair. `Debug` shows its name alone.
#[derive(Clone)]
struct SigningKey {
    public: PublicHalf,
    private: EncodingKey,
}

/// Signs access tokens, and sees to it that everybody can check them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Keyring(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Bus,
    identity: Identity,
    keys: SigningKeys,
    /// When the current key begins to sign; none before it is published.
    from: Mutex<Option<Timestamp>>,
    life: Duration,
}

/// An access token as its owner gets it.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    /// How long it is good for.
    pub(crate) life: Duration,
}

/// A token that could not be signed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Unsigned(#[from] jsonwebtoken::errors::Error);

impl Keyring {
    /// Makes the keys known: told to everybody, and trusted by this replica at once.
    pub(crate) async fn open(
        service: &Service,
        keys: SigningKeys,
        life: Duration,
    ) -> Result<Self, UpdateError<Infallible>> {
        let store = service.store();
        store.collection_of::<KeySet>().await?;
        let with = keys.configured();
        let set = change(&store, move |known, now| KeySet::configure(known, &with, now)).await?;
        let from = set.signs_from(&keys.current.public);
        let (bus, identity) = (service.bus(), service.identity());
        let keyring =
            Self(Arc::new(Inner { store, bus, identity, keys, from: Mutex::new(from), life }));
        keyring.trust().await?;
        info!(kid = keyring.0.keys.current.public.kid, signs.from = ?from, "signing key known");
        Ok(keyring)
    }

    /// A token for this person's sign-in, good from now on. The first one says which guest they were
    /// until a moment ago.
    pub(crate) fn sign(
        &self,
        user: &User,
        session: SessionId,
        merged_from: Option<UserId>,
    ) -> Result<AccessToken, Unsigned> {
        let (now, life) = (self.0.store.clock().now(), self.0.life);
        let claims = Claims::new(user.id, session, user.role, now);
        let mut claims = Claims { merged_from, ..claims };
        claims.exp = claims.iat.saturating_add_unsigned(life.as_secs());
        let key = self.in_use(now);
        let text = claims.signed(&key.public.kid, &key.private)?;
        Ok(AccessToken { text, life })
    }

    /// All keys that are trusted now.
    pub(crate) async fn trusted(&self) -> Result<Option<KeySet>, StoreError> {
        let set = self.0.store.get::<KeySet>(&KeySet::ID).await?;
        Ok(set.map(|stored| stored.value))
    }

    /// Makes sure, again and again, that the key that this replica signs with stays trusted.
    pub(crate) async fn mind(self) {
        loop {
            tokio::time::sleep(ROUND).await;
            if let Err(error) = self.keep().await {
                warn!(%error, "signing key could not be kept");
            }
        }
    }

    async fn keep(&self) -> Result<(), UpdateError<Infallible>> {
        let key = self.in_use(self.0.store.clock().now()).public.clone();
        change(&self.0.store, move |known, now| KeySet::keep(known, &key, now)).await?;
        Ok(self.trust().await?)
    }

    /// Looks until the current key is in the stream of keys, and notes when it was first seen there:
    /// before, no other service can know it.
    pub(crate) async fn note_publication(self) {
        while self.signs_from().is_none() {
            match self.look_for_publication().await {
                Ok(from) => *self.from() = from,
                Err(error) => warn!(%error, "publication of the signing key not seen"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look_for_publication(&self) -> anyhow::Result<Option<Timestamp>> {
        let (bus, key) = (&self.0.bus, self.0.keys.current.public.clone());
        if !bus.is_connected() {
            return Ok(None);
        }
        let subject = Keys::TYPE.subject(KeySet::ID);
        let last = bus.last_event(&Keys::TYPE.stream(), &subject).await?;
        let published = last.and_then(|event| event.open::<Keys>().ok());
        if !published.is_some_and(|set| set.keys.iter().any(|it| it.kid == key.kid)) {
            return Ok(None);
        }
        let (kid, seen) = (key.kid.clone(), key.clone());
        let set = change(&self.0.store, move |known, now| KeySet::seen(known, &seen, now)).await?;
        let from = set.signs_from(&key);
        info!(kid, signs.from = ?from, "signing key published");
        Ok(from)
    }

    fn signs_from(&self) -> Option<Timestamp> {
        *self.from()
    }

    fn from(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.0.from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets this replica trust the keys as they are stored: the bus brings them later.
    async fn trust(&self) -> Result<(), StoreError> {
        if let Some(set) = self.0.store.get::<KeySet>(&KeySet::ID).await? {
            self.0.identity.install(&set.state(), set.sequence());
        }
        Ok(())
    }

    fn in_use(&self, now: Timestamp) -> &SigningKey {
        let SigningKeys { current, previous } = &self.0.keys;
        let waits = self.signs_from().is_none_or(|from| now < from);
        previous.as_ref().filter(|_| waits).unwrap_or(current)
    }
}

impl SigningKeys {
    /// The key pairs that these secrets yield, the same in every replica.
    pub(crate) fn derive(current: &str, previous: Option<&str>) -> Self {
        let current = SigningKey::derive(current);
        let previous = previous.map(SigningKey::derive);
        let previous = previous.filter(|previous| previous.public != current.public);
        Self { current, previous }
    }

    fn configured(&self) -> Configured {
        Configured {
            current: self.current.public.clone(),
            previous: self.previous.as_ref().map(|key| key.public.clone()),
        }
    }
}

impl SigningKey {
    fn derive(secret: &str) -> Self {
        let drawn = Salt::new(HKDF_SHA256, b"souk access tokens").extract(secret.as_bytes());
        let mut seed = [0; 32];
        drawn
            .expand(&[b"ed25519"], HKDF_SHA256)
            .and_then(|key| key.fill(&mut seed))
            .expect("HKDF yields 32 bytes");
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 bytes are a seed");
        let pkcs8 = pair.to_pkcs8v1().expect("a key pair can be written");
        let public = PublicHalf::of(pair.public_key().as_ref());
        Self { public, private: EncodingKey::from_ed_der(pkcs8.as_ref()) }
    }
}

impl PublicHalf {
    /// The public half of these 32 bytes, named by its thumbprint (RFC 7638; RFC 8037, appendix
    /// A.3).
    fn of(public: &[u8]) -> Self {
        let x = URL_SAFE_NO_PAD.encode(public);
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        Self { kid: Digest::of(jwk.as_bytes()).to_string(), x }
    }
}

/// Changes the one set of keys, and gives it as it is then.
async fn change(
    store: &Store,
    decide: impl Fn(Option<&KeySet>, Timestamp) -> Change<KeySet> + Send + 'static,
) -> Result<KeySet, UpdateError<Infallible>> {
    let receipt = Receipt::none(Cause::own("keys", store.clock()));
    let set = store
        .apply(One::<KeySet>(KeySet::ID), receipt, move |known, now| {
            Ok(decide(known.as_ref(), now))
        })
        .await?;
    Ok(set.expect("without a receipt it is decided every time"))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.kid)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.1 to A.3.
    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

        let public = PublicHalf::of(&URL_SAFE_NO_PAD.decode(x).unwrap());

        assert_eq!(public.x, x);
        assert_eq!(public.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn one_secret_yields_one_key() {
        let keys = |current, previous| SigningKeys::derive(current, previous).configured();

        let both = keys("one secret", Some("another"));

        assert_eq!(both.current, keys("one secret", None).current);
        assert_eq!(both.previous, Some(keys("another", None).current));
        assert_ne!(Some(both.current), both.previous);
        assert_eq!(keys("one secret", Some("one secret")).previous, None);
    }

    #[test]
    fn nothing_shows_a_key() {
        let keys = SigningKeys::derive("one secret", None);

        assert_eq!(
            format!("{keys:?}"),
            format!(
                "SigningKeys {{ current: SigningKey({}), previous: None }}",
                keys.current.public.kid
            )
        );
    }
}
