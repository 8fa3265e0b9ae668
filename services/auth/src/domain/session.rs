//! A sign-in: how long it lasts, and how its tokens follow one another.

use std::time::Duration;

use common::{Change, Document};
use contracts::auth::SessionRevoked;
use contracts::{SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Digest, Origin, RefreshToken, Refusal, Sealed, User};

/// How long a sign-in lasts at most: 30 days.
pub(crate) const SESSION_LIFE: Duration = Duration::from_hours(24 * 30);
/// How long a used token gives its successor once more: the first answer may have been lost.
pub(crate) const GRACE: Duration = Duration::from_secs(30);
/// So many sign-ins of a person last at once; with another, the oldest ends.
pub(crate) const AT_MOST: usize = 100;

/// One sign-in of one person.
///
/// ```text
/// lasts ── refresh ──▶ lasts, with a new token; the one before gives it again, for a while
///   └───── revoke, or a token that was used before ──▶ revoked
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Names it.
    #[serde(rename = "_id")]
    pub(crate) id: SessionId,
    /// Whose it is.
    pub(crate) user_id: UserId,
    /// How often the person had been signed out everywhere when it began.
    #[serde(default)]
    pub(crate) era: u32,
    /// When the person signed in.
    pub(crate) created_at: Timestamp,
    /// When a token was last asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) used_at: Option<Timestamp>,
    /// Where the person signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// Until when it lasts, unless it is revoked.
    pub(crate) expires_at: Timestamp,
    /// Recognises every token of it.
    pub(crate) family: Digest,
    /// Recognises the token that is good for one use.
    pub(crate) current: Digest,
    /// The token that was good before, while its successor is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<Timestamp>,
}

/// A token that was used, whose successor was not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Previous {
    /// Recognises it.
    pub(crate) digest: Digest,
    /// When it was used.
    pub(crate) rotated_at: Timestamp,
    /// What it was exchanged for.
    pub(crate) successor: Sealed,
}

/// A token that is presented, and what it is to be exchanged for.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    family: Digest,
    presented: Digest,
    next: Digest,
    successor: Sealed,
}

/// What presenting a token came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refreshed {
    /// The sign-in as it is now.
    pub(crate) session: Session,
    /// Which token is good from now on.
    pub(crate) next: Next,
}

/// Which token is good after one was presented.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// The one that was drawn for this exchange.
    Drawn,
    /// The one that was given before, as the answer may have been lost.
    Given(Sealed),
    /// None: the token was used before by somebody, so the sign-in ended.
    Withheld,
}

impl Document for Session {
    const COLLECTION: &'static str = "sessions";
    type Id = SessionId;

    fn id(&self) -> SessionId {
        self.id
    }
}

impl Rotation {
    /// The exchange of a token for its successor; `nonce` is drawn for sealing it.
    pub(crate) fn of(token: &RefreshToken, successor: &RefreshToken, nonce: [u8; 12]) -> Self {
        Self {
            family: token.family(),
            presented: token.digest(),
            next: successor.digest(),
            successor: token.seal(successor, nonce),
        }
    }
}

impl Session {
    /// A person signs in, and gets this token.
    pub(crate) fn begin(user: &User, token: &RefreshToken, origin: Origin, now: Timestamp) -> Self {
        Self {
            used_at: Some(now),
            origin: Some(origin),
            id: token.session(),
            user_id: user.id,
            era: user.era,
            created_at: now,
            expires_at: now.plus(SESSION_LIFE),
            family: token.family(),
            current: token.digest(),
            previous: None,
            revoked_at: None,
        }
    }

