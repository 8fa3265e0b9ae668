//! Keeps what shoppers mean to buy, at the prices of now.

mod config;
pub mod domain;
mod events;
mod http;
mod owner;
mod store;

use common::Service;

pub use config::Config;
pub use http::router;
use store::Carts;

/// The service, wired and not yet running.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let service = Service::start("cart", &config.service).await?;
    let carts = Carts::open(&service, config.currency).await?;
    Ok(service
        .serve(router(), carts.clone())
        .consume(events::copies(carts.clone()))
        .consume(events::guests(carts)))
}
