//! The public keys that access tokens are checked with, and when each is trusted.

use std::time::Duration;

use common::identity::LIFE;
use common::store::Retold;
use common::{Change, Document};
use contracts::Timestamp;
use contracts::auth::{Keys, PublicKey};
use serde::{Deserialize, Serialize};

/// A new key signs so long after it was seen in its stream, so that every service knows it by then.
pub(crate) const HEAD_START: Duration = Duration::from_mins(1);
/// So long after nobody signs with it any more, no token of a key can be good.
pub(crate) const RETIREMENT: Duration = LIFE.saturating_add(Duration::from_mins(3));
/// A key that is in use is trusted at least so long on; less, and its retirement is put off.
const IN_USE: Duration = LIFE.saturating_add(Duration::from_mins(1));

/// There is one set.
const CURRENT: &str = "current";

/// All public keys that are trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeySet {
    #[serde(rename = "_id")]
    id: String,
    /// The keys, in the order in which they came.
    pub(crate) keys: Vec<Key>,
}

/// A public key and when it is trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Which key.
    #[serde(flatten)]
    pub(crate) public: PublicHalf,
    /// It signs from then on.
    pub(crate) not_before: Timestamp,
    /// Nobody is configured with it any more, so it is trusted no longer after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_after: Option<Timestamp>,
    /// Whether it was seen in its stream, where it has to be before it signs.
    #[serde(default, skip_serializing_if = "Publication::is_not_needed")]
    pub(crate) publication: Publication,
}

/// Whether a key was seen in the stream of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Publication {
    /// It replaces no key that signs, so it does not wait.
    #[default]
    NotNeeded,
    /// Not yet.
    Awaited,
    /// It was.
    Seen {
        /// When it was seen first, by the clock of the replica that saw it.
        at: Timestamp,
    },
}

impl Publication {
    fn is_not_needed(&self) -> bool {
        *self == Self::NotNeeded
    }
}

/// The half of a signing key that everybody may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicHalf {
    /// Names it: its thumbprint (RFC 7638).
    pub(crate) kid: String,
    /// Its 32 bytes, base64url without padding (RFC 8037).
    pub(crate) x: String,
}

/// The keys that a replica is configured with.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    /// The one to sign with.
    pub(crate) current: PublicHalf,
    /// The one that signs until everybody knows the current one.
    pub(crate) previous: Option<PublicHalf>,
}

impl Document for KeySet {
    const COLLECTION: &'static str = "keys";
    type Id = &'static str;

    fn id(&self) -> &'static str {
        CURRENT
    }
}

impl Retold for KeySet {
    type State = Keys;

    fn state(&self) -> Keys {
        Keys { set: self.id.clone(), keys: self.keys.iter().map(Key::told).collect() }
    }
}

impl KeySet {
    /// The id of the one set.
    pub(crate) const ID: &'static str = CURRENT;

    /// A replica starts with these keys: they are trusted, and any other for no longer than its
    /// tokens may live. A key that replaces a known one signs its [`HEAD_START`] after it was seen in
    /// its stream.
    pub(crate) fn configure(
        known: Option<&Self>,
        with: &Configured,
        now: Timestamp,
    ) -> Change<Self> {
        let mut set = known.cloned().unwrap_or_else(Self::empty).without_ended(now);
        let replaces = with.previous.as_ref().is_some_and(|previous| set.has(previous));
        if let Some(previous) = &with.previous {
            set.trust(previous, now, Publication::NotNeeded);
        }
        if replaces {
            set.trust(&with.current, now.plus(HEAD_START), Publication::Awaited);
        } else {
            set.trust(&with.current, now, Publication::NotNeeded);
        }
        for key in set.keys.iter_mut().filter(|key| !with.has(&key.public)) {
            key.not_after.get_or_insert(now.plus(RETIREMENT));
        }
        set.changed_from(known)
    }

