//! Accounts, sign-ins and signing keys: who is who in the shop.

mod administrator;
mod config;
mod domain;
mod events;
mod hashers;
mod http;
mod keyring;
mod mail;
mod passwords;
mod random;
mod store;
mod throttle;

use std::time::Duration;

use common::Service;
use common::store::patiently;
use tracing::warn;
use utoipa::openapi::OpenApi;

pub use config::Config;

use domain::KeySet;
use http::Auth;
use keyring::Keyring;
use mail::{Post, Postage, Secrets};
use passwords::Passwords;
use store::Accounts;
use throttle::Throttle;

/// How often sign-ins that are over and guests who are gone are forgotten.
const TIDY: Duration = Duration::from_hours(1);

/// The service with all that it does, not yet running.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    if config.service.declare {
        return declaring(&config).await;
    }
    let (keys, life) = (config.keys()?, config.life()?);
    let (administrator, bounds) = (config.administrator()?, config.bounds());
    let (secrets, postage) = (config.secrets()?, config.postage()?);

    let service = Service::start("auth", &config.service).await?;
    if config.has_short_key() {
        warn!(
            "JWT_KEY IS TOO SHORT: it can be guessed, and with it tokens of any user can be forged. \
             Only SOUK_ALLOW_SHORT_KEY lets auth start with it. `openssl rand -base64 48` makes a \
             good one"
        );
    }
    let accounts = patiently(async || Accounts::open(&service, secrets.clone()).await).await?;
    let keyring = patiently(async || Keyring::open(&service, keys.clone(), life).await).await?;
    let throttle = Throttle::open(&service.store(), &bounds).await?;
    let passwords = Passwords::new(config.hashing_threads);
    if let Some(administrator) = administrator {
        administrator::appoint(administrator, &accounts, &passwords).await?;
    }

    mind(&service, keyring.clone());
    let (sessions, guests) = (accounts.clone(), accounts.clone());
    let service = hearing(service, &accounts)
        .every(TIDY, "sessions", move || sessions.clone().forget_expired())
        .every(TIDY, "guests", move || guests.clone().forget_guests());
    let service = writing(service, &accounts, postage);
    Ok(service
        .serve(http::router(), Auth { accounts, passwords, keyring, throttle })
        .retells::<KeySet>())
}

/// What it hears, whether it serves or only declares.
fn hearing(service: Service, accounts: &Accounts) -> Service {
    service.consume(events::guests(accounts.clone())).consume(events::mail(accounts.clone()))
}

/// The service with all that it hears, and nothing else: who declares needs rights on the bus, and
/// has no business with the shop's secrets.
async fn declaring(config: &Config) -> anyhow::Result<Service> {
    let service = Service::start("auth", &config.service).await?;
    let nobodys = Secrets::derive("", None);
    let accounts = patiently(async || Accounts::open(&service, nobodys.clone()).await).await?;
    Ok(hearing(service, &accounts))
}

/// Makes sure in every replica that the key it signs with stays trusted.
fn mind(service: &Service, keyring: Keyring) {
    let (stopping, waiting) = (service.stopping(), keyring.clone());
    service.spawn("signing key", async move {
        stopping.run_until_cancelled(keyring.mind()).await;
    });
    let stopping = service.stopping();
    service.spawn("publication of the signing key", async move {
        stopping.run_until_cancelled(waiting.note_publication()).await;
    });
}

/// The service, which also writes mails, and sends them if it is told how.
fn writing(service: Service, accounts: &Accounts, postage: Option<Postage>) -> Service {
    let (stopping, waiting) = (service.stopping(), mail::measure(accounts.clone()));
    service.spawn("mail", async move {
        stopping.run_until_cancelled(waiting).await;
    });
    let (mails, stopping) = (accounts.clone(), service.stopping());
    let service = service.every(TIDY, "mails", move || mails.clone().forget_mails());
    let Some(postage) = postage else {
        warn!("neither SOUK_SMTP_URL nor SOUK_MAIL_DIR is set: mails wait");
        return service;
    };
    let post = Post::new(accounts.clone(), postage, stopping);
    service.every(mail::ROUND, "post", move || post.clone().round())
}

/// What its API offers.
pub fn api() -> OpenApi {
    http::router().into_openapi()
}
