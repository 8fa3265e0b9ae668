//! A provider that moves no money: for laptops, tests and demonstrations.
//!
//! It plays the outside. It keeps its charges in collections of its own, written directly, so that
//! they survive whatever happens to the service and are the same for all replicas. Methods bear the
//! public names of Stripe's test methods; those that fail on the way are named `pm_sandbox_…`.

mod books;
mod charge;
mod notices;
mod script;

use std::future::pending;
use std::time::Duration;

use axum::http::HeaderMap;
use clap::Args;
use common::Clock;
use common::store::Store;
use contracts::AttemptId;
use contracts::payment::Failure;
use secrecy::SecretString;

use super::signature::{Signer, Verifier};
use super::{Asked, Charge, GivingBack, Provider, ProviderError, Reading};
use crate::domain::{Outcome, RefundOutcome};
use books::Books;
use charge::ChargeRow;
pub use charge::Standing;
use notices::Messenger;
use script::Script;

/// A charge that takes its time takes this long.
const SLOW: Duration = Duration::from_secs(2);

/// How the sandbox speaks to the shop.
#[derive(Clone, Debug, Default, Args)]
pub struct SandboxConfig {
    /// Where the sandbox sends its webhooks; by default to this process itself.
    #[arg(long = "sandbox-webhook-url", env = "SOUK_SANDBOX_WEBHOOK_URL")]
    pub webhook_url: Option<String>,

    /// What the sandbox signs its webhooks with; by default drawn once and kept in the database,
    /// so that all replicas have the same.
    #[arg(
        long = "sandbox-webhook-secret",
        env = "SOUK_SANDBOX_WEBHOOK_SECRET",
        hide_env_values = true
    )]
    pub webhook_secret: Option<SecretString>,
}

/// The built-in provider.
#[derive(Clone)]
pub struct Sandbox {
    books: Books,
    messenger: Messenger,
    verifier: Verifier,
    clock: Clock,
}

impl Sandbox {
    /// Opens its books in the service's database. Its webhooks go to `port` of this machine unless
    /// the configuration says otherwise.
    pub async fn open(
        store: &Store,
        config: &SandboxConfig,
        port: u16,
    ) -> Result<Self, ProviderError> {
        let books = Books::open(store).await?;
        let secret = match &config.webhook_secret {
            Some(secret) => secret.clone(),
            None => books.secret().await?,
        };
        let own = || format!("http://127.0.0.1:{port}/api/payments/webhooks/sandbox");
        let url = config.webhook_url.clone().filter(|url| !url.is_empty()).unwrap_or_else(own);
        let messenger = Messenger::new(url, Signer::new(&secret))?;
        let verifier = Verifier::new(notices::HEADER, [&secret]);
        Ok(Self { books, messenger, verifier, clock: store.clock().clone() })
    }

    /// How a charge stands, for the page that asks the shopper to confirm it.
    pub async fn standing(&self, attempt: AttemptId) -> Result<Option<Standing>, ProviderError> {
        let charge = self.books.charge(attempt).await?;
        Ok(charge.map(|charge| charge.standing(self.clock.now())))
    }

    /// The shopper confirms a charge, or refuses to; the shop hears of it by a webhook. What is
    /// decided stays so.
    pub async fn decide(
        &self,
        attempt: AttemptId,
        confirmed: bool,
    ) -> Result<Option<Standing>, ProviderError> {
        let standing = if confirmed {
            Standing::Captured
        } else {
            Standing::Declined { failure: Failure::NotAuthenticated }
        };
        let notice = format!("whk_{}", self.clock.uuid().simple());
        if let Some(charge) = self.books.decide(attempt, &standing, &notice).await? {
            self.tell(&charge).await;
        }
        self.standing(attempt).await
    }

    /// Sends the webhooks that did not arrive yet.
    pub async fn tell_again(self) -> Result<(), ProviderError> {
        for charge in self.books.untold().await? {
            self.tell(&charge).await;
        }
        Ok(())
    }

    /// Sends the webhook of a charge; a later round repeats it a few times if that fails.
    async fn tell(&self, charge: &ChargeRow) {
        let Some(body) = charge.notice() else { return };
        let told = self.messenger.send(body, self.clock.now()).await;
        if let Err(error) = &told {
            tracing::warn!(attempt.id = %charge.id, %error, "webhook not taken");
        }
        if let Err(error) = self.books.note_told(charge.id, told.is_ok()).await {
            tracing::warn!(attempt.id = %charge.id, %error, "webhook not noted");
        }
    }

    async fn take(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let now = self.clock.now();
        if let Some(known) = self.books.charge(charge.attempt).await? {
            return Ok(known.outcome(now));
        }
        let script = Script::of(&charge.method);
        let lost = match script {
            Script::Lost => true,
            Script::LostOnce => self.books.lose(charge.attempt).await?,
            Script::Plain(_) | Script::AnswerLost => false,
        };
        if lost {
            return pending().await;
        }
        let standing = script.standing(now.plus(SLOW));
        let row = self.books.enter(ChargeRow::new(charge, standing, now)).await?;
        match script {
            Script::AnswerLost => pending().await,
            Script::Plain(_) | Script::Lost | Script::LostOnce => Ok(row.outcome(now)),
        }
    }
}

impl Provider for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome> {
        Box::pin(self.take(charge))
    }

    fn capture<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome> {
        Box::pin(self.take(charge))
    }

    fn look_up<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Option<Outcome>> {
        Box::pin(async move {
            let charge = self.books.charge(charge.attempt).await?;
            Ok(charge.map(|charge| charge.outcome(self.clock.now())))
        })
    }

    fn call_off<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome> {
        Box::pin(async move {
            let now = self.clock.now();
            Ok(self.books.call_off(charge.attempt, now).await?.outcome(now))
        })
    }

    fn give_back<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, RefundOutcome> {
        Box::pin(async move {
            self.books.give_back(back).await?;
            Ok(RefundOutcome::Done)
        })
    }

    fn look_up_refund<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, Option<RefundOutcome>> {
        Box::pin(async move {
            let given = self.books.gave_back(back.refund).await?;
            Ok(given.then_some(RefundOutcome::Done))
        })
    }

    fn read_notice<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Reading<'a> {
        Box::pin(async move {
            self.verifier.check(headers, body, self.clock.now())?;
            Ok(charge::read_notice(body))
        })
    }
}
