//! Where accounts and sign-ins are kept.

mod mails;
mod people;
mod sign_ins;
mod tickets;

use std::collections::BTreeMap;

use common::identity::Identity;
use common::store::{
    Cause, IfMatch, Many, One, Receipt, Scope, Store, StoreError, Stored, UpdateError,
};
use common::{Change, Clock, Document as _, Service};
use contracts::{SessionId, Timestamp, UserId};
use mongodb::bson::doc;
use tracing::{info, warn};

use crate::domain::{
    About, Account, Act, Admins, Email, EmailClaim, Errand, FORGOTTEN_AFTER, Mail, Name, Next,
    Origin, PasswordHash, Proof, RefreshToken, Refreshed, Refusal, Rotation, Session, Ticket, User,
};
use crate::mail::Secrets;
use crate::random;
pub(crate) use mails::Told;
pub(crate) use people::Search;

/// Accounts and sign-ins. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Accounts {
    store: Store,
    identity: Identity,
    secrets: Secrets,
}

/// Somebody who is signed in, and the token that keeps them so.
pub(crate) struct SignIn {
    pub(crate) user: User,
    pub(crate) token: RefreshToken,
}

type Registering =
    (Option<EmailClaim>, Option<User>, Option<Session>, (Option<Mail>, Option<Ticket>));
type Rekeyed = (Option<User>, Option<Mail>, Option<Session>, BTreeMap<String, Session>);
type Coming = (Option<User>, (Option<Session>, BTreeMap<String, Session>));
type Outcome<T> = Result<T, UpdateError<Refusal>>;

impl Accounts {
    /// Makes sure that everything has its place. The tokens in mails are made of these secrets.
    pub(crate) async fn open(
        service: &Service,
        secrets: Secrets,
    ) -> Result<Self, UpdateError<Refusal>> {
        let store = service.store();
        store.index::<User>(doc! { "role": 1, "created_at": 1 }, false).await?;
        store.collection_of::<EmailClaim>().await?;
        store.index::<Session>(doc! { "expires_at": 1 }, false).await?;
        store.index::<Session>(doc! { "user_id": 1, "revoked_at": 1, "_id": -1 }, false).await?;
        let accounts = Self { store, identity: service.identity(), secrets };
        accounts.open_people().await?;
        accounts.open_mails().await?;
        Ok(accounts)
    }

    /// Tells the time and draws ids.
    pub(crate) fn clock(&self) -> &Clock {
        self.store.clock()
    }

    /// Checks who is asking.
    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// A person, as they are now.
    pub(crate) async fn get(&self, id: UserId) -> Result<Option<Stored<User>>, StoreError> {
        self.store.get(&id).await
    }

    /// Whose address this is. Whether it is anybody's cannot be told from how long it takes.
    pub(crate) async fn find(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let claim = self.store.get::<EmailClaim>(&email.digest()).await?;
        let nobody = || UserId::from_uuid(self.clock().uuid());
        let id = claim.map_or_else(nobody, |claim| claim.user_id);
        Ok(self.get(id).await?.map(|user| user.value))
    }

    /// Somebody comes without an account.
    pub(crate) async fn guest(&self, origin: Origin, cause: Cause) -> Outcome<SignIn> {
        let (id, token) = (UserId::from_uuid(self.clock().uuid()), self.first_token());
        let scope = (One::<User>(id), One::<Session>(token.session()));
        let begins = token.clone();
        let come = move |_, now| {
            let guest = User::guest(id, now);
            let session = Session::begin(&guest, &begins, origin.clone(), now);
            Ok(Change::to(guest).with(&session))
        };
        Ok(SignIn { user: self.decide(scope, cause, come).await?, token })
    }

    /// The first one who minds people makes an account, without being signed in.
    pub(crate) async fn enrol(&self, account: Account, cause: Cause) -> Outcome<User> {
        let claim = One::<EmailClaim>(account.email.digest());
        let scope = (claim, One::<User>(account.id), One::<Admins>(Admins::ID));
        let auditor = self.auditor(None);
        let enrol = move |(claim, _, admins): (_, _, Option<Admins>), now| {
            let enrolled = User::register(claim, account.clone(), now)?;
            if enrolled.is_none() {
                return Ok(enrolled);
            }
            let admins = admins.unwrap_or_else(|| Admins::of(Vec::new()));
            let admins = admins.having(&enrolled.value)?;
            let noted = auditor.entries(Some(account.id), &[Act::Appointed], now);
            Ok(noted.iter().fold(enrolled.with(&admins), Change::row))
        };
        self.decide(scope, cause, enrol).await
    }

