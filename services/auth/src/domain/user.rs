//! People: guests, shoppers and staff.

use std::ops::Not;

use common::{Change, Document};
use contracts::auth::{Registered, Role};
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Digest, Email, Name, PasswordHash, Proof, Refusal};

/// A person: a guest, or one with an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    /// Names the person.
    #[serde(rename = "_id")]
    pub(crate) id: UserId,
    /// What they may do.
    pub(crate) role: Role,
    /// Where they get mail; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<Email>,
    /// Since when it is known that they read mail there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email_verified_at: Option<Timestamp>,
    /// What proves that they are who they say; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password_hash: Option<PasswordHash>,
    /// How they want to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Name>,
    /// The name as it is searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) called: Option<String>,
    /// Since when they are known.
    pub(crate) created_at: Timestamp,
    /// Whether they may sign in no more.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) disabled: bool,
    /// The account that a guest turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merged_into: Option<UserId>,
    /// Whether a guest ordered something: such a guest is not forgotten.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) has_ordered: bool,
    /// How often they were signed out everywhere: a sign-in of an earlier era gets no more tokens,
    /// even while its own end is not written down yet.
    #[serde(default)]
    pub(crate) era: u32,
}

/// An e-mail address that has an account: one address, one account.
///
/// It is named by the digest of the address, so that no address is in a key, an error or a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EmailClaim {
    /// Names the address.
    #[serde(rename = "_id")]
    pub(crate) id: Digest,
    /// Whose it is.
    pub(crate) user_id: UserId,
}

/// What somebody registers with.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Names the person; chosen before, so that a repeat is recognised.
    pub(crate) id: UserId,
    /// What they may do.
    pub(crate) role: Role,
    /// Where they get mail, and how they are found when they sign in.
    pub(crate) email: Email,
    /// Of the password that they chose.
    pub(crate) password_hash: PasswordHash,
    /// How they want to be called.
    pub(crate) name: Option<Name>,
}

impl Document for User {
    const COLLECTION: &'static str = "users";
    type Id = UserId;

    fn id(&self) -> UserId {
        self.id
    }
}

impl Document for EmailClaim {
    const COLLECTION: &'static str = "email_claims";
    type Id = Digest;

    fn id(&self) -> Digest {
        self.id.clone()
    }
}

impl User {
    /// Somebody comes without an account.
    pub(crate) const fn guest(id: UserId, now: Timestamp) -> Self {
        Self {
            id,
            role: Role::Guest,
            email: None,
            email_verified_at: None,
            password_hash: None,
            name: None,
            called: None,
            created_at: now,
            disabled: false,
            merged_into: None,
            has_ordered: false,
            era: 0,
        }
    }

    /// Somebody makes an account, unless the address has one. `claim` is that of the address.
    pub(crate) fn register(
        claim: Option<EmailClaim>,
        account: Account,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let address = account.email.digest();
        let user = Self::from(account, now);
        match claim {
            None => {
                let claim = EmailClaim { id: address, user_id: user.id };
                let told = Registered { user_id: user.id, role: user.role };
                Ok(Change::to(user).with(&claim).telling(&told))
            }
            // This very registration: its outcome was not known, so it is decided again.
            Some(claim) if claim.user_id == user.id => Ok(Change::none(user)),
            Some(_) => Err(Refusal::EmailTaken),
        }
    }

    /// The person, if the password that was checked is still theirs.
    pub(crate) fn proved_by(self, proof: &Proof) -> Result<Change<Self>, Refusal> {
        let Proof { verified, renewed } = proof;
        let right = self.password_hash.is_some()
            && [Some(verified), renewed.as_ref()].contains(&self.password_hash.as_ref());
        if right && self.disabled {
            return Err(Refusal::Disabled);
        }
        match (&self.password_hash, renewed) {
            (Some(kept), Some(renewed)) if kept == verified => {
                Ok(Change::to(Self { password_hash: Some(renewed.clone()), ..self }))
            }
            (Some(kept), _) if kept == verified || Some(kept) == renewed.as_ref() => {
                Ok(Change::none(self))
            }
            _ => Err(Refusal::WrongCredentials),
        }
    }