    /// A replica still signs with this key: should another replica, which is not configured with
    /// it, have retired it, it is trusted further on. Keys that nobody can need any more go.
    pub(crate) fn keep(known: Option<&Self>, in_use: &PublicHalf, now: Timestamp) -> Change<Self> {
        let mut set = known.cloned().unwrap_or_else(Self::empty).without_ended(now);
        if !set.has(in_use) {
            let (public, not_after) = (in_use.clone(), Some(now));
            let publication = Publication::NotNeeded;
            set.keys.push(Key { public, not_before: now, not_after, publication });
        }
        let ends_soon = |key: &&mut Key| key.not_after.is_some_and(|end| end < now.plus(IN_USE));
        for key in set.keys.iter_mut().filter(|key| key.public == *in_use).filter(ends_soon) {
            key.not_after = Some(now.plus(RETIREMENT));
        }
        set.changed_from(known)
    }

    /// The key was seen in its stream. The first time counts, and nothing is published again.
    pub(crate) fn seen(known: Option<&Self>, public: &PublicHalf, now: Timestamp) -> Change<Self> {
        let mut set = known.cloned().unwrap_or_else(Self::empty);
        let awaited =
            |key: &&mut Key| key.public == *public && key.publication == Publication::Awaited;
        match set.keys.iter_mut().find(awaited) {
            Some(key) => key.publication = Publication::Seen { at: now },
            None => return Change::none(set),
        }
        Change::to(set)
    }

    /// When this key signs from; never, while it is unknown or not published.
    pub(crate) fn signs_from(&self, public: &PublicHalf) -> Option<Timestamp> {
        let key = self.keys.iter().find(|key| key.public == *public)?;
        match key.publication {
            Publication::NotNeeded => Some(key.not_before),
            Publication::Awaited => None,
            Publication::Seen { at } => Some(key.not_before.max(at.plus(HEAD_START))),
        }
    }

    fn empty() -> Self {
        Self { id: CURRENT.into(), keys: Vec::new() }
    }

    fn has(&self, public: &PublicHalf) -> bool {
        self.keys.iter().any(|key| key.public == *public)
    }

    /// Trusts a key without an end; one that is new signs from then on.
    fn trust(&mut self, public: &PublicHalf, not_before: Timestamp, publication: Publication) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.public == *public) {
            key.not_after = None;
        } else {
            let public = public.clone();
            self.keys.push(Key { public, not_before, not_after: None, publication });
        }
    }

    fn without_ended(mut self, now: Timestamp) -> Self {
        self.keys.retain(|key| key.not_after.is_none_or(|end| end > now));
        self
    }

    /// The change, told as a whole, if it is one.
    fn changed_from(self, known: Option<&Self>) -> Change<Self> {
        if known == Some(&self) {
            return Change::none(self);
        }
        let told = self.state();
        Change::to(self).telling(&told)
    }
}

impl Key {
    fn told(&self) -> PublicKey {
        let PublicHalf { kid, x } = self.public.clone();
        PublicKey { kid, x, not_before: self.not_before, not_after: self.not_after }
    }
}

