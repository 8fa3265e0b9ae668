//! Takes a cart that was checked out to the shopper's door, or gives everything back.

mod config;
pub mod domain;
mod events;
mod http;
mod store;
mod timeline;

use std::time::Duration;

use common::Service;
use utoipa::openapi::OpenApi;

pub use config::Config;

use store::Orders;

/// How often orders of merged guests are looked for that were not moved to the account.
const FOLLOW: Duration = Duration::from_secs(30);

/// The service with all that it does, not yet running.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let service = Service::start("order", &config.service).await?;
    let orders = Orders::open(&service, config.terms()).await?;
    let timelines = orders.timelines();
    timelines.prepare().await?;
    let hearing = timeline::hearing(timelines, service.generation());
    let (unanswered, unpaid, kept) = (orders.clone(), orders.clone(), orders.clone());
    let merged = orders.clone();
    Ok(service
        .serve(http::router(), orders.clone())
        .consume(events::saga(orders.clone()))
        .consume(events::copies(orders.clone()))
        .consume(hearing)
        .consume(events::wakeups(orders))
        .every(config.sweep, "goods", move || events::ask_again(unanswered.clone()))
        .every(config.sweep, "pay_by", move || events::expire_unpaid(unpaid.clone()))
        .every(config.sweep, "returns", move || events::complete_kept(kept.clone()))
        .every(FOLLOW, "merged guests", move || events::follow_guests(merged.clone())))
}

/// What its API offers.
pub fn api() -> OpenApi {
    http::router().into_openapi()
}