    /// Somebody makes an account and is signed in. A mail asks them whether the address is theirs.
    pub(crate) async fn register(
        &self,
        account: Account,
        origin: Origin,
        cause: Cause,
    ) -> Outcome<SignIn> {
        let (token, asks) = (self.first_token(), self.welcome());
        let claim = One::<EmailClaim>(account.email.digest());
        let mail = (One::<Mail>(asks.id.clone()), One::<Ticket>(asks.id.clone()));
        let scope = (claim, One::<User>(account.id), One::<Session>(token.session()), mail);
        let begins = token.clone();
        let register = move |(claim, _, _, (mail, _)): Registering, now| {
            let registered = User::register(claim, account.clone(), now)?;
            let session = Session::begin(&registered.value, &begins, origin.clone(), now);
            let errand = Errand::Verify { email: account.email.digest() };
            let asked = Ticket::issue(mail.as_ref(), asks.clone(), account.id, errand, now);
            Ok(registered.with(&session).and(asked))
        };
        Ok(SignIn { user: self.decide(scope, cause, register).await?, token })
    }

    /// Somebody signs in who knows the password; where they are signed in too often, the oldest
    /// sign-in ends.
    ///
    /// Should the person have changed meanwhile (another password, no longer welcome, or signed out
    /// everywhere), this sign-in is of an era that is over: it is looked at once more, and ends.
    pub(crate) async fn sign_in(
        &self,
        id: UserId,
        proof: Proof,
        origin: Origin,
        cause: Cause,
    ) -> Outcome<SignIn> {
        let (token, too_many) = (self.first_token(), self.too_many(id).await?);
        let begins = (One::<Session>(token.session()), Many::<Session>(too_many));
        let (first, shown) = (token.clone(), proof.clone());
        let sign_in = move |(user, (_, oldest)): Coming, now| {
            let proved = user.ok_or(Refusal::WrongCredentials)?.proved_by(&shown)?;
            let session = Session::begin(&proved.value, &first, origin.clone(), now);
            let ended = Session::revoke_all(oldest.into_values(), now);
            let told = (session.clone(), ended.value.clone());
            Ok(proved.with(&session).and(ended).map(|_| told))
        };
        let scope = (One::<User>(id), begins);
        let (session, ended) = self.decide(scope, cause.clone(), sign_in).await?;
        for ended in &ended {
            self.heard(ended);
        }
        let user = self.get(id).await?.map(|user| user.value);
        let user = user.filter(|user| user.clone().proved_by(&proof).is_ok());
        match user {
            Some(user) if session.is_of_the_era_of(&user) => return Ok(SignIn { user, token }),
            Some(_) | None => self.sign_out(session.id, cause).await?,
        }
        Err(user.map_or(UpdateError::Refused(Refusal::WrongCredentials), |_| UpdateError::Busy))
    }

    /// Somebody wants to be called otherwise.
    pub(crate) async fn rename(
        &self,
        id: UserId,
        name: Option<Name>,
        if_match: IfMatch,
        cause: Cause,
    ) -> Outcome<()> {
        let rename =
            move |user: Option<User>, _| Ok(user.ok_or(Refusal::SignInOver)?.renamed(name.clone()));
        let scope = One::<User>(id).matching(Some(if_match));
        self.decide(scope, cause, rename).await.map(drop)
    }

    /// Somebody chooses another password, and gets a mail that says so. Their other sign-ins end,
    /// those that are known in the same commit.
    pub(crate) async fn rekey(
        &self,
        (id, here): (UserId, SessionId),
        proof: Proof,
        chosen: PasswordHash,
        cause: Cause,
    ) -> Outcome<()> {
        let elsewhere = self.some_sign_ins(id, Some(here)).await?;
        let notice = self.notice();
        let sessions = (One::<Session>(here), Many::<Session>(elsewhere));
        let scope = (One::<User>(id), One::<Mail>(notice.clone()), sessions.0, sessions.1);
        let rekey = move |(user, _, here, sign_ins): Rekeyed, now| {
            let rekeyed = user.ok_or(Refusal::SignInOver)?.rekeyed(&proof, &chosen)?;
            if rekeyed.is_none() {
                return Ok(rekeyed.map(|_| Vec::new()));
            }
            let mail = Mail::write(notice.clone(), Some(id), About::PasswordChanged, now);
            let here = here.map(|session| session.outlasts(&rekeyed.value));
            let ended = Session::revoke_all(sign_ins.into_values(), now);
            let sessions = ended.value.clone();
            let rekeyed = here.iter().fold(rekeyed.with(&mail).and(ended), Change::with);
            Ok(rekeyed.map(|_| sessions))
        };
        for session in self.decide(scope, cause.clone(), rekey).await? {
            self.heard(&session);
        }
        self.end_sign_ins(id, Some(here), cause).await
    }

