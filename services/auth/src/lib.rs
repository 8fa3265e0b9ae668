//! Accounts, sign-ins and signing keys: who is who in the shop.

mod administrator;
mod config;
mod domain;
mod events;
mod http;
mod keyring;
mod passwords;
mod random;
mod store;
mod throttle;

use std::time::Duration;

use common::Service;
use utoipa::openapi::OpenApi;

pub use config::Config;

use domain::KeySet;
use http::Auth;
use keyring::Keyring;
use passwords::Passwords;
use store::Accounts;
use throttle::Throttle;

/// How often sign-ins that are over and guests who are gone are forgotten.
const TIDY: Duration = Duration::from_hours(1);

/// The service with all that it does, not yet running.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    if config.service.declare {
        // Who declares needs rights on the bus, and has no business with the shop's secrets.
        return Ok(Service::start("auth", &config.service).await?);
    }
    let (keys, life) = (config.keys()?, config.life()?);
    let (administrator, bounds) = (config.administrator()?, config.bounds());

    let service = Service::start("auth", &config.service).await?;
    let accounts = Accounts::open(&service).await?;
    let keyring = Keyring::open(&service, keys, life).await?;
    let throttle = Throttle::open(&service.store(), &bounds).await?;
    let passwords = Passwords::new(config.hashing_threads);
    if let Some(administrator) = administrator {
        administrator::appoint(administrator, &accounts, &passwords).await?;
    }

    let (minded, stopping) = (keyring.clone(), service.stopping());
    service.spawn("signing key", async move {
        stopping.run_until_cancelled(minded.mind()).await;
    });
    let (keys, sessions, guests) = (keyring.clone(), accounts.clone(), accounts.clone());
    let hearing = events::guests(accounts.clone());
    Ok(service
        .serve(http::router(), Auth { accounts, passwords, keyring, throttle })
        .retells::<KeySet>()
        .every(keyring::ROUND, "keys", move || keys.clone().be_heard())
        .consume(hearing)
        .every(TIDY, "sessions", move || sessions.clone().forget_expired())
        .every(TIDY, "guests", move || guests.clone().forget_guests()))
}

/// What its API offers.
pub fn api() -> OpenApi {
    http::router().into_openapi()
}
