//! What people do who read a mail.

use std::collections::BTreeMap;

use common::Change;
use common::store::{Cause, Many, One, Receipt, Scope, UpdateError};
use contracts::{Timestamp, UserId};

use super::{Accounts, Outcome};
use crate::domain::{
    About, AddressChange, Agreed, Drawn, Email, EmailClaim, Errand, Mail, MailId, MailToken,
    PasswordHash, Refusal, Session, Ticket, User,
};

type Restored = (Option<User>, Option<Ticket>, Option<Mail>, BTreeMap<String, Session>);

impl Accounts {
    /// Somebody wants to be asked again whether an address is theirs.
    pub(crate) async fn ask_again(&self, user: &User, cause: Cause) -> Outcome<()> {
        let Some(email) = user.email.as_ref().filter(|_| user.email_verified_at.is_none()) else {
            return Ok(());
        };
        self.issue(user.id, About::Verify, Errand::Verify { email: email.digest() }, cause).await
    }

    /// Somebody says that an address is theirs.
    pub(crate) async fn verify(&self, token: MailToken, cause: Cause) -> Outcome<()> {
        let person = self.errand_of(&token).await?;
        let scope = (One::<User>(person), One::<Ticket>(token.mail().clone()));
        let verify = move |(user, ticket), now| User::verify(user, ticket, &token, now);
        self.once(scope, cause, verify).await.map(drop)
    }

    /// Somebody forgot the password of an address. Whether anybody has that address makes no
    /// difference to what is done: a mail to nobody is written as any other, and found to be one
    /// when it is to be sent.
    pub(crate) async fn forgotten(&self, email: &Email, cause: Cause) -> Outcome<()> {
        let user = self.find(email).await?.filter(|user| !user.disabled);
        let nobody = UserId::from_uuid(self.clock().uuid());
        let person = user.as_ref().map_or(nobody, |user| user.id);
        let kept = user.and_then(|user| user.password_hash);
        let instead_of = kept.map_or_else(|| email.digest(), |kept| kept.digest());
        let errand = Errand::Reset { email: email.digest(), instead_of };
        self.issue(person, About::Reset, errand, cause).await
    }

    /// Who may choose another password with this token.
    pub(crate) async fn may_reset(&self, token: &MailToken) -> Outcome<User> {
        let person = self.errand_of(token).await?;
        let ticket = self.ticket(token.mail()).await?;
        let user = self.get(person).await?.map(|user| user.value);
        let admitted = User::may_reset(user, ticket, token, self.clock().now());
        admitted.map(|(user, _)| user).map_err(UpdateError::Refused)
    }

    /// Somebody who forgot their password chooses another one: their sign-ins end, those that are
    /// known in the same commit.
    pub(crate) async fn reset(
        &self,
        person: UserId,
        token: MailToken,
        chosen: PasswordHash,
        cause: Cause,
    ) -> Outcome<()> {
        let sign_ins = self.some_sign_ins(person, None).await?;
        let notice = self.notice();
        let scope = (
            One::<User>(person),
            One::<Ticket>(token.mail().clone()),
            One::<Mail>(notice.clone()),
            Many::<Session>(sign_ins),
        );
        let reset = move |(user, ticket, _, sign_ins): Restored, now| {
            let mail = Mail::write(notice.clone(), Some(person), About::PasswordChanged, now);
            let reset = User::reset(user, ticket, &token, &chosen, now)?.with(&mail);
            let ended = Session::revoke_all(sign_ins.into_values(), now);
            let sessions = ended.value.clone();
            Ok(reset.and(ended).map(|_| sessions))
        };
        for session in self.once(scope, cause.clone(), reset).await?.unwrap_or_default() {
            self.heard(&session);
        }
        self.end_sign_ins(person, None, cause).await
    }

