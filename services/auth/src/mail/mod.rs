//! Sends the mails that were written, each until the server has it.
//!
//! At least once: whoever dies between the server's word and the note of it leaves a mail that is
//! sent again, under the same Message-ID. Nobody's address is in a log, and neither are the words of
//! the server, which may repeat it.

mod letter;
mod outlet;
mod secrets;
mod words;

use std::sync::Arc;
use std::time::Duration;

use common::store::{Cause, MayBeAway as _, Resting, StoreError, UpdateError};
use contracts::{OrderId, Timestamp};
use futures_util::future::join_all;
use metrics::{counter, gauge};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::{
    About, AddressChange, Digest, Email, Mail, MailId, MailToken, Refusal, Ticket, User,
};
use crate::store::Accounts;
pub(crate) use letter::Sender;
use outlet::Undelivered;
pub(crate) use outlet::{Outlet, UnfitServer};
pub(crate) use secrets::Secrets;
use words::Shop;
pub(crate) use words::ShopUrl;

/// How often is looked for mails that are due.
pub(crate) const ROUND: Duration = Duration::from_secs(1);
/// How often it is measured how long mails wait.
const MEASURE: Duration = Duration::from_secs(15);
/// So long after something was told of an order, whose order it is may not have been heard yet.
const UNKNOWN_FOR: Duration = Duration::from_hours(1);
/// So many are on their way at once.
const HANDFUL: i64 = 8;

/// What mails are sent with.
pub(crate) struct Postage {
    /// Where they go.
    pub(crate) outlet: Outlet,
    /// Whom they come from.
    pub(crate) sender: Sender,
    /// Where the shop's pages are.
    pub(crate) shop: ShopUrl,
    /// What their tokens are made of.
    pub(crate) secrets: Secrets,
}

/// Sends mails. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Post {
    accounts: Accounts,
    postage: Arc<Postage>,
    stopping: CancellationToken,
    resting: Resting,
}

/// What a mail is to be made of.
enum Found {
    /// Somebody who reads mail there, and a token where the mail has one.
    Somebody { email: Email, token: Option<MailToken> },
    /// Nobody, or nothing that is still to be told.
    Nobody,
    /// Somebody who never said that the address is theirs, and got mail enough for now.
    TooMany,
    /// It may be found later.
    NotYet,
}

type Failed = UpdateError<Refusal>;

impl Post {
    /// Sends what this service writes.
    pub(crate) fn new(accounts: Accounts, postage: Postage, stopping: CancellationToken) -> Self {
        Self { accounts, postage: Arc::new(postage), stopping, resting: Resting::default() }
    }

    /// Sends what is due. Ends early when the server is away.
    pub(crate) async fn round(self) -> Result<(), Failed> {
        while !self.stopping.is_cancelled() {
            let due = self.accounts.due_mails(HANDFUL, &self.resting).await?;
            if due.is_empty() {
                break;
            }
            let lines = self.accounts.by_order(due).await?;
            let sent = join_all(lines.into_iter().map(|(order, ids)| self.send_line(order, ids)));
            let sent = sent.await;
            let sent = sent.into_iter().collect::<Result<Vec<bool>, Failed>>()?;
            if sent.contains(&false) {
                break;
            }
        }
        Ok(())
    }

