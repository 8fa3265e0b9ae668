//! Who may do what, who is no longer welcome, and who decided so.

use common::{Change, Document, Row};
use contracts::auth::Role;
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Refusal, Session, User};

/// Everybody who may mind people and roles now: changed by whoever makes or unmakes one, so that no
/// two can leave nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Admins {
    #[serde(rename = "_id")]
    id: String,
    /// Who they are.
    pub(crate) people: Vec<UserId>,
}

/// What an administrator wants of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// What they may do.
    pub(crate) role: Option<Role>,
    /// Whether they may sign in no more.
    pub(crate) disabled: Option<bool>,
}

/// What becomes of the sign-ins of a person who was changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SignIns {
    /// Nothing.
    Last,
    /// They end, those that were known among them in the same change.
    End(Vec<Session>),
}

/// Who looks after people, and the names of the entries that may come of it.
#[derive(Clone, Debug)]
pub(crate) struct Auditor {
    /// Who it is; nobody for what the service does by itself.
    pub(crate) by: Option<UserId>,
    /// Drawn before, so that a repeat is recognised.
    pub(crate) entries: [EntryId; 2],
}

/// Names an entry of the audit log; sorts by time.
pub(crate) type EntryId = String;

/// An act of looking after people, kept for ever. It names people by their ids alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Names it.
    #[serde(rename = "_id")]
    pub(crate) id: EntryId,
    /// When it was done.
    pub(crate) at: Timestamp,
    /// Who did it; absent for what the service does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<UserId>,
    /// To whom, if to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<UserId>,
    /// What was done.
    pub(crate) act: Act,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Act {
    /// The first administrator was made an account.
    Appointed,
    /// The list of people was read.
    Listed,
    /// Somebody was searched for; for whom is not kept.
    Searched,
    /// One person was looked at.
    Viewed,
    /// They may do something else.
    RoleChanged {
        /// What they might do before.
        from: Role,
        /// What they may do now.
        to: Role,
    },
    /// They may sign in no more.
    Disabled,
    /// They may sign in again.
    Enabled,
}

impl Document for Admins {
    const COLLECTION: &'static str = "admins";
    type Id = &'static str;

    fn id(&self) -> &'static str {
        Self::ID
    }
}

impl Row for Entry {
    const COLLECTION: &'static str = "audit";
}

impl Admins {
    /// There is one list.
    pub(crate) const ID: &'static str = "current";

    /// These, and no others.
    pub(crate) fn of(people: Vec<UserId>) -> Self {
        Self { id: Self::ID.to_owned(), people }
    }

    /// With or without this person, as they are now; refused when nobody is left.
    pub(crate) fn having(mut self, user: &User) -> Result<Self, Refusal> {
        let had = self.people.contains(&user.id);
        self.people.retain(|id| *id != user.id);
        if user.minds_people() {
            self.people.push(user.id);
        } else if had && self.people.is_empty() {
            return Err(Refusal::LastAdmin);
        }
        Ok(self)
    }
}

impl User {
    /// An administrator wants something of this person. Whoever may do something else, or nothing
    /// more, is signed out everywhere: their tokens say what they might do. Who is an administrator
    /// now, the list of them says: a token may be older, and this replica not have heard of its end.
    pub(crate) fn edited(
        self,
        admins: Admins,
        sign_ins: impl IntoIterator<Item = Session>,
        wish: Wish,
        auditor: &Auditor,
        now: Timestamp,
    ) -> Result<Change<SignIns>, Refusal> {
        if auditor.by.is_some_and(|by| !admins.people.contains(&by)) {
            return Err(Refusal::NotAdmin);
        }
        let (user, acts) = self.fulfilled(wish)?;
        if acts.is_empty() {
            return Ok(Change::none(SignIns::Last));
        }
        let before = admins.clone();
        let admins = admins.having(&user)?;
        let entries = auditor.entries(Some(user.id), &acts, now);
        let changed = Change::to(user).map(|_| SignIns::Last);
        let changed = if before == admins { changed } else { changed.with(&admins) };
        let changed = entries.iter().fold(changed, Change::row);
        if acts == [Act::Enabled] {
            return Ok(changed);
        }
        let ended = Session::revoke_all(sign_ins, now);
        let sessions = ended.value.clone();
        Ok(changed.and(ended).map(|_| SignIns::End(sessions)))
    }