impl Configured {
    fn has(&self, public: &PublicHalf) -> bool {
        self.current == *public || self.previous.as_ref() == Some(public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn key(name: &str) -> PublicHalf {
        PublicHalf { kid: name.into(), x: format!("x of {name}") }
    }

    fn with(current: &str, previous: Option<&str>) -> Configured {
        Configured { current: key(current), previous: previous.map(key) }
    }

    /// The set after a replica started with one key, an hour ago.
    fn old() -> KeySet {
        let hour_ago = noon().minus(Duration::from_hours(1));
        KeySet::configure(None, &with("old", None), hour_ago).value
    }

    fn names(set: &KeySet) -> Vec<&str> {
        set.keys.iter().map(|key| key.public.kid.as_str()).collect()
    }

    fn end(set: &KeySet, name: &str) -> Option<Timestamp> {
        set.keys.iter().find(|key| key.public.kid == name).unwrap().not_after
    }

    #[test]
    fn the_first_key_signs_at_once_and_is_told() {
        let change = KeySet::configure(None, &with("old", None), noon());

        assert_eq!(change.value.signs_from(&key("old")), Some(noon()));
        let told = &change.told::<Keys>()[0];
        assert_eq!((told.set.as_str(), told.keys.len()), ("current", 1));
        assert_eq!(told.keys[0].x, "x of old");
    }

    #[test]
    fn a_replica_with_known_keys_tells_nothing() {
        assert!(KeySet::configure(Some(&old()), &with("old", None), noon()).is_none());
        assert!(KeySet::keep(Some(&old()), &key("old"), noon()).is_none());
    }

    #[test]
    fn a_new_key_signs_after_everybody_knows_it() {
        let change = KeySet::configure(Some(&old()), &with("new", Some("old")), noon());
        let set = change.value.clone();

        assert_eq!(set.signs_from(&key("new")), None, "not published yet");
        let seen_at = noon().plus(Duration::from_mins(10));
        let seen = KeySet::seen(Some(&set), &key("new"), seen_at);
        assert_eq!(seen.value.signs_from(&key("new")), Some(seen_at.plus(HEAD_START)));
        assert!(seen.tells_nothing() && !seen.is_none());
        let later = seen_at.plus(SECOND);
        assert!(
            KeySet::seen(Some(&seen.value), &key("new"), later).is_none(),
            "the first time counts"
        );
        assert_eq!((end(&set, "old"), end(&set, "new")), (None, None));
        assert_eq!(change.told::<Keys>()[0].keys.len(), 2);
        // Another replica of the same rollout does not make it wait longer.
        let later = noon().plus(SECOND);
        assert!(KeySet::configure(Some(&set), &with("new", Some("old")), later).is_none());
    }

    #[test]
    fn a_new_key_without_a_known_one_before_it_signs_at_once() {
        for previous in [None, Some("never heard of")] {
            let set = KeySet::configure(Some(&old()), &with("new", previous), noon()).value;

            assert_eq!(set.signs_from(&key("new")), Some(noon()), "{previous:?}");
        }
    }

    #[test]
    fn a_key_that_nobody_is_configured_with_ends_with_its_tokens() {
        let set = KeySet::configure(Some(&old()), &with("new", None), noon()).value;
        let again = KeySet::configure(Some(&set), &with("new", None), noon().plus(SECOND));

        assert_eq!(end(&set, "old"), Some(noon().plus(RETIREMENT)));
        assert!(again.is_none());
        let later = noon().plus(RETIREMENT);
        assert_eq!(names(&KeySet::keep(Some(&set), &key("new"), later).value), ["new"]);
    }

    #[test]
    fn a_key_that_a_replica_still_signs_with_does_not_end() {
        let set = KeySet::configure(Some(&old()), &with("new", None), noon()).value;
        let soon = noon().plus(Duration::from_mins(1));
        let later = noon().plus(Duration::from_mins(3));

        assert!(KeySet::keep(Some(&set), &key("old"), soon).is_none());
        let change = KeySet::keep(Some(&set), &key("old"), later);

        assert_eq!(end(&change.value, "old"), Some(later.plus(RETIREMENT)));
        assert_eq!(change.told::<Keys>().len(), 1);
    }

    #[test]
    fn a_key_that_was_forgotten_while_it_signs_comes_back() {
        let change = KeySet::keep(Some(&old()), &key("new"), noon());

        assert_eq!(names(&change.value), ["old", "new"]);
        assert_eq!(end(&change.value, "new"), Some(noon().plus(RETIREMENT)));
    }

    #[test]
    fn a_rollout_that_is_taken_back_trusts_the_old_key_again() {
        let rolled_out = KeySet::configure(Some(&old()), &with("new", None), noon()).value;
        let later = noon().plus(SECOND);

        let change = KeySet::configure(Some(&rolled_out), &with("old", Some("new")), later);

        assert_eq!((end(&change.value, "old"), end(&change.value, "new")), (None, None));
        assert_eq!(change.value.signs_from(&key("old")), old().signs_from(&key("old")));
    }

    #[test]
    fn a_set_is_kept_under_the_name_it_is_told_by() {
        assert_eq!(old().id(), KeySet::ID);
        assert_eq!(old().state().set, KeySet::ID);
    }
}