    /// A token is presented for the next one.
    ///
    /// A token that was used before ends the sign-in, since two have it and one of them is a thief.
    /// The last one gives its successor again within [`GRACE`], while that was not used itself.
    pub(crate) fn refresh(
        self,
        rotation: &Rotation,
        now: Timestamp,
    ) -> Result<Change<Refreshed>, Refusal> {
        if self.family != rotation.family {
            return Err(Refusal::MadeUp);
        }
        if !self.lasts(now) {
            return Err(Refusal::SignInOver);
        }
        if self.current == rotation.presented {
            return Ok(self.rotate(rotation, now));
        }
        Ok(match self.given_again(rotation, now) {
            Some(sealed) => Change::none(self).map(|session| session.with(Next::Given(sealed))),
            None => self.revoke(now).map(|session| session.with(Next::Withheld)),
        })
    }

    /// Whether the person was not signed out everywhere since it began.
    pub(crate) const fn is_of_the_era_of(&self, user: &User) -> bool {
        self.era == user.era
    }

    /// It outlasts that the person is signed out everywhere else.
    pub(crate) fn outlasts(self, signed_out: &User) -> Self {
        Self { era: signed_out.era, ..self }
    }

    /// The sign-in, if it is this person's; to others it does not exist.
    pub(crate) fn of(self, person: UserId) -> Result<Self, Refusal> {
        if self.user_id == person { Ok(self) } else { Err(Refusal::Unknown) }
    }

    /// All of these end.
    pub(crate) fn revoke_all(
        sessions: impl IntoIterator<Item = Self>,
        now: Timestamp,
    ) -> Change<Vec<Self>> {
        sessions.into_iter().fold(Change::none(Vec::new()), |ended, session| {
            let revoked = session.revoke(now);
            let this = revoked.value.clone();
            ended.and(revoked).map(|mut all| {
                all.push(this);
                all
            })
        })
    }

    /// The sign-in ends, and everybody hears of it. It ends once.
    pub(crate) fn revoke(self, now: Timestamp) -> Change<Self> {
        if self.revoked_at.is_some() {
            return Change::none(self);
        }
        let told = SessionRevoked { session_id: self.id, user_id: self.user_id, revoked_at: now };
        Change::to(Self { revoked_at: Some(now), previous: None, ..self }).telling(&told)
    }

