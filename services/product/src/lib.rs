//! What is for sale, how much of it there is, and for which orders it is set aside.

mod config;
pub mod domain;
mod events;
mod http;
mod store;

use std::time::Duration;

use common::Service;
use utoipa::openapi::OpenApi;

pub use config::Config;

use domain::{Product, StockItem};
use store::Products;

/// At least so often it is looked for orders of which nothing is heard.
const LOOK: Duration = Duration::from_mins(1);

/// So often it is looked for what an earlier version of the service left behind in a rolling upgrade.
const RENEWAL: Duration = Duration::from_mins(10);

/// The service with all that it does, not yet running.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let service = Service::start("product", &config.service).await?;
    let products = Products::open(&service).await?;
    let (reservations, alarm) = (products.clone(), config.reservation_alarm);
    let catalogue = products.clone();
    Ok(service
        .serve(http::router(), products.clone())
        .consume(events::saga(products))
        .retells::<Product>()
        .retells::<StockItem>()
        .every(LOOK.min(alarm / 10), "overdue reservations", move || {
            events::remind(reservations.clone(), alarm)
        })
        .every(RENEWAL, "catalogue", move || {
            let catalogue = catalogue.clone();
            async move { catalogue.renew().await }
        }))
}

/// What its API offers.
pub fn api() -> OpenApi {
    http::router().into_openapi()
}
