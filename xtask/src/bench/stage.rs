//! The shop as it is set up to be measured.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::{Answer, Client};

use super::trail::Trail;
use crate::up::Open;

/// So many things are for sale.
const THINGS: u32 = 20;
/// Of each there are more than can be bought while it is measured.
const PIECES: u32 = 1_000_000;
/// What one piece costs.
const CENTS: i64 = 1250;

/// A shop that sells, and those who ask it.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Asks through the ingress, as nobody yet.
    pub(crate) client: Client,
    /// What is heard on the bus.
    pub(crate) trail: Trail,
}

impl Stage {
    /// Puts things on sale.
    pub(crate) async fn set(open: Open<'_>) -> anyhow::Result<Self> {
        let client = Client::at(open.address());
        let signing_in = json!({ "email": open.account.email, "password": open.account.password });
        let signed_in = client.post("/api/auth/login").json(&signing_in).send().await?;
        let token = text(&signed_in, "access_token")?;
        let staff = client.with_token(token);
        for number in 0..THINGS {
            let goods = goods(number);
            let sell = staff.post("/api/products").json(&goods).key(&sku(number));
            let sold = sell.send().await?;
            ensure!(sold.is_ok(), "{}: {} {}", sold.asked, sold.status, sold.text);
        }
        let broker = open.fleet.uri("nats-server").context("there is a nats-server")?;
        Ok(Self { client, trail: Trail::of(&broker).await? })
    }
}

/// The SKU that the buyer of this number wants.
pub(crate) fn sku(number: u32) -> String {
    format!("BENCH-{}", number % THINGS)
}

/// A text in an answer that has to be a good one.
pub(crate) fn text(answer: &Answer, field: &str) -> anyhow::Result<String> {
    let text = answer[field].as_str().filter(|_| answer.is_ok());
    let said = || format!("{}: {} {}", answer.asked, answer.status, answer.text);
    text.map(ToOwned::to_owned).with_context(said)
}

fn goods(number: u32) -> Value {
    let price = json!({ "amount": CENTS, "currency": "EUR" });
    let variant = json!({ "sku": sku(number), "price": price, "on_hand": PIECES });
    json!({ "title": format!("Thing {number}"), "variants": [variant] })
}
