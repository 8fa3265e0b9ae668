//! Who asks too often waits: longer with each failure, never for ever (OWASP authentication cheat
//! sheet).
//!
//! Of NIST SP 800-63B, section 5.2.2, this follows that waits grow with failures and that a success
//! ends them, but not that an account is locked after 100 failures in a row: so anybody could lock
//! out anybody whose address they know. In the long run, strangers have one guess in 15 minutes.
//!
//! Who signed in with a device before waits for nobody else (OWASP, "Slow Down Online Guessing Attacks
//! with Device Cookies"). The address somebody comes from earns them nothing: others have it, too, and
//! would learn from it who else comes from there.
//!
//! A holder of IPv6 addresses holds very many. So an address counts as its /64, and also as its /56
//! and /48, which subscribers get, with bounds twice and four times as wide.
//!
//! All replicas count together, in the database. Nothing is kept of an address of either kind but a
//! keyed hash. Counts may be lost when a member of the database is; no wait depends on them being
//! there.

mod attempt;
mod counter;
mod device;
mod names;
mod networks;

use std::time::Duration;

use common::Clock;
use common::http::{ClientAddress, RateLimit};
use common::store::{Store, StoreError};
use contracts::UserId;
use secrecy::SecretString;

use crate::domain::Email;
pub(crate) use attempt::{Attempt, Registering};
use counter::{Counters, Growing, Quota};
pub(crate) use device::Device;
use names::Names;

/// Failures of one account on devices that nobody signed in to it with before.
const ACCOUNT: Growing = Growing { name: "sign-in", free: 5, forgiven_in: Duration::from_mins(15) };
/// Failures from one address, whomever they were about. Others may share it, and come at once with
/// the right passwords: what fails is counted when it has, so that those who guess at once are some
/// more, at most as many as passwords are looked at at once.
const ADDRESS: Growing =
    Growing { name: "sign-in-address", free: 20, forgiven_in: Duration::from_mins(1) };
/// Failures of one account on one device that its owner signed in with before: whoever fails
/// elsewhere does not keep the owner waiting. As many as elsewhere.
const FAMILIAR: Growing = Growing { name: "sign-in-familiar", ..ACCOUNT };
/// Finding out which addresses have an account. Counted as failures from one address are.
const TAKEN: Growing = Growing { name: "register", free: 10, forgiven_in: Duration::from_mins(5) };
/// Refresh tokens that are none. Those that are pass, as nobody can guess one.
const REFRESH: Growing = Growing { name: "refresh", free: 50, forgiven_in: Duration::from_mins(1) };
/// Guessing the password of somebody whose sign-in one holds.
const PASSWORD: Growing =
    Growing { name: "password", free: 5, forgiven_in: Duration::from_mins(15) };

/// Mails to one address that somebody has the shop send.
const MAIL: Growing = Growing { name: "mail", free: 5, forgiven_in: Duration::from_mins(15) };
/// The same from one address of the other kind, whomever they go to.
const MAILING: Growing =
    Growing { name: "mail-address", free: 30, forgiven_in: Duration::from_mins(1) };
/// Tokens that were in no mail.
const MAIL_TOKEN: Growing =
    Growing { name: "mail-token", free: 50, forgiven_in: Duration::from_mins(1) };

/// What throttling goes by.
pub(crate) struct Bounds {
    /// What hashes are keyed by.
    pub(crate) secret: SecretString,
    /// How many guests may come from one address in a while.
    pub(crate) guests: u32,
    /// How many may try to register from one address in a while.
    pub(crate) registrations: u32,
}

/// Counts what fails, and who comes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Throttle {
    counters: Counters,
    names: Names,
    clock: Clock,
    guests: Quota,
    registrations: Quota,
}

/// Why somebody has to wait.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Halted {
    /// They asked too often.
    #[error("too many attempts: wait a moment")]
    TooMany(RateLimit),
    /// It cannot be counted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Throttle {
    /// Makes sure that counters have a place, and end by themselves.
    pub(crate) async fn open(store: &Store, bounds: &Bounds) -> Result<Self, StoreError> {
        Ok(Self {
            counters: Counters::open(store).await?,
            names: Names::keyed(&bounds.secret),
            clock: store.clock().clone(),
            guests: Quota { name: "guest", many: bounds.guests },
            registrations: Quota { name: "registration", many: bounds.registrations },
        })
    }

    /// Somebody comes as a guest.
    pub(crate) async fn guest(&self, from: ClientAddress) -> Result<(), Halted> {
        let networks = self.names.networks(from);
        networks.spend(&self.counters, self.guests, self.clock.now()).await
    }

    /// Somebody tries to sign in. Counted before the password is looked at, so that many at once
    /// are as many.
    pub(crate) async fn sign_in(
        &self,
        email: &Email,
        from: ClientAddress,
        device: Option<Device>,
    ) -> Result<Attempt, Halted> {
        let attempt = Attempt::of(self, email, from, device);
        attempt.begin().await
    }

    /// Somebody tries to register.
    pub(crate) async fn register(
        &self,
        email: &Email,
        from: ClientAddress,
        device: Option<Device>,
    ) -> Result<Registering, Halted> {
        let attempt = Attempt::of(self, email, from, device);
        let (networks, now) = (&attempt.networks, attempt.now);
        networks.state(&self.counters, TAKEN, now).await?.let_in()?;
        networks.spend(&self.counters, self.registrations, now).await?;
        Ok(Registering(attempt))
    }

    /// Somebody showed what is no refresh token.
    pub(crate) async fn made_up(&self, from: ClientAddress) -> Result<(), Halted> {
        let networks = self.names.networks(from);
        networks.reserve(&self.counters, REFRESH, self.clock.now()).await
    }

    /// Somebody who is signed in shows the password they have. Counted as a failure until it is known
    /// to be none.
    pub(crate) async fn password(&self, id: UserId) -> Result<(), Halted> {
        let name = self.names.person(id);
        self.counters.reserve(PASSWORD, &name, self.clock.now()).await?.let_in()
    }

    /// It was the one they have.
    pub(crate) async fn password_known(&self, id: UserId) -> Result<(), StoreError> {
        self.counters.end(PASSWORD, &self.names.person(id)).await
    }

    /// Somebody has the shop send a mail, whether or not anybody reads mail there.
    pub(crate) async fn mail(&self, email: &Email, from: ClientAddress) -> Result<(), Halted> {
        let now = self.clock.now();
        self.names.networks(from).reserve(&self.counters, MAILING, now).await?;
        self.counters.reserve(MAIL, &self.names.account(email), now).await?.let_in()
    }

    /// Somebody shows a token out of a mail.
    pub(crate) async fn mail_token(&self, from: ClientAddress) -> Result<(), Halted> {
        let networks = self.names.networks(from);
        networks.state(&self.counters, MAIL_TOKEN, self.clock.now()).await?.let_in()
    }

    /// What was shown is of no use.
    pub(crate) async fn mail_token_dead(&self, from: ClientAddress) -> Result<(), StoreError> {
        self.names.networks(from).count(&self.counters, MAIL_TOKEN, self.clock.now()).await
    }

    /// Somebody chose another password who reads mail at this address: what was guessed before does
    /// not keep them waiting.
    pub(crate) async fn restored(
        &self,
        email: &Email,
        from: ClientAddress,
        device: Option<Device>,
    ) -> Device {
        Attempt::of(self, email, from, device).succeeded().await
    }
}
