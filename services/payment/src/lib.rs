//! Moves the money of orders: once, and back when it must.

pub mod config;
pub mod domain;
pub mod drive;
pub mod events;
pub mod http;
mod inbox;
pub mod provider;
mod reconcile;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use common::Service;
use common::store::{Store, patiently};

pub use config::Config;
pub use store::Payments;

use config::ProviderName;
use provider::{NO_ACCOUNT, NOT_ALLOWED, Provider, Providers, Sandbox, Stripe};

/// How often it is looked for what is open.
const ROUND: Duration = Duration::from_secs(1);

/// The payment service with all it consists of, ready to run.
///
/// # Errors
/// [`provider::NOT_ALLOWED`] when the sandbox is chosen and may not be used, `NO_ACCOUNT` when Stripe
/// is chosen and has no key, and what the servers say.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    if config.service.declare {
        return declaring(&config).await;
    }
    if config.provider == ProviderName::Sandbox && !config.sandbox.allow {
        return Err(NOT_ALLOWED.into());
    }
    let service = Service::start("payment", &config.service).await?;
    let (store, wakeups) = (service.store(), service.wakeups());
    let stripe = Stripe::open(&config.stripe, store.clock().clone())?;
    if config.provider == ProviderName::Stripe && stripe.is_none() {
        return Err(NO_ACCOUNT.into());
    }
    let sandbox =
        if config.sandbox.allow { Some(open_sandbox(&store, &config).await?) } else { None };
    let all = sandbox.clone().map(shared).into_iter().chain(stripe.map(shared)).collect();
    let providers = Providers::new(all, config.provider.as_str(), config.capture.into())?;
    let payments = Payments::open(store, providers, config.provider_timeout, wakeups).await?;
    let service = serving(service, payments);
    Ok(match sandbox {
        Some(sandbox) => playing(service, sandbox),
        None => service,
    })
}

/// The service with its consumers and nothing else: declaring takes no provider, and no keys.
async fn declaring(config: &Config) -> anyhow::Result<Service> {
    let service = Service::start("payment", &config.service).await?;
    let (store, wakeups) = (service.store(), service.wakeups());
    let sandbox = shared(open_sandbox(&store, config).await?);
    let chosen = ProviderName::Sandbox.as_str();
    let providers = Providers::new(vec![sandbox], chosen, config.capture.into())?;
    let payments = Payments::open(store, providers, config.provider_timeout, wakeups).await?;
    Ok(service.consume(events::saga(payments)))
}

async fn open_sandbox(store: &Store, config: &Config) -> anyhow::Result<Sandbox> {
    let port = config.service.http.port();
    Ok(patiently(async || Sandbox::open(store, &config.sandbox, port).await).await?)
}

fn shared(provider: impl Provider + 'static) -> Arc<dyn Provider> {
    Arc::new(provider)
}

/// The service with the API and the work of payments.
fn serving(service: Service, payments: Payments) -> Service {
    let (reconciled, retried) = (payments.clone(), payments.clone());
    service
        .serve(http::router(), payments.clone())
        .consume(events::saga(payments))
        .every(ROUND, "reconcile", move || reconciled.clone().reconcile())
        .every(ROUND, "webhooks", move || retried.clone().hear_again())
}

/// The service with the sandbox's page and its webhooks.
fn playing(service: Service, sandbox: Sandbox) -> Service {
    let posting = sandbox.clone();
    service
        .serve(http::sandbox::router(), sandbox)
        .every(ROUND, "sandbox webhooks", move || posting.clone().send_webhooks())
}
