//! What the order service needs to know.

use std::time::Duration;

use clap::Parser;
use common::config::ServiceConfig;

use crate::domain::Terms;

/// Takes a cart that was checked out to the shopper's door, or gives everything back.
#[derive(Clone, Debug, Parser)]
#[command(name = "order", version)]
pub struct Config {
    /// What every service needs.
    #[command(flatten)]
    pub service: ServiceConfig,

    /// How long product has to say whether the goods of an order are there; then it is asked again.
    #[arg(long, env = "SOUK_ASK_AGAIN", default_value = "5m",
        value_parser = humantime::parse_duration)]
    pub ask_again: Duration,

    /// How long a shopper has to pay, from when the goods are set aside.
    #[arg(long, env = "SOUK_PAY_BY", default_value = "15m",
        value_parser = humantime::parse_duration)]
    pub pay_by: Duration,

    /// How long a shopper who began to pay has at least to finish; given once.
    #[arg(long, env = "SOUK_PAY_EXTENSION", default_value = "5m",
        value_parser = humantime::parse_duration)]
    pub pay_extension: Duration,

    /// How long goods may be sent back, from when they arrived; then the order is complete.
    #[arg(long, env = "SOUK_RETURN_WINDOW", default_value = "14days",
        value_parser = humantime::parse_duration)]
    pub return_window: Duration,

    /// How often it is looked for orders whose time is up.
    #[arg(long, env = "SOUK_SWEEP", default_value = "2s",
        value_parser = humantime::parse_duration)]
    pub sweep: Duration,
}

impl Config {
    /// How much time the shop gives.
    pub fn terms(&self) -> Terms {
        Terms {
            to_answer: self.ask_again,
            to_pay: self.pay_by,
            to_finish_paying: self.pay_extension,
            to_return: self.return_window,
        }
    }
}