    /// The person as an administrator wants them, signed out where that takes more than a welcome.
    fn fulfilled(self, wish: Wish) -> Result<(Self, Vec<Act>), Refusal> {
        let role = wish.role.unwrap_or(self.role);
        let disabled = wish.disabled.unwrap_or(self.disabled);
        if role != self.role && (self.role == Role::Guest || !is_given(role)) {
            return Err(Refusal::NoSuchRole);
        }
        let acts = acts(&self, role, disabled);
        let user = Self { role, disabled, ..self };
        let stays = acts.is_empty() || acts == [Act::Enabled];
        Ok((if stays { user } else { user.signed_out() }, acts))
    }

    /// Whether they may mind people and roles now.
    pub(crate) fn minds_people(&self) -> bool {
        self.role == Role::Admin && !self.disabled
    }
}

impl Auditor {
    /// What was done to this person, or to nobody in particular.
    pub(crate) fn entries(
        &self,
        person: Option<UserId>,
        acts: &[Act],
        at: Timestamp,
    ) -> Vec<Entry> {
        let named = self.entries.iter().cloned().zip(acts);
        named.map(|(id, act)| Entry { id, at, by: self.by, person, act: *act }).collect()
    }
}

/// A role that an administrator gives to people with an account.
fn is_given(role: Role) -> bool {
    match role {
        Role::Shopper | Role::Staff | Role::Admin => true,
        Role::Guest | Role::Unknown => false,
    }
}

fn acts(user: &User, role: Role, disabled: bool) -> Vec<Act> {
    let changed = Act::RoleChanged { from: user.role, to: role };
    let welcome = if disabled { Act::Disabled } else { Act::Enabled };
    let role = (role != user.role).then_some(changed);
    role.into_iter().chain((disabled != user.disabled).then_some(welcome)).collect()
}

#[cfg(test)]
mod tests {
    use contracts::auth::SessionRevoked;

    use super::*;
    use crate::domain::{Origin, RefreshToken};

    const PROMOTE: Wish = Wish { role: Some(Role::Admin), disabled: None };
    const DEMOTE: Wish = Wish { role: Some(Role::Shopper), disabled: None };
    const DISABLE: Wish = Wish { role: None, disabled: Some(true) };
    const ENABLE: Wish = Wish { role: None, disabled: Some(false) };

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn id(last: char) -> UserId {
        format!("usr_0000000000000000000000000000000{last}").parse().unwrap()
    }

    fn person(last: char, role: Role) -> User {
        User { role, ..User::guest(id(last), noon()) }
    }

    fn sign_in(of: UserId) -> Session {
        let session = "ses_00000000000000000000000000000005".parse().unwrap();
        let token = RefreshToken::first(session, [1; 16], [0; 32]);
        Session::begin(&User::guest(of, noon()), &token, Origin::of(None, String::new()), noon())
    }

    fn edited(user: User, admins: &[char], wish: Wish) -> Result<Change<SignIns>, Refusal> {
        edited_by('b', user, admins, wish)
    }

    fn edited_by(
        by: char,
        user: User,
        admins: &[char],
        wish: Wish,
    ) -> Result<Change<SignIns>, Refusal> {
        let admins = Admins::of(admins.iter().copied().map(id).collect());
        let auditor = Auditor { by: Some(id(by)), entries: ["aud_1".into(), "aud_2".into()] };
        let sign_in = sign_in(user.id);
        user.edited(admins, [sign_in], wish, &auditor, noon())
    }

