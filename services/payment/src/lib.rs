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
use common::store::patiently;

pub use config::Config;
pub use store::Payments;

use config::ProviderName;
use provider::{NO_ACCOUNT, Provider, Providers, Sandbox, Stripe};

/// How often it is looked for what is open.
const ROUND: Duration = Duration::from_secs(1);

/// The payment service with all it consists of, ready to run.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let service = Service::start("payment", &config.service).await?;
    let (store, wakeups) = (service.store(), service.wakeups());
    let port = config.service.http.port();
    let sandbox = patiently(async || Sandbox::open(&store, &config.sandbox, port).await).await?;
    let mut all: Vec<Arc<dyn Provider>> = vec![Arc::new(sandbox.clone())];
    match Stripe::open(&config.stripe, store.clock().clone())? {
        Some(stripe) => all.push(Arc::new(stripe)),
        None if config.provider == ProviderName::Stripe => return Err(NO_ACCOUNT.into()),
        None => {}
    }
    let providers = Providers::new(all, config.provider.as_str(), config.capture.into())?;
    let payments = Payments::open(store, providers, config.provider_timeout, wakeups).await?;
    let (reconciled, heard, told) = (payments.clone(), payments.clone(), sandbox.clone());
    Ok(service
        .serve(http::router(), payments.clone())
        .serve(http::sandbox::router(), sandbox)
        .consume(events::saga(payments))
        .every(ROUND, "reconcile", move || reconciled.clone().reconcile())
        .every(ROUND, "webhooks", move || heard.clone().hear_again())
        .every(ROUND, "sandbox webhooks", move || told.clone().send_webhooks()))
}
