//! What a mail lets its reader do, once (OWASP forgot password cheat sheet).

use std::time::Duration;

use common::{Change, Document};
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{About, Digest, Email, Mail, MailId, MailToken, PasswordHash, Refusal, User};

/// How long one may say that an address is theirs.
const VERIFIED_WITHIN: Duration = Duration::from_hours(72);
/// How long one may choose another password.
const RESET_WITHIN: Duration = Duration::from_hours(1);

/// Lets whoever read a mail do one thing, once. Only the digest of its token is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// The mail that the token is in.
    #[serde(rename = "_id")]
    pub(crate) id: MailId,
    /// For whom it is.
    pub(crate) user_id: UserId,
    /// What it lets them do.
    pub(crate) errand: Errand,
    /// Recognises the token.
    pub(crate) token: Digest,
    /// It is good until then.
    pub(crate) expires_at: Timestamp,
}

/// What somebody may do who read a mail, while things are as they were when it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Errand {
    /// Say that the address is theirs.
    Verify {
        /// The address it was sent to.
        email: Digest,
    },
    /// Choose another password.
    Reset {
        /// The address it was sent to.
        email: Digest,
        /// The password that was forgotten: any other choice makes it void.
        instead_of: Digest,
    },
}

/// A mail with a token in it, drawn before the decision that writes it.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// Names the mail.
    pub(crate) id: MailId,
    /// Recognises the token.
    pub(crate) token: Digest,
}

impl Document for Ticket {
    const COLLECTION: &'static str = "tickets";
    type Id = MailId;

    fn id(&self) -> MailId {
        self.id.clone()
    }
}

impl Ticket {
    /// Somebody is asked to do something; once, should it be decided again. `known` is the mail.
    pub(crate) fn issue(
        known: Option<&Mail>,
        Drawn { id, token }: Drawn,
        user_id: UserId,
        errand: Errand,
        now: Timestamp,
    ) -> Change<()> {
        if known.is_some() {
            return Change::none(());
        }
        let (about, within) = match errand {
            Errand::Verify { .. } => (About::Verify, VERIFIED_WITHIN),
            Errand::Reset { .. } => (About::Reset, RESET_WITHIN),
        };
        let mail = Mail::write(id.clone(), Some(user_id), about, now);
        let ticket = Self { id, user_id, errand, token, expires_at: now.plus(within) };
        Change::none(()).with(&ticket).with(&mail)
    }

    /// Whether it is still good for this person.
    pub(crate) fn is_good_for(&self, user: &User, now: Timestamp) -> bool {
        let email = user.email.as_ref().map(Email::digest);
        let password = user.password_hash.as_ref().map(PasswordHash::digest);
        let as_it_was = match &self.errand {
            Errand::Verify { email: sent_to } => email.as_ref() == Some(sent_to),
            Errand::Reset { email: sent_to, instead_of } => {
                email.as_ref() == Some(sent_to) && password.as_ref() == Some(instead_of)
            }
        };
        self.user_id == user.id && now < self.expires_at && !user.disabled && as_it_was
    }
}

impl User {
    /// They read the mail that asked whether the address is theirs.
    pub(crate) fn verify(
        user: Option<Self>,
        ticket: Option<Ticket>,
        token: &MailToken,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let (user, ticket) = Self::admit(user, ticket, token, now)?;
        match ticket.errand {
            Errand::Verify { .. } => {
                Ok(Change::to(user.verified(now)).without::<Ticket>(&ticket.id))
            }
            Errand::Reset { .. } => Err(Refusal::DeadToken),
        }
    }

    /// They read the mail that lets them choose another password: so the address is theirs, too.
    pub(crate) fn reset(
        user: Option<Self>,
        ticket: Option<Ticket>,
        token: &MailToken,
        chosen: &PasswordHash,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let (user, ticket) = Self::may_reset(user, ticket, token, now)?;
        let user = Self { password_hash: Some(chosen.clone()), ..user.verified(now) };
        Ok(Change::to(user.signed_out()).without::<Ticket>(&ticket.id))
    }

    /// The person, if this token lets them choose another password.
    pub(crate) fn may_reset(
        user: Option<Self>,
        ticket: Option<Ticket>,
        token: &MailToken,
        now: Timestamp,
    ) -> Result<(Self, Ticket), Refusal> {
        let (user, ticket) = Self::admit(user, ticket, token, now)?;
        match ticket.errand {
            Errand::Reset { .. } => Ok((user, ticket)),
            Errand::Verify { .. } => Err(Refusal::DeadToken),
        }
    }

    fn admit(
        user: Option<Self>,
        ticket: Option<Ticket>,
        token: &MailToken,
        now: Timestamp,
    ) -> Result<(Self, Ticket), Refusal> {
        let (user, ticket) = user.zip(ticket).ok_or(Refusal::DeadToken)?;
        let good = ticket.id == *token.mail()
            && ticket.token == token.digest()
            && ticket.is_good_for(&user, now);
        if good { Ok((user, ticket)) } else { Err(Refusal::DeadToken) }
    }

    fn verified(self, now: Timestamp) -> Self {
        Self { email_verified_at: self.email_verified_at.or(Some(now)), ..self }
    }
}
