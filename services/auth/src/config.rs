//! What auth is told when it starts.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{ArgAction, Parser};
use common::config::{Misconfigured, ServiceConfig};
use common::identity::LIFE;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::{Email, InvalidPassword, NewPassword};
use crate::keyring::SigningKeys;
use crate::mail::{Outlet, Postage, Secrets, UnfitServer};
use crate::throttle::Bounds;

/// The fewest characters of a secret that keys are derived from, unless shorter ones are allowed.
const SHORTEST_KEY: usize = 32;

/// Owns accounts, sign-ins and signing keys.
#[derive(Clone, Debug, Parser)]
#[command(name = "auth", version)]
pub struct Config {
    /// What every service needs to know.
    #[command(flatten)]
    pub service: ServiceConfig,

    /// The secret that the signing key is derived from: at least 32 characters, the same for every
    /// replica. `openssl rand -base64 48` makes a good one.
    #[arg(
        long,
        env = "JWT_KEY",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true
    )]
    pub jwt_key: SecretString,

    /// The secret before this one. It signs until everybody knows the new key, and what it signed
    /// stays good; keep it for ten minutes after the last replica knows the new one.
    #[arg(
        long,
        env = "JWT_KEY_PREVIOUS",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true
    )]
    pub jwt_key_previous: SecretString,

    /// Takes secrets of fewer than 32 characters, down to one, and warns at every start. Such a key
    /// can be guessed, and who guesses it signs tokens for everyone: only for a cluster on a laptop.
    #[arg(long, env = "SOUK_ALLOW_SHORT_KEY", default_value_t = false, action = ArgAction::Set)]
    pub allow_short_key: bool,

    /// How long an access token is good for: 1s to 5m.
    #[arg(long, env = "SOUK_ACCESS_TOKEN_LIFE", default_value = "5m",
        value_parser = humantime::parse_duration)]
    pub access_token_life: Duration,

    /// How many guests may come from one address in ten minutes. Many shoppers share an address
    /// behind a carrier's or an office's gateway.
    #[arg(long, env = "SOUK_GUESTS_PER_ADDRESS", default_value_t = 6_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub guests_per_address: u32,

    /// How many may try to register from one address in ten minutes. Each takes a hash.
    #[arg(long, env = "SOUK_REGISTRATIONS_PER_ADDRESS", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub registrations_per_address: u32,

    /// How many passwords are hashed at once: by default as many as there are processors but one,
    /// which goes on serving.
    #[arg(long, env = "SOUK_HASHING_THREADS")]
    pub hashing_threads: Option<NonZeroUsize>,

    /// The server that mails are handed to, such as `smtp://user:password@host:587?tls=required` or
    /// `smtps://user:password@host`. With neither this nor a folder, mails wait.
    #[arg(
        long,
        env = "SOUK_SMTP_URL",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true
    )]
    pub smtp_url: SecretString,

    /// A folder that mails are written to instead, each as a file.
    #[arg(long, env = "SOUK_MAIL_DIR", default_value = "", hide_default_value = true)]
    pub mail_dir: String,

    /// Whom mails come from.
    #[arg(long, env = "SOUK_MAIL_FROM", default_value = "Souk <shop@souk.example>")]
    pub mail_from: String,

    /// Where the shop's pages are, which mails link to.
    #[arg(long, env = "SOUK_SHOP_URL", default_value = "http://localhost:8080")]
    pub shop_url: String,

    /// The e-mail address of the first administrator, who is made an account when the service
    /// starts, unless the address has one.
    #[arg(
        long,
        env = "SOUK_ADMIN_EMAIL",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true
    )]
    pub admin_email: SecretString,

    /// The password of the first administrator, 8 to 128 characters. It is for a new account only
    /// and never changes one.
    #[arg(
        long,
        env = "SOUK_ADMIN_PASSWORD",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true
    )]
    pub admin_password: SecretString,
}

/// The first one who minds the shop.
#[derive(Clone)]
pub(crate) struct Administrator {
    pub(crate) email: Email,
    pub(crate) password: NewPassword,
}

impl Config {
    /// The keys to sign with.
    pub(crate) fn keys(&self) -> Result<SigningKeys, Misconfigured> {
        let (current, previous) = (&self.jwt_key, &self.jwt_key_previous);
        let current = self.long_enough("JWT_KEY", current.expose_secret())?;
        let previous = given(previous).map(|text| self.long_enough("JWT_KEY_PREVIOUS", text));
        Ok(SigningKeys::derive(current, previous.transpose()?))
    }

