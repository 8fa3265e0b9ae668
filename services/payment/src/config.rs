//! What the payment service needs to know.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use common::config::ServiceConfig;

use crate::domain::CaptureMode;
use crate::provider::{SandboxConfig, StripeConfig};

/// Takes money for orders, once, and gives it back when it must.
#[derive(Clone, Debug, Parser)]
#[command(name = "payment", version)]
pub struct Config {
    /// What every service needs.
    #[command(flatten)]
    pub service: ServiceConfig,

    /// Who moves the money of new attempts; what is open is asked of whom it began with.
    #[arg(long, env = "SOUK_PROVIDER", value_enum, default_value = "sandbox")]
    pub provider: ProviderName,

    /// When the money of new attempts is collected.
    #[arg(long, env = "SOUK_CAPTURE", value_enum, default_value = "at_once")]
    pub capture: Capture,

    /// How long the provider may take to answer; what becomes of an attempt after that is asked for
    /// until it is known.
    #[arg(long, env = "SOUK_PROVIDER_TIMEOUT", default_value = "4s",
        value_parser = humantime::parse_duration)]
    pub provider_timeout: Duration,

    /// The built-in provider.
    #[command(flatten)]
    pub sandbox: SandboxConfig,

    /// The account at Stripe.
    #[command(flatten)]
    pub stripe: StripeConfig,
}

/// A provider of payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ProviderName {
    /// The built-in one, which moves no money.
    #[default]
    Sandbox,
    /// Stripe.
    Stripe,
}

/// When money is collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Capture {
    /// As soon as it is authorised.
    #[default]
    AtOnce,
    /// When the first goods are about to be sent.
    AtShipping,
}

impl ProviderName {
    /// As in what is stored of an attempt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Stripe => "stripe",
        }
    }
}

impl From<Capture> for CaptureMode {
    fn from(capture: Capture) -> Self {
        match capture {
            Capture::AtOnce => Self::AtOnce,
            Capture::AtShipping => Self::Later,
        }
    }
}
