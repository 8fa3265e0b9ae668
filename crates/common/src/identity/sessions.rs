//! Sign-ins that ended while their tokens would still be good.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use contracts::{SessionId, Timestamp};

use super::LIFE;

/// How long it is remembered that a sign-in ended: until none of its tokens is good any longer.
pub(super) const REMEMBERED: Duration = LIFE.saturating_add(Duration::from_mins(1));

/// The sign-ins that ended a short while ago.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    at: HashMap<SessionId, Timestamp>,
    oldest_first: BTreeSet<(Timestamp, SessionId)>,
}

impl Revoked {
    /// Remembers one, and forgets those whose tokens are no longer good anyway.
    pub(super) fn insert(&mut self, session: SessionId, at: Timestamp, now: Timestamp) {
        if let Some(before) = self.at.insert(session, at) {
            self.oldest_first.remove(&(before, session));
        }
        self.oldest_first.insert((at, session));
        while let Some((at, session)) = self.oldest_first.first().copied() {
            if at.plus(REMEMBERED) >= now {
                break;
            }
            self.oldest_first.pop_first();
            self.at.remove(&session);
        }
    }

    /// Whether this one ended.
    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.at.contains_key(&session)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn session(number: u128) -> SessionId {
        SessionId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn an_ended_sign_in_is_forgotten_when_its_tokens_are() {
        let start = Timestamp::from_millis(1_000_000).unwrap();
        let mut revoked = Revoked::default();

        revoked.insert(session(1), start, start);
        revoked.insert(session(2), start.plus(REMEMBERED), start.plus(REMEMBERED));
        assert!(revoked.contains(session(1)));

        let later = start.plus(REMEMBERED).plus(Duration::from_millis(1));
        revoked.insert(session(2), later, later);

        assert!(!revoked.contains(session(1)));
        assert!(revoked.contains(session(2)));
        assert_eq!((revoked.at.len(), revoked.oldest_first.len()), (1, 1));
    }
}
