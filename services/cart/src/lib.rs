//! Keeps what shoppers mean to buy, at the prices of now.

mod config;
pub mod domain;
mod events;
mod http;
mod owner;
mod store;

use std::time::Duration;

use common::Service;

pub use config::Config;
pub use http::router;
use store::Carts;

/// So often carts are removed whose guest has ended.
const REMOVAL: Duration = Duration::from_mins(10);

/// The service, wired and not yet running.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let service = Service::start("cart", &config.service).await?;
    let carts = Carts::open(&service, config.currency).await?;
    let abandoned = carts.clone();
    Ok(service
        .serve(router(), carts.clone())
        .every(REMOVAL, "abandoned carts", move || {
            let carts = abandoned.clone();
            async move { carts.remove_abandoned().await }
        })
        .consume(events::copies(carts.clone()))
        .consume(events::guests(carts)))
}