    /// They choose another password, knowing the one they had.
    pub(crate) fn rekeyed(
        self,
        proof: &Proof,
        chosen: &PasswordHash,
    ) -> Result<Change<Self>, Refusal> {
        if self.password_hash.as_ref() == Some(chosen) {
            return Ok(Change::none(self));
        }
        if self.password_hash.as_ref() != Some(&proof.verified) {
            return Err(Refusal::WrongPassword);
        }
        Ok(Change::to(Self { password_hash: Some(chosen.clone()), ..self }.signed_out()))
    }

    /// Every sign-in that began until now gets no more tokens.
    pub(crate) fn signed_out(self) -> Self {
        Self { era: self.era.wrapping_add(1), ..self }
    }

    /// They want to be called otherwise, or not at all.
    pub(crate) fn renamed(self, name: Option<Name>) -> Change<Self> {
        if self.name == name {
            return Change::none(self);
        }
        Change::to(self.called(name))
    }

    fn called(self, name: Option<Name>) -> Self {
        Self { called: name.as_ref().map(Name::folded), name, ..self }
    }

    fn from(account: Account, now: Timestamp) -> Self {
        let Account { id, role, email, password_hash, name } = account;
        let (email, password_hash) = (Some(email), Some(password_hash));
        Self { role, email, password_hash, ..Self::guest(id, now) }.called(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn id(last: char) -> UserId {
        format!("usr_0000000000000000000000000000000{last}").parse().unwrap()
    }

    fn hash() -> PasswordHash {
        PasswordHash::from_phc("$argon2id$…")
    }

    fn account() -> Account {
        let email = "alice@example.com".parse().unwrap();
        Account { id: id('a'), role: Role::Shopper, email, password_hash: hash(), name: None }
    }

    fn claim(user_id: UserId) -> EmailClaim {
        EmailClaim { id: account().email.digest(), user_id }
    }

    #[test]
    fn registering_claims_the_address_and_says_so() {
        let change = User::register(None, account(), noon()).unwrap();

        assert_eq!(change.writes::<User>(), std::slice::from_ref(&change.value));
        assert_eq!(change.writes::<EmailClaim>(), [claim(id('a'))]);
        let told = Registered { user_id: id('a'), role: Role::Shopper };
        assert_eq!(change.told::<Registered>(), [told]);
    }

    #[test]
    fn a_claimed_address_has_its_account() {
        let refused = User::register(Some(claim(id('b'))), account(), noon());

        assert_eq!(refused.unwrap_err(), Refusal::EmailTaken);
    }

    #[test]
    fn a_registration_that_is_decided_again_happens_once() {
        let change = User::register(Some(claim(id('a'))), account(), noon()).unwrap();

        assert!(change.is_none());
        assert_eq!(change.value.id, id('a'));
    }

    #[test]
    fn a_password_that_was_changed_meanwhile_proves_nothing() {
        let user = User::register(None, account(), noon()).unwrap().value;
        let proof = |verified| Proof { verified, renewed: None };
        let other = proof(PasswordHash::from_phc("$argon2id$other"));

        assert!(user.clone().proved_by(&proof(hash())).unwrap().is_none());
        assert_eq!(user.proved_by(&other).unwrap_err(), Refusal::WrongCredentials);
        let guest = User::guest(id('c'), noon());
        assert_eq!(guest.proved_by(&proof(hash())).unwrap_err(), Refusal::WrongCredentials);
    }

    #[test]
    fn an_outdated_hash_is_replaced_once() {
        let user = User::register(None, account(), noon()).unwrap().value;
        let renewed = PasswordHash::from_phc("$argon2id$new");
        let proof = Proof { verified: hash(), renewed: Some(renewed.clone()) };

        let change = user.proved_by(&proof).unwrap();

        assert_eq!(change.writes::<User>()[0].password_hash, Some(renewed));
        assert!(change.value.proved_by(&proof).unwrap().is_none());
    }
}
