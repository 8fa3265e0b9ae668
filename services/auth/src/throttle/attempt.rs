//! One try to sign in or to register, from before the password is looked at until it is known.

use common::http::ClientAddress;
use common::store::StoreError;
use contracts::Timestamp;
use tokio::try_join;

use super::{ACCOUNT, ADDRESS, FAMILIAR, Halted, TAKEN, Throttle};
use crate::domain::Email;

/// A try to sign in that is let in.
#[must_use = "what came of it is to be told"]
pub(crate) struct Attempt {
    throttle: Throttle,
    now: Timestamp,
    account: String,
    address: String,
    familiar: String,
    is_familiar: bool,
}

/// A try to register that is let in.
#[must_use = "what came of it is to be told"]
pub(crate) struct Registering {
    pub(super) attempt: Attempt,
    pub(super) address: String,
}

impl Attempt {
    pub(super) fn of(throttle: &Throttle, email: &Email, from: ClientAddress) -> Self {
        let names = &throttle.names;
        Self {
            now: throttle.clock.now(),
            account: names.account(email),
            address: names.address(from),
            familiar: names.familiar(email, from),
            is_familiar: false,
            throttle: throttle.clone(),
        }
    }

    /// Lets it in, unless it has to wait.
    ///
    /// The account's count takes this try as a failure until it is known to be none: else all tries
    /// at once would be one. From where its owner signed in before, only what fails there counts.
    pub(super) async fn begin(self) -> Result<Self, Halted> {
        let (counters, now) = (&self.throttle.counters, self.now);
        let (familiar, account, address) = try_join!(
            counters.familiar(FAMILIAR, &self.familiar, now),
            counters.reserve(ACCOUNT, &self.account, now),
            counters.state(ADDRESS, &self.address, now),
        )?;
        if let Some(state) = familiar {
            state.let_in()?;
            return Ok(Self { is_familiar: true, ..self });
        }
        account.let_in()?;
        if let Err(halted) = address.let_in() {
            // It was none for the account.
            counters.withdraw(ACCOUNT, &self.account).await?;
            return Err(halted);
        }
        Ok(self)
    }

    /// The password was right: the account's count ends, and this is a place its owner comes from.
    pub(crate) async fn succeeded(self) -> Result<(), StoreError> {
        let counters = &self.throttle.counters;
        try_join!(
            counters.end(ACCOUNT, &self.account),
            counters.befriend(FAMILIAR, &self.familiar, self.now),
        )?;
        Ok(())
    }

    /// It was wrong, or there is no such account: one is like the other.
    pub(crate) async fn failed(self) -> Result<(), StoreError> {
        let (what, name) =
            if self.is_familiar { (FAMILIAR, &self.familiar) } else { (ADDRESS, &self.address) };
        self.throttle.counters.count(what, name, self.now).await
    }
}

impl Registering {
    /// There is a new account, and this is a place its owner comes from.
    pub(crate) async fn succeeded(self) -> Result<(), StoreError> {
        self.attempt.succeeded().await
    }

    /// The address has an account already, which somebody knows now.
    pub(crate) async fn was_taken(self) -> Result<(), StoreError> {
        self.attempt.throttle.counters.count(TAKEN, &self.address, self.attempt.now).await
    }
}
