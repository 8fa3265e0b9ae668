//! A provider that moves no money: for laptops, tests and demonstrations.
//!
//! It plays the outside. It keeps its charges in collections of its own, written directly, so that
//! they survive whatever happens to the service and are the same for all replicas. Methods bear the
//! public names of Stripe's test methods; those that fail on the way are named `pm_sandbox_…`.

mod books;
mod charge;
mod plays;
mod post;
mod script;
mod webhook;

use std::time::Duration;

use axum::http::HeaderMap;
use clap::{ArgAction, Args};
use common::Clock;
use common::config::Misconfigured;
use common::store::Store;
use contracts::AttemptId;
use contracts::payment::Failure;
use secrecy::SecretString;

use super::signature::Verifier;
use super::{Asked, Charge, GivingBack, Provider, ProviderError, Reading};
use crate::domain::{Outcome, RefundOutcome};
use books::Books;
pub use charge::Standing;
use post::Post;

/// What takes its time takes this long.
const SLOW: Duration = Duration::from_secs(2);

/// What is said when the sandbox is chosen, and may not be used.
pub const NOT_ALLOWED: Misconfigured = Misconfigured {
    variable: "SOUK_PROVIDER",
    reason: "the sandbox moves no money: choose stripe, or set SOUK_ALLOW_SANDBOX=true for a shop \
        that sells nothing",
};

/// How the sandbox speaks to the shop.
#[derive(Clone, Debug, Default, Args)]
pub struct SandboxConfig {
    /// Whether the sandbox may be used. It takes every order for paid and moves no money, so a shop
    /// that sells must not allow it.
    #[arg(long = "allow-sandbox", env = "SOUK_ALLOW_SANDBOX", default_value_t = false,
        action = ArgAction::Set)]
    pub allow: bool,

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
    post: Post,
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
        let books = Books::open(store);
        let secret = match &config.webhook_secret {
            Some(secret) => secret.clone(),
            None => books.secret().await?,
        };
        let own = || format!("http://127.0.0.1:{port}/api/payments/webhooks/sandbox");
        let url = config.webhook_url.clone().filter(|url| !url.is_empty()).unwrap_or_else(own);
        let posted = Post::open(store.records("sandbox_webhooks"), url, &secret).await?;
        let verifier = Verifier::new(post::HEADER, [&secret]);
        Ok(Self { books, post: posted, verifier, clock: store.clock().clone() })
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
        let Some(asked) = self.books.charge(attempt).await? else { return Ok(None) };
        let standing = if confirmed {
            asked.when_confirmed(self.clock.now())
        } else {
            Standing::Declined { failure: Failure::NotAuthenticated }
        };
        if let Some(charge) = self.books.decide(attempt, &standing).await? {
            self.tell_decided(&charge).await?;
        }
        self.standing(attempt).await
    }

    /// Sends the webhooks that are due.
    pub async fn send_webhooks(self) -> Result<(), ProviderError> {
        self.post.deliver(self.clock.now()).await
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
        Box::pin(self.collect(charge))
    }

    fn look_up<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Option<Outcome>> {
        Box::pin(async move {
            let charge = self.books.charge(charge.attempt).await?;
            Ok(charge.map(|charge| charge.outcome(self.clock.now())))
        })
    }

    fn call_off<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome> {
        Box::pin(self.give_up(charge))
    }

    fn give_back<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, RefundOutcome> {
        Box::pin(self.refund(back))
    }

    fn look_up_refund<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, Option<RefundOutcome>> {
        Box::pin(async move {
            let refund = self.books.refund(back.refund).await?;
            Ok(refund.map(|refund| refund.outcome(self.clock.now())))
        })
    }

    fn read_notice<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Reading<'a> {
        Box::pin(async move {
            self.verifier.check(headers, body, self.clock.now())?;
            Ok(webhook::read(body))
        })
    }
}
