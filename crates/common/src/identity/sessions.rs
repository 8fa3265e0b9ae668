//! Sign-ins that ended while their tokens would still be good.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use contracts::SessionId;
use tokio::time::Instant;

use super::LIFE;

/// How long it is remembered that a sign-in ended: until none of its tokens is good any longer.
pub(super) const REMEMBERED: Duration = LIFE.saturating_add(Duration::from_mins(1));

/// The sign-ins that ended a short while ago. They are forgotten by a time that only goes on: a wall
/// clock that was ahead for a moment would forget them all.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    known: HashSet<SessionId>,
    first_heard: VecDeque<(Instant, SessionId)>,
}

impl Revoked {
    /// Remembers one, and forgets those whose tokens are no longer good anyway.
    pub(super) fn insert(&mut self, session: SessionId, now: Instant) {
        if self.known.insert(session) {
            self.first_heard.push_back((now, session));
        }
        while let Some((heard, session)) = self.first_heard.front().copied() {
            if now.duration_since(heard) <= REMEMBERED {
                break;
            }
            self.first_heard.pop_front();
            self.known.remove(&session);
        }
    }

    /// Whether this one ended.
    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.known.contains(&session)
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
        let start = Instant::now();
        let mut revoked = Revoked::default();

        revoked.insert(session(1), start);
        revoked.insert(session(2), start + REMEMBERED);
        revoked.insert(session(2), start + REMEMBERED);
        assert!(revoked.contains(session(1)));

        revoked.insert(session(2), start + REMEMBERED + Duration::from_millis(1));

        assert!(!revoked.contains(session(1)));
        assert!(revoked.contains(session(2)));
        assert_eq!((revoked.known.len(), revoked.first_heard.len()), (1, 1));
    }
}
