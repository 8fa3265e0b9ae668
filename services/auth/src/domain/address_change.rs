//! Mail that is to go to another address: both addresses have to agree.

use std::time::Duration;

use common::{Change, Document};
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{About, Digest, Drawn, Email, EmailClaim, Mail, MailId, MailToken, Refusal, User};

/// How long both may take to agree.
const WITHIN: Duration = Duration::from_hours(24);

/// A change of address that somebody asked for, as long as not both addresses have agreed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AddressChange {
    /// What was drawn for it; its two mails are named by it.
    #[serde(rename = "_id")]
    pub(crate) id: String,
    /// Who asked.
    pub(crate) user_id: UserId,
    /// Where mail went when they asked.
    pub(crate) from: Digest,
    /// Where it is to go.
    pub(crate) to: Email,
    /// What the one who reads mail there says.
    old: Side,
    /// What the one who reads mail here says.
    new: Side,
    /// It is void after that.
    pub(crate) expires_at: Timestamp,
}

/// One of the two addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Side {
    /// Recognises the token that was sent there.
    token: Digest,
    /// When they agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agreed_at: Option<Timestamp>,
}

/// How far a change of address has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// The other one has to agree, too.
    One,
    /// Mail goes to the new address from now on.
    Both,
}

impl Document for AddressChange {
    const COLLECTION: &'static str = "address_changes";
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }
}

impl AddressChange {
    /// What was drawn for the change that a token belongs to, as the name of its mail says.
    pub(crate) fn named_by(mail: &MailId) -> Option<String> {
        let names = [About::AddressOld, About::AddressNew].map(|about| about.name());
        let mail = mail.as_str();
        let drawn = names.iter().find_map(|name| mail.strip_prefix(name)?.strip_prefix('-'));
        drawn.map(str::to_owned)
    }

    /// Somebody wants their mail elsewhere: both addresses are asked. `known` says whether that was
    /// decided before.
    pub(crate) fn begin(
        known: Option<&Self>,
        user: Option<User>,
        to: &Email,
        [old, new]: [Drawn; 2],
        now: Timestamp,
    ) -> Result<Change<()>, Refusal> {
        let user = user.ok_or(Refusal::SignInOver)?;
        let from = user.email.ok_or(Refusal::SignInOver)?;
        if from == *to {
            return Err(Refusal::SameEmail);
        }
        let id = Self::named_by(&old.id).ok_or(Refusal::Unknown)?;
        if known.is_some() {
            return Ok(Change::none(()));
        }
        let mails = [(&old, About::AddressOld), (&new, About::AddressNew)]
            .map(|(drawn, about)| Mail::write(drawn.id.clone(), Some(user.id), about, now));
        let side = |drawn: Drawn| Side { token: drawn.token, agreed_at: None };
        let change = Self {
            id,
            user_id: user.id,
            from: from.digest(),
            to: to.clone(),
            old: side(old),
            new: side(new),
            expires_at: now.plus(WITHIN),
        };
        Ok(mails.iter().fold(Change::none(()).with(&change), Change::with))
    }

    /// One of the two addresses agrees. `claim` is that of the new one.
    pub(crate) fn agree(
        mut self,
        user: Option<User>,
        claim: Option<&EmailClaim>,
        token: &MailToken,
        now: Timestamp,
    ) -> Result<Change<Agreed>, Refusal> {
        let user = user.filter(|user| self.is_good_for(user, now)).ok_or(Refusal::DeadToken)?;
        let side = self.side(token).ok_or(Refusal::DeadToken)?;
        if side.agreed_at.is_some() {
            return Ok(Change::none(Agreed::One));
        }
        side.agreed_at = Some(now);
        if self.old.agreed_at.is_none() || self.new.agreed_at.is_none() {
            return Ok(Change::to(self).map(|_| Agreed::One));
        }
        if claim.is_some() {
            return Err(Refusal::EmailTaken);
        }
        let (id, from) = (self.id, self.from);
        let claim = EmailClaim { id: self.to.digest(), user_id: user.id };
        let moved = User { email: Some(self.to), email_verified_at: Some(now), ..user };
        let moved = Change::to(moved).with(&claim).without::<EmailClaim>(&from);
        Ok(moved.without::<Self>(&id).map(|_| Agreed::Both))
    }

    /// One of the two does not agree: nothing changes.
    pub(crate) fn refuse(mut self, token: &MailToken) -> Result<Change<()>, Refusal> {
        self.side(token).ok_or(Refusal::DeadToken)?;
        Ok(Change::none(()).without::<Self>(&self.id))
    }

    /// Whether it may still come about for this person.
    pub(crate) fn is_good_for(&self, user: &User, now: Timestamp) -> bool {
        let from = user.email.as_ref().map(Email::digest);
        self.user_id == user.id
            && now < self.expires_at
            && !user.disabled
            && from.as_ref() == Some(&self.from)
    }

    /// Recognises the token of one of its mails.
    pub(crate) fn token(&self, about: &About) -> Option<&Digest> {
        match about {
            About::AddressOld => Some(&self.old.token),
            About::AddressNew => Some(&self.new.token),
            _ => None,
        }
    }

    /// The address that a token was sent to, if it was sent for this change.
    fn side(&mut self, token: &MailToken) -> Option<&mut Side> {
        let digest = token.digest();
        let is_old = *token.mail() == About::AddressOld.mail(&self.id);
        let is_new = *token.mail() == About::AddressNew.mail(&self.id);
        let side = match (is_old, is_new) {
            (true, _) => &mut self.old,
            (_, true) => &mut self.new,
            (false, false) => return None,
        };
        Some(side).filter(|side| side.token == digest)
    }
}