    /// Sends mails that are due: those about one order one after the other, in the order of its events.
    async fn send_line(&self, order: Option<OrderId>, due: Vec<MailId>) -> Result<bool, Failed> {
        let Some(order) = order else {
            let mut all = true;
            for id in due {
                all &= self.send_or_rest(id).await?;
            }
            return Ok(all);
        };
        for _ in 0..HANDFUL {
            let first = self.accounts.first_mail(order, &self.resting).await?;
            let Some((id, at)) = first else { break };
            if at > self.accounts.clock().now() {
                self.put_off(due, at).await?;
                break;
            }
            if !self.send_or_rest(id).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The first mail about their order waits: so do these.
    async fn put_off(&self, mails: Vec<MailId>, until: Timestamp) -> Result<(), Failed> {
        for id in mails {
            let cause = Cause::own("mail", self.accounts.clock());
            self.accounts.put_off_mail(id, until, cause).await?;
        }
        Ok(())
    }

    /// The same for one of several: a mail that fails by itself, such as one that cannot be read, rests
    /// for a while and does not hold up the others.
    async fn send_or_rest(&self, id: MailId) -> Result<bool, Failed> {
        match self.send(id.clone()).await {
            Err(error) if !error.is_away() => {
                warn!(mail.id = %id, %error, "a mail cannot be handled");
                counter!("souk_mails_total", "kind" => "unknown", "outcome" => "unreadable")
                    .increment(1);
                self.resting.failed(&id, self.accounts.clock().now());
                Ok(true)
            }
            outcome => {
                self.resting.succeeded(&id);
                outcome
            }
        }
    }

    /// Sends one mail, unless somebody else does; false when the server is away.
    async fn send(&self, id: MailId) -> Result<bool, Failed> {
        let cause = Cause::own("mail", self.accounts.clock());
        let Some(mail) = self.accounts.try_mail(id, cause.clone()).await? else { return Ok(true) };
        if self.accounts.is_superseded(&mail).await? {
            return self.withdraw(mail, cause).await;
        }
        let (email, token) = match self.find(&mail, &cause).await? {
            Found::Somebody { email, token } => (email, token),
            Found::NotYet if !mail.is_tried_too_often() => return Ok(true),
            Found::NotYet | Found::Nobody => return self.withdraw(mail, cause).await,
            Found::TooMany => {
                count(&mail.about, "withheld");
                return self.withdraw(mail, cause).await;
            }
        };
        let letter = words::of(&mail.about, token.as_ref(), &Shop(&self.postage.shop));
        let boundary = Digest::of(&self.postage.secrets.of(&mail.id));
        let message = letter.addressed(&mail, &email, &boundary, &self.postage.sender);
        let delivered = match message {
            Ok(message) => self.postage.outlet.deliver(&mail.id, &message).await,
            Err(letter::Unwritable) => Err(Undelivered::Refused(None)),
        };
        self.note(mail, delivered, cause).await?;
        Ok(!matches!(delivered, Err(Undelivered::Away)))
    }

    async fn withdraw(&self, mail: Mail, cause: Cause) -> Result<bool, Failed> {
        self.accounts.withdraw_mail(mail, cause).await.map(|()| true)
    }

    /// Writes down what came of it.
    async fn note(
        &self,
        mail: Mail,
        delivered: Result<(), Undelivered>,
        cause: Cause,
    ) -> Result<(), Failed> {
        let id = mail.id.clone();
        let noted = match delivered {
            Ok(()) => self.accounts.mail_sent(id.clone(), cause).await?,
            Err(Undelivered::Refused(code)) => {
                self.accounts.mail_refused(id.clone(), code, cause).await?
            }
            Err(Undelivered::Later(code)) => {
                self.accounts.mail_failed(id.clone(), Some(code), cause).await?
            }
            Err(Undelivered::Away) => self.accounts.mail_failed(id.clone(), None, cause).await?,
        };
        let is_dead = noted.as_ref().is_some_and(Mail::is_dead);
        let outcome = match delivered {
            _ if is_dead => "dead",
            Ok(()) => "sent",
            Err(_) => "failed",
        };
        count(&mail.about, outcome);
        say(&id, delivered, is_dead);
        Ok(())
    }

    /// Whom a mail goes to as things are now, and the token in it.
    async fn find(&self, mail: &Mail, cause: &Cause) -> Result<Found, Failed> {
        let known = match (mail.to, mail.about.order()) {
            (Some(person), _) => Some(person),
            (None, Some(order)) => self.accounts.buyer(order).await?,
            (None, None) => return Ok(Found::Nobody),
        };
        let Some(person) = known else {
            let waited = self.accounts.clock().now().since(mail.written_at);
            return Ok(if waited < UNKNOWN_FOR { Found::NotYet } else { Found::Nobody });
        };
        let Some(user) = self.accounts.reader(person).await? else { return Ok(Found::Nobody) };
        match mail.about {
            About::Verify | About::Reset => Ok(self.with_ticket(mail, user).await?),
            About::AddressOld | About::AddressNew => Ok(self.with_change(mail, user).await?),
            About::PasswordChanged => Ok(Found::at(user.email)),
            About::Received { .. }
            | About::Paid { .. }
            | About::Shipped { .. }
            | About::Corrected { .. }
            | About::Refunded { .. } => {
                let email = user.email.clone();
                let may = self.accounts.may_write(user, mail.id.clone(), cause.clone()).await?;
                Ok(if may { Found::at(email) } else { Found::TooMany })
            }
        }
    }

    async fn with_ticket(&self, mail: &Mail, user: User) -> Result<Found, StoreError> {
        let ticket: Option<Ticket> = self.accounts.ticket(&mail.id).await?;
        let now = self.accounts.clock().now();
        let Some(ticket) = ticket.filter(|it| it.is_good_for(&user, now)) else {
            return Ok(Found::Nobody);
        };
        Ok(user.email.map_or(Found::Nobody, |email| self.sealed(email, mail, &ticket.token)))
    }

    async fn with_change(&self, mail: &Mail, user: User) -> Result<Found, StoreError> {
        let change: Option<AddressChange> = self.accounts.address_change(&mail.id).await?;
        let now = self.accounts.clock().now();
        let Some(change) = change.filter(|it| it.is_good_for(&user, now)) else {
            return Ok(Found::Nobody);
        };
        let to_old = mail.about == About::AddressOld;
        let email = if to_old { user.email } else { Some(change.to.clone()) };
        let found = email.zip(change.token(&mail.about));
        Ok(found.map_or(Found::Nobody, |(email, token)| self.sealed(email, mail, token)))
    }

    /// The token that was promised, if this replica has the key that it is made with.
    fn sealed(&self, email: Email, mail: &Mail, promised: &Digest) -> Found {
        let token = self.postage.secrets.token(&mail.id, promised);
        token.map_or(Found::NotYet, |token| Found::Somebody { email, token: Some(token) })
    }
}

impl Found {
    fn at(email: Option<Email>) -> Self {
        email.map_or(Self::Nobody, |email| Self::Somebody { email, token: None })
    }
}

fn count(about: &About, outcome: &'static str) {
    counter!("souk_mails_total", "kind" => about.name(), "outcome" => outcome).increment(1);
}

fn say(id: &MailId, delivered: Result<(), Undelivered>, is_dead: bool) {
    match delivered {
        Ok(()) => info!(mail.id = %id, "mail sent"),
        Err(why) if is_dead => warn!(mail.id = %id, why = %why, "mail given up"),
        Err(why) => warn!(mail.id = %id, why = %why, "mail not sent yet"),
    }
}

/// Measures in every replica how long the oldest mail waits that was not sent, until it is to stop.
pub(crate) async fn measure(accounts: Accounts) {
    let mut beat = interval(MEASURE);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Ok(oldest) = accounts.oldest_mail().await {
            let now = accounts.clock().now();
            let age = oldest.map_or(Duration::ZERO, |written_at| now.since(written_at));
            gauge!("souk_mail_age_seconds").set(age.as_secs_f64());
        }
    }
}
