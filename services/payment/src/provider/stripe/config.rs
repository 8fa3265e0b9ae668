//! What the shop's account at Stripe is.

use std::net::IpAddr;

use clap::Args;
use common::config::Misconfigured;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

/// Where Stripe is for everybody.
const API: &str = "https://api.stripe.com";

/// The shop's account at Stripe; there is none without a secret key.
#[derive(Clone, Debug, Default, Args)]
pub struct StripeConfig {
    /// The secret or restricted key of the account at Stripe; a restricted key may write payment
    /// intents and refunds.
    #[arg(long = "stripe-secret-key", env = "SOUK_STRIPE_SECRET_KEY", hide_env_values = true)]
    pub secret_key: Option<SecretString>,

    /// What Stripe signs its webhooks with, separated by commas; several while one replaces
    /// another. Without any, no webhook is believed, and it is Stripe that is asked.
    #[arg(
        long = "stripe-webhook-secrets",
        env = "SOUK_STRIPE_WEBHOOK_SECRETS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub webhook_secrets: Vec<SecretString>,

    /// Where Stripe is; https unless it is on this machine.
    #[arg(long = "stripe-url", env = "SOUK_STRIPE_URL", default_value = API, value_parser = api)]
    pub url: Option<Url>,

    /// Where a shopper comes back to who confirmed a payment at their bank: a page of the shop,
    /// with `{order_id}` where the order's id belongs.
    #[arg(long = "stripe-return-url", env = "SOUK_STRIPE_RETURN_URL", value_parser = page)]
    pub return_url: Option<String>,
}

/// The account, once all of it is known.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) key: SecretString,
    pub(super) webhook_secrets: Vec<SecretString>,
    pub(super) url: Url,
    pub(super) return_url: String,
}

/// An address that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnusableUrl {
    /// Not where Stripe is.
    #[error("not like https://api.stripe.com; http is for this machine alone")]
    Api,
    /// Not where a shopper comes back to.
    #[error("not like https://shop.example.com/orders/{{order_id}}")]
    Page,
}

/// What is said when Stripe is chosen, and there is no account.
pub const NO_ACCOUNT: Misconfigured = Misconfigured {
    variable: "SOUK_STRIPE_SECRET_KEY",
    reason: "SOUK_PROVIDER=stripe needs the secret key of an account at Stripe",
};

impl StripeConfig {
    /// The account; `None` when there is none.
    pub(super) fn account(&self) -> Result<Option<Account>, Misconfigured> {
        let Some(key) = self.secret_key.clone().filter(is_there) else { return Ok(None) };
        if !is_key(key.expose_secret()) {
            let reason = "a secret key begins with sk_ and a restricted one with rk_";
            return Err(Misconfigured { variable: "SOUK_STRIPE_SECRET_KEY", reason });
        }
        let return_url = self.return_url.clone().ok_or(Misconfigured {
            variable: "SOUK_STRIPE_RETURN_URL",
            reason: "Stripe needs a page of the shop for shoppers who confirm at their bank, \
                such as https://shop.example.com/orders/{order_id}",
        })?;
        let url = self.url.clone().or_else(|| api(API).ok()).expect("the default is an address");
        let webhook_secrets = self.webhook_secrets.iter().filter(|it| is_there(it)).cloned();
        Ok(Some(Account { key, webhook_secrets: webhook_secrets.collect(), url, return_url }))
    }
}

impl Account {
    /// Where the shopper of this order comes back to.
    pub(super) fn return_url(&self, order: contracts::OrderId) -> String {
        self.return_url.replace("{order_id}", &order.to_string())
    }
}

fn is_there(secret: &SecretString) -> bool {
    !secret.expose_secret().is_empty()
}

fn is_key(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    plain && (text.starts_with("sk_") || text.starts_with("rk_"))
}

fn api(text: &str) -> Result<Url, UnusableUrl> {
    let url: Url = text.parse().map_err(|_| UnusableUrl::Api)?;
    let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_here(&url));
    if bare && safe { Ok(url) } else { Err(UnusableUrl::Api) }
}

fn page(text: &str) -> Result<String, UnusableUrl> {
    let url: Url = text.parse().map_err(|_| UnusableUrl::Page)?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.has_host();
    if is_web { Ok(text.to_owned()) } else { Err(UnusableUrl::Page) }
}

/// Whether an address is on this machine.
pub(super) fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_travel_encrypted_or_stay_on_this_machine() {
        for here in ["http://127.0.0.1:8420", "http://localhost:1/", "http://[::1]:1", API] {
            assert!(api(here).is_ok(), "{here}");
        }
        let elsewhere = ["http://api.stripe.com", "http://127.0.0.1.example.com", "ftp://x", ""];
        for there in elsewhere.into_iter().chain(["https://me@api.stripe.com", "https://x/v1"]) {
            assert_eq!(api(there), Err(UnusableUrl::Api), "{there}");
        }
    }

    #[test]
    fn there_is_no_account_without_a_key() {
        let empty = StripeConfig { secret_key: Some("".into()), ..StripeConfig::default() };

        assert!(StripeConfig::default().account().unwrap().is_none());
        assert!(empty.account().unwrap().is_none());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let publishable = StripeConfig { secret_key: Some("pk_1".into()), ..Default::default() };
        let alone = StripeConfig { secret_key: Some("sk_test_1".into()), ..Default::default() };
        let whole = StripeConfig { return_url: Some("https://s/".into()), ..alone.clone() };

        let wrong = publishable.account().unwrap_err();
        let missing = alone.account().unwrap_err();

        assert_eq!(wrong.variable, "SOUK_STRIPE_SECRET_KEY");
        assert!(!wrong.to_string().contains("pk_1"));
        assert_eq!(missing.variable, "SOUK_STRIPE_RETURN_URL");
        assert_eq!(whole.account().unwrap().unwrap().url.as_str(), "https://api.stripe.com/");
    }
}
