//! People with accounts, who sign in with a password.

use std::time::Duration;

use anyhow::ensure;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use testkit::{Client, Request};
use tokio::time::{Instant, sleep};

use super::buyer::{home, sent};

/// So many register at the same time; auth bounds how many passwords wait to be hashed.
const SIDE_BY_SIDE: usize = 8;

/// Nobody comes back for longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Somebody with an account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    email: String,
    /// Where they registered: the address they sign in from, too.
    home: String,
}

/// Makes so many accounts; each person has an address of their own.
pub(crate) async fn register(
    client: &Client,
    many: u32,
    called: &str,
) -> anyhow::Result<Vec<Account>> {
    let all = (0..many).map(|number| register_one(client, number, called));
    stream::iter(all).buffered(SIDE_BY_SIDE).try_collect().await
}

async fn register_one(client: &Client, number: u32, called: &str) -> anyhow::Result<Account> {
    let (email, home) = (format!("{called}-{number}@souk.example"), home(number));
    let person = json!({ "email": email, "password": PASSWORD });
    let register = client.post("/api/auth/register").json(&person);
    let answer = sent(register.header("x-forwarded-for", &home)).await?;
    ensure!(answer.is_ok(), "{}: {} {}", answer.asked, answer.status, answer.text);
    Ok(Account { email, home })
}

const PASSWORD: &str = "a long way to the bazaar";

impl Account {
    /// Signs in with the password.
    pub(crate) fn sign_in(&self, client: &Client) -> Request {
        let credentials = json!({ "email": self.email, "password": PASSWORD });
        let sign_in = client.post("/api/auth/login").json(&credentials);
        sign_in.header("x-forwarded-for", &self.home)
    }

    /// Signs in, and comes back as often as auth is too busy; says how often that was.
    pub(crate) async fn get_in(&self, client: &Client) -> anyhow::Result<u32> {
        let since = Instant::now();
        for sent_away in 0.. {
            ensure!(since.elapsed() < PATIENCE, "sent away for a minute and more");
            let answer = sent(self.sign_in(client)).await?;
            if answer.status != 503 {
                ensure!(answer.is_ok(), "{} {}", answer.status, answer["type"]);
                return Ok(sent_away);
            }
            let told = answer.header("retry-after").and_then(|it| it.parse().ok());
            sleep(Duration::from_secs(told.unwrap_or(1))).await;
        }
        unreachable!("people come back for ever")
    }
}
