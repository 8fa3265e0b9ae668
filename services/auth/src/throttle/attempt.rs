//! One try to sign in or to register, from before the password is looked at until it is known.

use common::http::ClientAddress;
use common::store::StoreError;
use contracts::Timestamp;
use tokio::try_join;
use tracing::warn;

use super::networks::Networks;
use super::{ACCOUNT, ADDRESS, Device, FAMILIAR, Halted, TAKEN, Throttle};
use crate::domain::Email;

/// A try to sign in that is let in.
#[must_use = "what came of it is to be told"]
pub(crate) struct Attempt {
    throttle: Throttle,
    pub(super) now: Timestamp,
    account: String,
    pub(super) networks: Networks,
    familiar: String,
    /// The one that was shown, or another that is told if the password is right.
    device: Device,
    is_shown: bool,
    is_familiar: bool,
}

/// A try to register that is let in.
#[must_use = "what came of it is to be told"]
pub(crate) struct Registering(pub(super) Attempt);

impl Attempt {
    pub(super) fn of(
        throttle: &Throttle,
        email: &Email,
        from: ClientAddress,
        shown: Option<Device>,
    ) -> Self {
        let names = &throttle.names;
        let device = shown.unwrap_or_else(Device::drawn);
        Self {
            now: throttle.clock.now(),
            account: names.account(email),
            networks: names.networks(from),
            familiar: names.familiar(email, device),
            device,
            is_shown: shown.is_some(),
            is_familiar: false,
            throttle: throttle.clone(),
        }
    }

    /// Lets it in, unless it has to wait.
    ///
    /// The account's count takes this try as a failure until it is known to be none: else all tries
    /// at once would be one. On a device that its owner signed in with before, only what fails on it
    /// counts, and who has to wait is told the same as elsewhere. What is counted, and looked at,
    /// depends on what is shown alone: nobody learns of others who come from the same address.
    pub(super) async fn begin(self) -> Result<Self, Halted> {
        let (counters, now) = (&self.throttle.counters, self.now);
        if self.is_shown
            && let Some(state) = counters.reserve_known(FAMILIAR, &self.familiar, now).await?
        {
            state.told_as(ACCOUNT).let_in()?;
            return Ok(Self { is_familiar: true, ..self });
        }
        let (account, address) = try_join!(
            counters.reserve(ACCOUNT, &self.account, now),
            self.networks.state(counters, ADDRESS, now),
        )?;
        account.let_in()?;
        if let Err(halted) = address.let_in() {
            // It was none for the account.
            counters.withdraw(ACCOUNT, &self.account).await?;
            return Err(halted);
        }
        Ok(self)
    }

    /// The password was right: the count that took it for a failure ends, and this is a device of the
    /// owner's, which is to be told so. Who is in stays in though it cannot be counted.
    pub(crate) async fn succeeded(self) -> Device {
        if let Err(error) = self.forgiven().await {
            warn!(%error, "a sign-in could not be taken off the counts");
        }
        self.device
    }

    async fn forgiven(&self) -> Result<(), StoreError> {
        let counters = &self.throttle.counters;
        let friend = counters.befriend(FAMILIAR, &self.familiar, self.now);
        if self.is_familiar {
            return friend.await;
        }
        try_join!(counters.end(ACCOUNT, &self.account), friend).map(drop)
    }

    /// It was wrong, or there is no such account: one is like the other. The account's count, or that
    /// of the familiar device, took it for a failure before.
    pub(crate) async fn failed(self) -> Result<(), StoreError> {
        if self.is_familiar {
            return Ok(());
        }
        self.networks.count(&self.throttle.counters, ADDRESS, self.now).await
    }
}

impl Registering {
    /// There is a new account, and this is a device of its owner's.
    pub(crate) async fn succeeded(self) -> Device {
        self.0.succeeded().await
    }

    /// The address has an account already, which somebody knows now.
    pub(crate) async fn was_taken(self) -> Result<(), StoreError> {
        let Self(attempt) = self;
        attempt.networks.count(&attempt.throttle.counters, TAKEN, attempt.now).await
    }
}
