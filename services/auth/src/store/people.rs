//! People, as those who look after them find and change them.

use std::collections::BTreeMap;

use common::http::Page;
use common::store::{Cause, IfMatch, Many, One, Receipt, StoreError, Stored, UpdateError};
use common::{Change, Row as _};
use contracts::UserId;
use contracts::auth::Role;
use mongodb::bson::{Bson, Document, doc, serialize_to_bson};

use super::{Accounts, Outcome};
use crate::domain::{
    Act, Admins, Auditor, Email, EmailClaim, Entry, Name, Refusal, Session, SignIns, User, Wish,
};

/// Above every letter.
const LAST: char = char::MAX;

/// Which people are looked for.
pub(crate) struct Search {
    /// With this address.
    pub(crate) email: Option<Email>,
    /// Whose name begins so.
    pub(crate) name: Option<Name>,
    /// With this role; without, everybody who has an account.
    pub(crate) role: Option<Role>,
}

impl Search {
    fn roles(&self) -> Vec<Bson> {
        let accounts = [Role::Shopper, Role::Staff, Role::Admin];
        let roles = self.role.map_or(accounts.to_vec(), |role| vec![role]);
        roles.iter().filter_map(|role| serialize_to_bson(role).ok()).collect()
    }
}

impl Accounts {
    /// Makes sure that people can be found, and that it is known who minds them.
    pub(super) async fn open_people(&self) -> Result<(), UpdateError<Refusal>> {
        self.store.index::<User>(doc! { "role": 1, "_id": -1 }, false).await?;
        self.store.index::<User>(doc! { "called": 1 }, false).await?;
        self.store.rows_of::<Entry>().await?;
        self.store.collection_of::<Admins>().await?;
        if self.store.get::<Admins>(&Admins::ID).await?.is_some() {
            return Ok(());
        }
        let admins = doc! { "role": "admin", "disabled": { "$ne": true } };
        let admins = Admins::of(self.store.ids::<User>(admins, doc! { "_id": 1 }, 0).await?);
        let begin = move |known: Option<Admins>, _| {
            Ok(known.map_or_else(|| Change::to(admins.clone()), Change::none))
        };
        let cause = Cause::own("admins", self.clock());
        self.decide(One::<Admins>(Admins::ID), cause, begin).await.map(drop)
    }

    /// The people that fit, the newest first, one more than the page holds.
    pub(crate) async fn people(
        &self,
        search: &Search,
        page: &Page,
        after: Option<UserId>,
    ) -> Result<Vec<Stored<User>>, StoreError> {
        let mut fitting = doc! { "role": { "$in": search.roles() } };
        if let Some(email) = &search.email {
            let claim = self.store.get::<EmailClaim>(&email.digest()).await?;
            let Some(claim) = claim else { return Ok(Vec::new()) };
            fitting.insert("$and", vec![doc! { "_id": claim.user_id.to_string() }]);
        }
        if let Some(name) = &search.name {
            // People who were named by an earlier version are found by its form.
            let forms = [name.folded(), name.folded_before()];
            fitting.insert("$or", forms.map(begins).to_vec());
        }
        if let Some(after) = after {
            fitting.insert("_id", doc! { "$lt": after.to_string() });
        }
        self.store.find(fitting, doc! { "_id": -1 }, page.look_ahead()).await
    }

    /// An administrator wants something of a person. The sign-ins that are to end do so in the same
    /// commit; one that began meanwhile ends right after it.
    pub(crate) async fn edit(
        &self,
        id: UserId,
        wish: Wish,
        if_match: IfMatch,
        by: UserId,
        cause: Cause,
    ) -> Outcome<()> {
        let sign_ins = self.some_sign_ins(id, None).await?;
        let scope = (
            One::<User>(id).matching(Some(if_match)),
            One::<Admins>(Admins::ID),
            Many::<Session>(sign_ins),
        );
        let auditor = self.auditor(Some(by));
        let edit = move |(user, admins, sign_ins): Things, now| {
            let admins = admins.unwrap_or_else(|| Admins::of(Vec::new()));
            let user = user.ok_or(Refusal::Unknown)?;
            user.edited(admins, sign_ins.into_values(), wish, &auditor, now)
        };
        let receipt = Receipt::generated(cause.clone(), self.clock());
        match self.store.apply(scope, receipt, edit).await? {
            Some(SignIns::Last) => Ok(()),
            Some(SignIns::End(ended)) => {
                for session in &ended {
                    self.heard(session);
                }
                self.end_sign_ins(id, None, cause).await
            }
            // It was done, and its outcome not known at first.
            None => self.end_sign_ins(id, None, cause).await,
        }
    }

    /// Somebody looked after people without changing them.
    pub(crate) async fn note(
        &self,
        by: UserId,
        act: Act,
        person: Option<UserId>,
        cause: Cause,
    ) -> Outcome<()> {
        let auditor = self.auditor(Some(by));
        let note = move |_, now| {
            let entries = auditor.entries(person, &[act], now);
            Ok(entries.iter().fold(Change::none(()), Change::row))
        };
        let receipt = Receipt::generated(cause, self.clock());
        self.store.apply(One::<User>(by), receipt, note).await.map(drop)
    }

    /// What was done in looking after people, the newest first, one more than the page holds.
    pub(crate) async fn audit(
        &self,
        page: &Page,
        after: Option<String>,
    ) -> Result<Vec<Entry>, StoreError> {
        let before = after.map_or_else(Document::new, |after| doc! { "_id": { "$lt": after } });
        let pipeline = |limit| {
            vec![
                doc! { "$match": before.clone() },
                doc! { "$sort": { "_id": -1 } },
                doc! { "$limit": limit },
            ]
        };
        self.store.page(Entry::COLLECTION, page.look_ahead(), pipeline).await
    }

    /// Who looks after people, with names for what may come of it.
    pub(super) fn auditor(&self, by: Option<UserId>) -> Auditor {
        let name = || format!("aud_{}", self.clock().uuid().simple());
        let mut entries = [name(), name()];
        entries.sort();
        Auditor { by, entries }
    }
}

type Things = (Option<User>, Option<Admins>, BTreeMap<String, Session>);

/// Matches the people whose name begins so.
fn begins(form: String) -> Document {
    let end = format!("{form}{LAST}");
    doc! { "called": { "$gte": form, "$lt": end } }
}
