//! Whether an access token is good (RFC 8725).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use contracts::auth::{Keys, PublicKey};
use contracts::{SessionId, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::claims::KIND;
use super::sessions::Revoked;
use super::{AUDIENCE, Claims, ISSUER};
use crate::Clock;
use crate::http::Problem;

/// No token is longer.
const LONGEST: usize = 4096;
/// How far the clocks of two machines may be apart.
const LEEWAY: Duration = Duration::from_secs(5);
/// How long a token may wait for a set of keys that has its own.
const NEWER_SET: Duration = Duration::from_secs(1);
/// How many tokens may wait at once: forged ones are not to hold up all others.
const WAITERS: usize = 64;

/// Checks access tokens by what the auth service told: keys and sign-ins that ended. Asks nobody.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    keys: watch::Sender<Option<Set>>,
    revoked: RwLock<Revoked>,
    waiters: Semaphore,
}

/// The keys that are trusted, as of one telling.
#[derive(Clone, Debug)]
struct Set {
    sequence: u64,
    keys: HashMap<String, Key>,
}

#[derive(Clone)]
struct Key {
    public: DecodingKey,
    not_before: Timestamp,
    not_after: Option<Timestamp>,
}

/// Why nobody is let in by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is none.
    #[error("sign in first")]
    Missing,
    /// It is none of ours, or was tampered with.
    #[error("the token is not valid")]
    Invalid,
    /// It is no longer good.
    #[error("the token has expired")]
    Expired,
    /// Its sign-in ended.
    #[error("the sign-in has ended")]
    Revoked,
    /// No keys are known yet, so none can be checked.
    #[error("tokens cannot be checked yet")]
    NoKeys,
}

impl Identity {
    /// Knows no keys yet: nobody is let in.
    pub fn new(clock: Clock) -> Self {
        let (keys, _) = watch::channel(None);
        let (revoked, waiters) = (RwLock::default(), Semaphore::new(WAITERS));
        Self(Arc::new(Inner { clock, keys, revoked, waiters }))
    }

    /// Trusts these keys and no others, unless a newer set is known.
    pub fn install(&self, keys: &Keys, sequence: u64) {
        let set = Set { sequence, keys: keys.keys.iter().filter_map(Key::named).collect() };
        self.0.keys.send_if_modified(|known| {
            let newer = known.as_ref().is_none_or(|known| known.sequence < sequence);
            if newer {
                *known = Some(set);
            }
            newer
        });
    }

    /// Whether keys are known, so that tokens can be checked.
    pub fn is_ready(&self) -> bool {
        self.0.keys.borrow().is_some()
    }

    /// Waits until keys are known.
    pub async fn ready(&self) {
        // They are watched as long as this is there.
        let _ = self.0.keys.subscribe().wait_for(Option::is_some).await;
    }

    /// Lets nobody in any more by a token of this sign-in.
    pub fn revoke(&self, session: SessionId) {
        let mut revoked = self.0.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.insert(session, Instant::now());
    }

    /// What the token says, if it is good. One that names an unknown key waits up to a second for
    /// a newer set, as it may have come faster than the set did.
    pub async fn verify(&self, token: &str) -> Result<Claims, Denied> {
        let kid = kid(token)?;
        let key = match self.key(&kid)? {
            Some(key) => key,
            None => self.newer(&kid).await.ok_or(Denied::Invalid)?,
        };
        let claims = checked(token, &key.public)?;
        self.in_time(&claims, &key)?;
        if self.has_ended(claims.sid) { Err(Denied::Revoked) } else { Ok(claims) }
    }

    /// Whether this sign-in ended a short while ago.
    pub fn has_ended(&self, session: SessionId) -> bool {
        let revoked = self.0.revoked.read().unwrap_or_else(PoisonError::into_inner);
        revoked.contains(session)
    }

    fn key(&self, kid: &str) -> Result<Option<Key>, Denied> {
        let known = self.0.keys.borrow();
        known.as_ref().ok_or(Denied::NoKeys).map(|set| set.keys.get(kid).cloned())
    }

    async fn newer(&self, kid: &str) -> Option<Key> {
        let _waiter = self.0.waiters.try_acquire().ok()?;
        let mut keys = self.0.keys.subscribe();
        let has_it =
            |known: &Option<Set>| known.as_ref().is_some_and(|set| set.keys.contains_key(kid));
        let known = timeout(NEWER_SET, keys.wait_for(has_it)).await.ok()?.ok()?;
        known.as_ref()?.keys.get(kid).cloned()
    }

    fn in_time(&self, claims: &Claims, key: &Key) -> Result<(), Denied> {
        let now = self.0.clock.now();
        let times = claims.issued_at().zip(claims.good_from());
        let (issued, from) = times.ok_or(Denied::Invalid)?;
        let early = from > now.plus(LEEWAY) || issued > now.plus(LEEWAY);
        let before_key = issued.plus(LEEWAY) < key.not_before;
        let after_key = key.not_after.is_some_and(|end| end.plus(LEEWAY) < now);
        if early || before_key || after_key {
            return Err(Denied::Invalid);
        }
        if claims.expires_at().plus(LEEWAY) <= now { Err(Denied::Expired) } else { Ok(()) }
    }
}

impl Key {
    fn named(public: &PublicKey) -> Option<(String, Self)> {
        let Ok(key) = DecodingKey::from_ed_components(&public.x) else {
            tracing::warn!(kid = public.kid, "unreadable public key");
            return None;
        };
        let (not_before, not_after) = (public.not_before, public.not_after);
        Some((public.kid.clone(), Self { public: key, not_before, not_after }))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("not_before", &self.not_before).finish_non_exhaustive()
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing => Self::unauthorized(),
            Denied::Invalid | Denied::Expired | Denied::Revoked => {
                Self::unauthorized().challenging("Bearer error=\"invalid_token\"")
            }
            Denied::NoKeys => Self::unavailable(NEWER_SET),
        }
        .because(denied)
    }
}

/// The key that a token names. Keys that it carries or points to are never looked at
/// (RFC 8725, section 3.10), and what it marks as critical is not understood here
/// (RFC 7515, section 4.1.11).
fn kid(token: &str) -> Result<String, Denied> {
    if token.len() > LONGEST {
        return Err(Denied::Invalid);
    }
    let Header { alg, typ, crit, kid, .. } = decode_header(token).map_err(|_| Denied::Invalid)?;
    let kind = typ.is_some_and(|typ| typ.eq_ignore_ascii_case(KIND));
    let ours = alg == Algorithm::EdDSA && kind && crit.is_none();
    kid.filter(|_| ours).ok_or(Denied::Invalid)
}

/// The signature, who issued it and whom it is for. The times are checked apart, by our clock.
fn checked(token: &str, key: &DecodingKey) -> Result<Claims, Denied> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    decode(token, key, &validation).map(|data| data.claims).map_err(|_| Denied::Invalid)
}

#[cfg(test)]
mod tests;
