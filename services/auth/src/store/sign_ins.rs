//! The sign-ins of one person: seen, and ended.

use std::collections::BTreeMap;

use common::Change;
use common::http::Page;
use common::store::{Cause, Many, One, StoreError};
use contracts::{SessionId, UserId};
use mongodb::bson::doc;

use super::{Accounts, Outcome};
use crate::domain::{AT_MOST, Refusal, Session, User};

/// So many sign-ins end in one commit.
const AT_ONCE: i64 = 100;

impl Accounts {
    /// The sign-ins of a person that last, the newest first, one more than the page holds.
    pub(crate) async fn sign_ins(
        &self,
        person: UserId,
        page: &Page,
        after: Option<SessionId>,
    ) -> Result<Vec<Session>, StoreError> {
        let mut lasting = self.lasting(person);
        let era = self.get(person).await?.map_or(0, |user| user.era);
        if era > 0 {
            lasting.insert("era", i64::from(era));
        }
        if let Some(after) = after {
            lasting.insert("_id", doc! { "$lt": after.to_string() });
        }
        let found = self.store.find(lasting, doc! { "_id": -1 }, page.look_ahead()).await?;
        Ok(found.into_iter().map(|session| session.value).collect())
    }

    /// A sign-in ends. One that is over stays so.
    pub(crate) async fn sign_out(&self, session: SessionId, cause: Cause) -> Outcome<()> {
        let end = |session: Option<Session>, now| {
            Ok(session.map_or_else(|| Change::none(None), |known| known.revoke(now).map(Some)))
        };
        if let Some(ended) = self.decide(One::<Session>(session), cause, end).await? {
            self.heard(&ended);
        }
        Ok(())
    }

    /// A sign-in of this person ends, by their own wish.
    pub(crate) async fn end_sign_in(
        &self,
        person: UserId,
        session: SessionId,
        cause: Cause,
    ) -> Outcome<()> {
        let end = move |session: Option<Session>, now| {
            Ok(session.ok_or(Refusal::Unknown)?.of(person)?.revoke(now))
        };
        let ended = self.decide(One::<Session>(session), cause, end).await?;
        self.heard(&ended);
        Ok(())
    }

    /// A person is signed out everywhere: their sign-ins end, those that are known in the same
    /// commit.
    pub(crate) async fn sign_out_everywhere(&self, person: UserId, cause: Cause) -> Outcome<()> {
        let sign_ins = self.some_sign_ins(person, None).await?;
        let end = |(user, sign_ins): (Option<User>, BTreeMap<String, Session>), now| {
            let ended = Session::revoke_all(sign_ins.into_values(), now);
            let user = user.map(User::signed_out);
            Ok(user.iter().fold(ended, Change::with))
        };
        let scope = (One::<User>(person), Many::<Session>(sign_ins));
        for ended in self.decide(scope, cause.clone(), end).await? {
            self.heard(&ended);
        }
        self.end_sign_ins(person, None, cause).await
    }

    /// The sign-ins of a person end that a commit had no room for, but for one. Should this be cut
    /// short, they are of an era that is over, and get no more tokens.
    pub(super) async fn end_sign_ins(
        &self,
        person: UserId,
        but: Option<SessionId>,
        cause: Cause,
    ) -> Outcome<()> {
        loop {
            let some = self.some_sign_ins(person, but).await?;
            if some.is_empty() {
                return Ok(());
            }
            let end = |sessions: BTreeMap<String, Session>, now| {
                Ok(Session::revoke_all(sessions.into_values(), now))
            };
            for ended in self.decide(Many::<Session>(some), cause.clone(), end).await? {
                self.heard(&ended);
            }
        }
    }

    /// Some of the sign-ins of a person that last, but for one.
    pub(super) async fn some_sign_ins(
        &self,
        person: UserId,
        but: Option<SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut lasting = self.lasting(person);
        if let Some(but) = but {
            lasting.insert("_id", doc! { "$ne": but.to_string() });
        }
        self.store.ids::<Session>(lasting, doc! { "_id": 1 }, AT_ONCE).await
    }

    /// The sign-ins of a person that are to end with another one, the oldest.
    pub(super) async fn too_many(&self, person: UserId) -> Result<Vec<SessionId>, StoreError> {
        let limit = i64::try_from(AT_MOST).unwrap_or(i64::MAX).saturating_add(AT_ONCE);
        let newest_first = doc! { "_id": -1 };
        let lasting = self.store.ids::<Session>(self.lasting(person), newest_first, limit).await?;
        Ok(lasting.into_iter().skip(AT_MOST - 1).collect())
    }

    fn lasting(&self, person: UserId) -> mongodb::bson::Document {
        let now = self.clock().now().to_string();
        doc! { "user_id": person.to_string(), "revoked_at": null, "expires_at": { "$gt": now } }
    }
}