    fn acts_of(change: &Change<SignIns>) -> Vec<Act> {
        change.entries::<Entry>().iter().map(|entry| entry.act).collect()
    }

    fn ended(change: &Change<SignIns>) -> usize {
        match &change.value {
            SignIns::Last => 0,
            SignIns::End(sessions) => sessions.len(),
        }
    }

    #[test]
    fn who_is_promoted_is_signed_out_and_it_is_written_down() {
        let change = edited(person('a', Role::Shopper), &['b'], PROMOTE).unwrap();

        assert_eq!(change.writes::<User>()[0].role, Role::Admin);
        assert_eq!(change.writes::<Admins>()[0].people, [id('b'), id('a')]);
        assert_eq!((change.told::<SessionRevoked>().len(), ended(&change)), (1, 1));
        assert!(!sign_in(id('a')).is_of_the_era_of(&change.writes::<User>()[0]));
        let entry = change.entries::<Entry>().remove(0);
        assert_eq!((entry.by, entry.person, entry.at), (Some(id('b')), Some(id('a')), noon()));
        assert_eq!(entry.act, Act::RoleChanged { from: Role::Shopper, to: Role::Admin });
    }

    #[test]
    fn the_last_administrator_stays() {
        for wish in [DEMOTE, DISABLE] {
            let refused = edited_by('a', person('a', Role::Admin), &['a'], wish).unwrap_err();
            assert_eq!(refused, Refusal::LastAdmin);

            assert!(edited(person('a', Role::Admin), &['a', 'b'], wish).is_ok());
        }
    }

    #[test]
    fn who_minds_people_no_longer_changes_nobody() {
        for wish in [PROMOTE, DISABLE, ENABLE] {
            let refused = edited_by('c', person('a', Role::Shopper), &['b'], wish).unwrap_err();
            assert_eq!(refused, Refusal::NotAdmin);
        }
    }

    #[test]
    fn who_is_disabled_counts_no_longer() {
        let change = edited(person('a', Role::Admin), &['a', 'b'], DISABLE).unwrap();

        assert_eq!(change.writes::<Admins>()[0].people, [id('b')]);
        assert_eq!((acts_of(&change), ended(&change)), (vec![Act::Disabled], 1));
        let disabled = change.writes::<User>().remove(0);
        let back = edited(disabled, &['b'], ENABLE).unwrap();
        assert_eq!(back.writes::<Admins>()[0].people, [id('b'), id('a')]);
        assert_eq!((acts_of(&back), &back.value), (vec![Act::Enabled], &SignIns::Last));
        assert_eq!(back.writes::<User>()[0].era, 1, "nobody comes back who was signed out");
    }

    #[test]
    fn both_at_once_are_two_acts() {
        let wish = Wish { role: Some(Role::Staff), disabled: Some(true) };

        let change = edited(person('a', Role::Shopper), &['b'], wish).unwrap();

        let promoted = Act::RoleChanged { from: Role::Shopper, to: Role::Staff };
        assert_eq!(acts_of(&change), [promoted, Act::Disabled]);
    }

    #[test]
    fn what_is_so_already_is_no_act() {
        for wish in [DEMOTE, ENABLE, Wish { role: None, disabled: None }] {
            assert!(edited(person('a', Role::Shopper), &['b'], wish).unwrap().is_none());
        }
    }

    #[test]
    fn guests_have_no_role_to_change_and_nobody_becomes_one() {
        let refused = edited(person('a', Role::Guest), &['b'], PROMOTE).unwrap_err();
        assert_eq!(refused, Refusal::NoSuchRole);
        for role in [Role::Guest, Role::Unknown] {
            let wish = Wish { role: Some(role), disabled: None };
            let refused = edited(person('a', Role::Shopper), &['b'], wish).unwrap_err();
            assert_eq!(refused, Refusal::NoSuchRole);
        }
    }
}