    /// A guest, whose sign-in this was, turned out to be the person of an account. Gives the guest if
    /// what was theirs is the account's.
    pub(crate) async fn merge(
        &self,
        guest: UserId,
        sign_in: SessionId,
        account: UserId,
        cause: Cause,
    ) -> Outcome<Option<UserId>> {
        let scope = (One::<User>(guest), One::<Session>(sign_in));
        let merge = move |(guest, session), now| Ok(User::merge(guest, session, account, now));
        let merged = self.decide(scope, cause, merge).await?;
        if merged {
            self.identity.revoke(sign_in);
        }
        Ok(merged.then_some(guest))
    }

    /// Somebody ordered something.
    pub(crate) async fn ordered(&self, id: UserId, cause: Cause) -> Outcome<()> {
        let order = |user: Option<User>, _| {
            Ok(user.map_or_else(|| Change::none(None), |user| user.order().map(Some)))
        };
        self.decide(One::<User>(id), cause, order).await.map(drop)
    }

    /// Forgets the guests who ordered nothing and cannot come back.
    pub(crate) async fn forget_guests(self) -> Result<(), StoreError> {
        let before = self.clock().now().minus(FORGOTTEN_AFTER).to_string();
        let idle = doc! {
            "role": "guest", "created_at": { "$lt": before }, "has_ordered": { "$ne": true },
        };
        let deleted = self.store.delete_many(User::COLLECTION, idle).await?;
        if deleted > 0 {
            info!(count = deleted, "guests forgotten");
        }
        Ok(())
    }

    /// A token is exchanged for the next one.
    pub(crate) async fn refresh(&self, token: &RefreshToken, cause: Cause) -> Outcome<SignIn> {
        let drawn = token.successor(random::bytes());
        let rotation = Rotation::of(token, &drawn, random::bytes());
        let exchange = move |session: Option<Session>, now| {
            session.ok_or(Refusal::MadeUp)?.refresh(&rotation, now)
        };
        let scope = One::<Session>(token.session());
        let refreshed = self.decide(scope, cause.clone(), exchange).await?;
        let Refreshed { session, next } = refreshed;
        let next = match next {
            Next::Drawn => Some(drawn),
            Next::Given(sealed) => token.unseal(&sealed),
            Next::Withheld => {
                warn!(session.id = %session.id, "refresh token used again: sign-in revoked");
                self.heard(&session);
                None
            }
        };
        let user = self.get(session.user_id).await?.map(|user| user.value);
        match next.zip(user) {
            Some((token, user)) if !user.disabled && session.is_of_the_era_of(&user) => {
                Ok(SignIn { user, token })
            }
            Some(_) | None => {
                // Whoever ended all sign-ins of the person may not have come to this one.
                self.sign_out(session.id, cause).await?;
                Err(UpdateError::Refused(Refusal::SignInOver))
            }
        }
    }

    /// Forgets the sign-ins that nobody can go on with.
    pub(crate) async fn forget_expired(self) -> Result<(), StoreError> {
        let over = doc! { "expires_at": { "$lt": self.clock().now().to_string() } };
        let deleted = self.store.delete_many(Session::COLLECTION, over).await?;
        if deleted > 0 {
            info!(count = deleted, "sessions forgotten");
        }
        Ok(())
    }

    /// This replica refuses the tokens of a revoked sign-in at once; the others hear of it.
    fn heard(&self, session: &Session) {
        if session.revoked_at.is_some() {
            self.identity.revoke(session.id);
        }
    }

    fn first_token(&self) -> RefreshToken {
        let session = SessionId::from_uuid(self.clock().uuid());
        RefreshToken::first(session, random::bytes(), random::bytes())
    }

    /// Deciding again comes to the same, as ids and secrets were drawn before: no receipt, which
    /// would have to keep an answer that holds tokens.
    async fn decide<S: Scope, T: Send + 'static>(
        &self,
        scope: S,
        cause: Cause,
        decide: impl Fn(S::Things, Timestamp) -> Result<Change<T>, Refusal> + Send + 'static,
    ) -> Outcome<T> {
        let decided = self.store.apply(scope, Receipt::none(cause), decide).await?;
        Ok(decided.expect("without a receipt it is decided every time"))
    }
}