    /// Whether the signing key is shorter than 32 characters, which only a laptop may allow.
    pub(crate) fn has_short_key(&self) -> bool {
        is_short(self.jwt_key.expose_secret().trim())
    }

    /// The secret without the newline that files like to end with.
    fn long_enough<'a>(
        &self,
        variable: &'static str,
        text: &'a str,
    ) -> Result<&'a str, Misconfigured> {
        let text = text.trim();
        let fits = !is_short(text) || (self.allow_short_key && !text.is_empty());
        fits.then_some(text).ok_or(Misconfigured {
            variable,
            reason: "at least 32 characters; `openssl rand -base64 48` makes a good one",
        })
    }

    /// What the tokens in mails are made of.
    pub(crate) fn secrets(&self) -> Result<Secrets, Misconfigured> {
        let current = self.long_enough("JWT_KEY", self.jwt_key.expose_secret())?;
        Ok(Secrets::derive(current, given(&self.jwt_key_previous).map(str::trim)))
    }

    /// What mails are sent with, if they are.
    pub(crate) fn postage(&self) -> Result<Option<Postage>, Misconfigured> {
        let wrong = |variable, reason| Misconfigured { variable, reason };
        let sender = self.mail_from.parse();
        let sender =
            sender.map_err(|_| wrong("SOUK_MAIL_FROM", "not like Souk <shop@souk.example>"))?;
        let shop = self.shop_url.parse();
        let shop = shop.map_err(|_| wrong("SOUK_SHOP_URL", "not like https://shop.example.com"))?;
        let outlet = match (given(&self.smtp_url), self.mail_dir.as_str()) {
            (None, "") => return Ok(None),
            (Some(url), "") => Outlet::smtp(url).map_err(|unfit| {
                wrong(
                    "SOUK_SMTP_URL",
                    match unfit {
                        UnfitServer::NotAnAddress => {
                            "not like smtp://user:password@host:587?tls=required"
                        }
                        UnfitServer::PasswordInTheClear => {
                            "a password needs tls=required, or smtps://"
                        }
                    },
                )
            })?,
            (None, folder) => Outlet::Folder(folder.into()),
            (Some(_), _) => {
                return Err(wrong("SOUK_MAIL_DIR", "SOUK_SMTP_URL is set: set one of them"));
            }
        };
        Ok(Some(Postage { outlet, sender, shop, secrets: self.secrets()? }))
    }

    /// How long access tokens are good for. Nobody remembers revoked sign-ins for longer than the
    /// longest.
    pub(crate) fn life(&self) -> Result<Duration, Misconfigured> {
        let life = self.access_token_life;
        let sane = (Duration::from_secs(1)..=LIFE).contains(&life);
        sane.then_some(life).ok_or(Misconfigured {
            variable: "SOUK_ACCESS_TOKEN_LIFE",
            reason: "an access token is good for 1s to 5m",
        })
    }

    /// The first administrator, if there is to be one.
    pub(crate) fn administrator(&self) -> Result<Option<Administrator>, Misconfigured> {
        let missing = |variable| Misconfigured { variable, reason: "set both, or neither" };
        let (email, password) = match (given(&self.admin_email), given(&self.admin_password)) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(missing("SOUK_ADMIN_EMAIL")),
            (Some(_), None) => return Err(missing("SOUK_ADMIN_PASSWORD")),
            (Some(email), Some(password)) => (email, password),
        };
        let email: Email = email.parse().map_err(|_| Misconfigured {
            variable: "SOUK_ADMIN_EMAIL",
            reason: "not like alice@example.com",
        })?;
        let weak = |reason| Misconfigured { variable: "SOUK_ADMIN_PASSWORD", reason };
        let password = NewPassword::try_from(password.to_owned()).map_err(|invalid| {
            weak(match invalid {
                InvalidPassword::Length => "a password has 8 to 128 characters",
                InvalidPassword::Common => "this is one of the commonest passwords",
            })
        })?;
        if password.repeats(&email) {
            return Err(weak("it only repeats the address"));
        }
        Ok(Some(Administrator { email, password }))
    }

    /// What throttling goes by.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            secret: self.jwt_key.clone(),
            guests: self.guests_per_address,
            registrations: self.registrations_per_address,
        }
    }
}

impl fmt::Debug for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Administrator(…)")
    }
}

/// An empty variable is as good as none: manifests like to have them all.
fn given(text: &SecretString) -> Option<&str> {
    Some(text.expose_secret()).filter(|text| !text.is_empty())
}

fn is_short(secret: &str) -> bool {
    secret.chars().count() < SHORTEST_KEY
}
