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
    /// at once would be one. From where its owner signed in before, only what fails there counts,
    /// and who has to wait is told the same as elsewhere.
    pub(super) async fn begin(self) -> Result<Self, Halted> {
        let (counters, now) = (&self.throttle.counters, self.now);
        if let Some(state) = counters.reserve_known(FAMILIAR, &self.familiar, now).await? {
            state.told_as(ACCOUNT).let_in()?;
            return Ok(Self { is_familiar: true, ..self });
        }
        let (account, address) = try_join!(
            counters.reserve(ACCOUNT, &self.account, now),
            counters.state(ADDRESS, &self.address, now),
        )?;
        account.let_in()?;
        if let Err(halted) = address.let_in() {
            // It was none for the account.
            counters.withdraw(ACCOUNT, &self.account).await?;
            return Err(halted);
        }
        Ok(self)
    }

    /// The password was right: the count that took it for a failure ends, and this is a place the
    /// owner comes from.
    pub(crate) async fn succeeded(self) -> Result<(), StoreError> {
        let counters = &self.throttle.counters;
        let friend = counters.befriend(FAMILIAR, &self.familiar, self.now);
        if self.is_familiar {
            return friend.await;
        }
        try_join!(counters.end(ACCOUNT, &self.account), friend).map(drop)
    }

    /// It was wrong, or there is no such account: one is like the other. The account's count, or that
    /// of the familiar place, took it for a failure before.
    pub(crate) async fn failed(self) -> Result<(), StoreError> {
        if self.is_familiar {
            return Ok(());
        }
        self.throttle.counters.count(ADDRESS, &self.address, self.now).await
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