    fn lasts(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    fn rotate(self, rotation: &Rotation, now: Timestamp) -> Change<Refreshed> {
        let previous = Previous {
            digest: self.current,
            rotated_at: now,
            successor: rotation.successor.clone(),
        };
        let current = rotation.next.clone();
        let used_at = Some(now);
        Change::to(Self { current, previous: Some(previous), used_at, ..self })
            .map(|session| session.with(Next::Drawn))
    }

    fn given_again(&self, rotation: &Rotation, now: Timestamp) -> Option<Sealed> {
        let previous = self.previous.as_ref()?;
        let again =
            previous.digest == rotation.presented && now.since(previous.rotated_at) <= GRACE;
        again.then(|| previous.successor.clone())
    }

    fn with(self, next: Next) -> Refreshed {
        Refreshed { session: self, next }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn alice() -> UserId {
        "usr_0000000000000000000000000000000a".parse().unwrap()
    }

    /// The token of Alice's sign-in after so many refreshes.
    fn token(number: u8) -> RefreshToken {
        let session = "ses_00000000000000000000000000000005".parse().unwrap();
        RefreshToken::first(session, [1; 16], [number; 32])
    }

    fn rotation(from: u8, to: u8) -> Rotation {
        Rotation::of(&token(from), &token(to), [7; 12])
    }

    fn session() -> Session {
        let user = User::guest(alice(), noon());
        Session::begin(&user, &token(0), Origin::of(None, String::new()), noon())
    }

    /// The sign-in after its first token was exchanged, at noon.
    fn refreshed() -> Session {
        session().refresh(&rotation(0, 1), noon()).unwrap().value.session
    }

    fn revoked(change: &Change<Refreshed>) -> bool {
        change.value.next == Next::Withheld && change.told::<SessionRevoked>().len() == 1
    }

    #[test]
    fn a_token_is_exchanged_for_the_next() {
        let change = session().refresh(&rotation(0, 1), noon()).unwrap();

        assert_eq!(change.value.next, Next::Drawn);
        assert_eq!(change.writes::<Session>()[0].current, token(1).digest());
        assert!(change.tells_nothing());
    }

    #[test]
    fn a_lost_answer_is_given_again() {
        let again = refreshed().refresh(&rotation(0, 9), noon().plus(GRACE)).unwrap();

        let Next::Given(sealed) = &again.value.next else { panic!("{:?}", again.value.next) };
        assert_eq!(token(0).unseal(sealed), Some(token(1)));
        assert!(again.is_none());
    }

    #[test]
    fn an_answer_is_not_given_again_after_a_while() {
        let late = noon().plus(GRACE).plus(Duration::from_millis(1));

        let change = refreshed().refresh(&rotation(0, 9), late).unwrap();

        assert!(revoked(&change));
        assert_eq!(change.writes::<Session>()[0].revoked_at, Some(late));
    }

    #[test]
    fn a_token_whose_successor_was_used_ends_the_sign_in() {
        let twice = refreshed().refresh(&rotation(1, 2), noon()).unwrap().value.session;

        let change = twice.refresh(&rotation(0, 9), noon().plus(SECOND)).unwrap();

        assert!(revoked(&change));
    }

    #[test]
    fn a_revoked_sign_in_gives_no_tokens() {
        let over = session().revoke(noon()).value;

        for number in [0, 1] {
            let change = over.clone().refresh(&rotation(number, 9), noon());

            assert_eq!(change.unwrap_err(), Refusal::SignInOver);
        }
    }

    #[test]
    fn a_sign_in_lasts_thirty_days() {
        let end = noon().plus(SESSION_LIFE);

        assert!(session().refresh(&rotation(0, 1), end.minus(SECOND)).is_ok());
        let change = session().refresh(&rotation(0, 1), end);
        assert_eq!(change.unwrap_err(), Refusal::SignInOver);
    }

    #[test]
    fn a_token_that_somebody_made_up_ends_nothing() {
        let forged = RefreshToken::first(session().id, [9; 16], [9; 32]);
        let rotation = Rotation::of(&forged, &forged.successor([8; 32]), [7; 12]);

        let change = session().refresh(&rotation, noon());

        assert_eq!(change.unwrap_err(), Refusal::MadeUp);
    }

    #[test]
    fn a_sign_in_ends_once() {
        let change = session().revoke(noon());
        let told = change.told::<SessionRevoked>();
        let again = change.value.clone().revoke(noon().plus(SECOND));

        assert_eq!(told[0].session_id, session().id);
        assert_eq!((told[0].user_id, told[0].revoked_at), (alice(), noon()));
        assert!(again.is_none());
        assert_eq!(again.value.revoked_at, Some(noon()));
    }

    proptest! {
        /// However tokens are presented: at most one is good, a used one never rotates, and after
        /// the end nothing is given.
        #[test]
        fn no_order_of_presenting_makes_two_tokens_good(
            steps in prop::collection::vec((0_u8..8, 0_u64..40), 0..30),
        ) {
            let (mut session, mut now, mut newest) = (session(), noon(), 0);
            let mut used = std::collections::HashSet::new();
            for (presented, later) in steps {
                now = now.plus(Duration::from_secs(later));
                let over = session.revoked_at.is_some();
                let outcome = session.clone().refresh(&rotation(presented, newest + 1), now);
                prop_assert_eq!(outcome.is_err(), over);
                let Ok(change) = outcome else { continue };
                match &change.value.next {
                    Next::Drawn => {
                        prop_assert!(presented == newest && used.insert(presented));
                        newest += 1;
                    }
                    Next::Given(sealed) => {
                        prop_assert_eq!(presented + 1, newest);
                        prop_assert_eq!(token(presented).unseal(sealed), Some(token(newest)));
                    }
                    Next::Withheld => prop_assert!(change.value.session.revoked_at.is_some()),
                }
                session = change.value.session;
            }
        }
    }
}
