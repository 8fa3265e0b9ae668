//! What the payment service needs to know.

use std::time::Duration;

use clap::Parser;
use common::config::ServiceConfig;

use crate::provider::SandboxConfig;

/// Takes money for orders, once, and gives it back when it must.
#[derive(Clone, Debug, Parser)]
#[command(name = "payment", version)]
pub struct Config {
    /// What every service needs.
    #[command(flatten)]
    pub service: ServiceConfig,

    /// How long the provider may take to answer; what becomes of an attempt after that is asked for
    /// until it is known.
    #[arg(long, env = "SOUK_PROVIDER_TIMEOUT", default_value = "4s",
        value_parser = humantime::parse_duration)]
    pub provider_timeout: Duration,

    /// The built-in provider.
    #[command(flatten)]
    pub sandbox: SandboxConfig,
}
