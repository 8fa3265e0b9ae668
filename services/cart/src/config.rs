//! What can be configured.

use clap::Parser;
use common::config::ServiceConfig;
use contracts::Currency;

/// Keeps carts, prices them from its own copy of the catalogue, and checks them out.
#[derive(Clone, Debug, Parser)]
#[command(name = "cart", version)]
pub struct Config {
    /// The currency of the shop: what an empty cart costs nothing in.
    #[arg(long, env = "SOUK_CURRENCY", default_value = "EUR")]
    pub currency: Currency,

    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields say what they are")]
    pub service: ServiceConfig,
}
