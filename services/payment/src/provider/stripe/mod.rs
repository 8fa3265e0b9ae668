//! Stripe, by its public interface of payment intents, refunds and webhooks.
//!
//! A charge is two requests: one makes the payment intent, unconfirmed, under the attempt's own
//! key; one confirms it, under a second key. The first moves no money, and whoever repeats it gets
//! the same intent. So everybody finds the intent of an attempt without knowing its name, by making
//! it: to look an attempt up is to make and read it, to call it off is to make and cancel it, and
//! what is cancelled can never be confirmed, by whoever comes late. One request that makes and
//! confirms at once would be quicker, but then looking for an attempt would be charging for it.
//!
//! Stripe forgets keys after a day; who asks about an older attempt whose name is not known searches
//! for it by our own name, which is in the metadata of everything that is made here. A refund is
//! always found among those of its payment, so whoever does not know what became of one looks for it
//! before sending it again. Cancelling bears no key, as it cannot happen twice: under one, an early
//! refusal would be repeated for a day.
//!
//! This is a small client of its own rather than async-stripe (1.0.0-rc.10): that compiles 340,000
//! lines in 95 s where nine endpoints are needed, gives either a key of ours or retries but not
//! both, passes over `Retry-After` and `Idempotent-Replayed`, and checks webhooks with one secret.

mod amount;
mod back;
mod breaker;
mod call;
mod charge;
mod client;
mod config;
mod error;
mod event;
mod failure;
mod intent;
mod refund;
#[cfg(test)]
mod shapes;

use axum::http::HeaderMap;
use common::Clock;
use common::config::Misconfigured;
use tracing::warn;

use super::signature::Verifier;
use super::{About, Asked, Charge, GivingBack, Notice, Provider, Reading, Unread};
use crate::domain::{Outcome, RefundOutcome};
use call::Call;
use charge::Found;
use client::Client;
use config::Account;
pub use config::{NO_ACCOUNT, StripeConfig};
use error::CallError;
use event::{Disputed, Said};
use intent::Intent;

const NAME: &str = "stripe";
const SIGNATURE: &str = "stripe-signature";
/// An account at Stripe. Cheap to clone.
#[derive(Clone)]
pub struct Stripe {
    client: Client,
    account: Account,
    verifier: Verifier,
    clock: Clock,
}

impl Stripe {
    /// The configured account; `None` when there is none. Stripe is not asked yet.
    pub fn open(config: &StripeConfig, clock: Clock) -> Result<Option<Self>, StripeError> {
        let Some(account) = config.account()? else { return Ok(None) };
        let client = Client::new(account.url.clone(), account.key.clone())?;
        if account.webhook_secrets.is_empty() {
            warn!(provider = NAME, "no webhook secret: its webhooks are refused");
        }
        let verifier = Verifier::new(SIGNATURE, &account.webhook_secrets);
        Ok(Some(Self { client, account, verifier, clock }))
    }

    /// Whose a dispute is, which bears only Stripe's name of the payment.
    async fn whose(&self, charge: &str, dispute: Disputed) -> Result<Option<Notice>, CallError> {
        let get = Call::get(format!("/v1/payment_intents/{charge}"));
        let intent: Intent = match self.client.ask(get).await {
            Ok(reply) => reply.value,
            Err(CallError::Refused(refused)) if refused.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let names = intent.metadata.payment().zip(intent.metadata.attempt());
        let Disputed { id, name: dispute, amount, state } = dispute;
        Ok(names.map(|(payment, attempt)| Notice {
            id,
            about: About::Dispute { payment, attempt, dispute, amount, state },
        }))
    }
}

impl Provider for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome> {
        Box::pin(self.take(charge))
    }

    fn capture<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome> {
        Box::pin(self.collect(charge))
    }

    fn look_up<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Option<Outcome>> {
        Box::pin(async move {
            Ok(match self.find(charge).await? {
                Found::There(intent) => intent.outcome(),
                Found::Never(failure) => Some(Outcome::Declined { failure }),
            })
        })
    }

    fn call_off<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome> {
        Box::pin(self.give_up(charge))
    }

    fn give_back<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, RefundOutcome> {
        Box::pin(self.refund(back))
    }

    fn look_up_refund<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, Option<RefundOutcome>> {
        Box::pin(self.find_refund(back))
    }

    fn read_notice<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Reading<'a> {
        Box::pin(async move {
            self.verifier.check(headers, body, self.clock.now())?;
            match event::read(body) {
                Said::Ours(notice) => Ok(Some(notice)),
                Said::Disputed { charge, dispute } => {
                    let whose = self.whose(&charge.0, dispute).await;
                    whose.map_err(|error| Unread::Provider(error.into()))
                }
                Said::Else => Ok(None),
            }
        })
    }
}

/// Why Stripe is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// The configuration is not whole.
    #[error("{0}")]
    Misconfigured(#[from] Misconfigured),
    /// No client can be made.
    #[error("no client for Stripe: {0}")]
    Client(#[from] reqwest::Error),
}
