//! What the product service needs to know to run.

use std::time::Duration;

use clap::Parser;
use common::config::ServiceConfig;

/// No alarm is due sooner: an order has minutes to be paid.
const SOONEST: Duration = Duration::from_secs(1);

/// Keeps the catalogue and the stock.
#[derive(Clone, Debug, Parser)]
#[command(name = "product", version)]
pub struct Config {
    /// What every service needs.
    #[command(flatten)]
    pub service: ServiceConfig,

    /// How long goods may be set aside for an order of which nothing is heard, before it is asked
    /// about; it is asked again each time that so long has passed. They are not released by it.
    #[arg(long, env = "SOUK_RESERVATION_ALARM", default_value = "24h15m", value_parser = alarm)]
    pub reservation_alarm: Duration,
}

fn alarm(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(alarm) if alarm >= SOONEST => Ok(alarm),
        Ok(_) => Err("an alarm is due after a second at the soonest".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