    /// Somebody who knows the password wants their mail at another address.
    pub(crate) async fn move_mail(&self, id: UserId, to: Email, cause: Cause) -> Outcome<()> {
        let drawn = self.clock().uuid().simple().to_string();
        let both = [About::AddressOld, About::AddressNew].map(|about| {
            let mail = about.mail(&drawn);
            self.secrets.drawn(mail)
        });
        let mails = (One::<Mail>(both[0].id.clone()), One::<Mail>(both[1].id.clone()));
        let scope = (One::<User>(id), One::<AddressChange>(drawn), mails);
        let begin = move |(user, known, _): (Option<User>, Option<AddressChange>, _), now| {
            AddressChange::begin(known.as_ref(), user, &to, both.clone(), now)
        };
        self.decide(scope, cause, begin).await
    }

    /// One of two addresses agrees that mail goes from one to the other.
    pub(crate) async fn agree(&self, token: MailToken, cause: Cause) -> Outcome<Agreed> {
        let change = self.address_change(token.mail()).await?;
        let change = change.ok_or(UpdateError::Refused(Refusal::DeadToken))?;
        let claims =
            (One::<EmailClaim>(change.from.clone()), One::<EmailClaim>(change.to.digest()));
        let scope = (One::<AddressChange>(change.id), One::<User>(change.user_id), claims);
        let mail = token.mail().clone();
        let agree = move |(change, user, (_, claim)): Moved, now| {
            change.ok_or(Refusal::DeadToken)?.agree(user, claim.as_ref(), &token, now)
        };
        if let Some(agreed) = self.once(scope, cause, agree).await? {
            return Ok(agreed);
        }
        // It was done, and its outcome not known at first.
        let goes_on = self.address_change(&mail).await?.is_some();
        Ok(if goes_on { Agreed::One } else { Agreed::Both })
    }

    /// One of two addresses does not agree.
    pub(crate) async fn refuse(&self, token: MailToken, cause: Cause) -> Outcome<()> {
        let dead = || UpdateError::Refused(Refusal::DeadToken);
        let named = AddressChange::named_by(token.mail()).ok_or_else(dead)?;
        let refuse = move |change: Option<AddressChange>, _| {
            change.ok_or(Refusal::DeadToken)?.refuse(&token)
        };
        self.once(One::<AddressChange>(named), cause, refuse).await.map(drop)
    }

    /// The mail that asks a new account whether the address is theirs.
    pub(super) fn welcome(&self) -> Drawn {
        self.secrets.drawn(About::Verify.mail(&self.clock().uuid().simple().to_string()))
    }

    /// The name of a mail that says that there is another password.
    pub(super) fn notice(&self) -> MailId {
        About::PasswordChanged.mail(&self.clock().uuid().simple().to_string())
    }

    async fn issue(
        &self,
        person: UserId,
        about: About,
        errand: Errand,
        cause: Cause,
    ) -> Outcome<()> {
        let drawn = self.secrets.drawn(about.mail(&self.clock().uuid().simple().to_string()));
        let scope = (One::<Mail>(drawn.id.clone()), One::<Ticket>(drawn.id.clone()));
        let issue = move |(mail, _): (Option<Mail>, _), now| {
            Ok(Ticket::issue(mail.as_ref(), drawn.clone(), person, errand.clone(), now))
        };
        self.decide(scope, cause, issue).await
    }

    /// Whom the mail was for that a token was in.
    async fn errand_of(&self, token: &MailToken) -> Outcome<UserId> {
        let ticket = self.ticket(token.mail()).await?;
        let ticket = ticket.filter(|ticket| ticket.token == token.digest());
        ticket.map(|ticket| ticket.user_id).ok_or(UpdateError::Refused(Refusal::DeadToken))
    }

    /// What is done with a token is done once: the receipt says so when the outcome of a commit was
    /// not known. `None` when it was done before.
    async fn once<S: Scope, T: Send + 'static>(
        &self,
        scope: S,
        cause: Cause,
        decide: impl Fn(S::Things, Timestamp) -> Result<Change<T>, Refusal> + Send + 'static,
    ) -> Outcome<Option<T>> {
        let receipt = Receipt::generated(cause, self.clock());
        self.store.apply(scope, receipt, decide).await
    }
}

type Moved = (Option<AddressChange>, Option<User>, (Option<EmailClaim>, Option<EmailClaim>));
