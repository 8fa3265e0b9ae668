//! The shop as it is set up to be measured.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use mongodb::Database;
use serde_json::{Value, json};
use testkit::{Answer, Client};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::buyer::{Buyers, Customer};
use super::crowd::Crowd;
use super::load::arrive;
use super::shares::Shares;
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
pub(crate) struct Stage<'a> {
    pub(crate) open: Open<'a>,
    /// Asks through the ingress, as nobody yet.
    pub(crate) client: Client,
    /// Where the shoppers live.
    pub(crate) crowd: Crowd,
    /// What is heard on the bus.
    pub(crate) trail: Trail,
    /// The server that has the services' databases.
    pub(crate) mongo: mongodb::Client,
    /// Where the broker is.
    pub(crate) broker: String,
    /// The products that are for sale.
    pub(crate) products: Vec<String>,
}

impl<'a> Stage<'a> {
    /// Puts things on sale.
    pub(crate) async fn set(open: Open<'a>) -> anyhow::Result<Self> {
        let broker = open.fleet.uri("nats-server").context("there is a nats-server")?;
        let mongod = open.fleet.uri("mongod").context("there is a mongod")?;
        let mut stage = Self {
            open,
            client: Client::at(open.address()),
            crowd: Crowd::gather()?,
            trail: Trail::of(&broker).await?,
            mongo: mongodb::Client::with_uri_str(mongod).await?,
            broker,
            products: Vec::new(),
        };
        let staff = stage.staff().await?;
        for number in 0..THINGS {
            let id = sell(&staff, &sku(number), PIECES).await?;
            stage.products.push(id);
        }
        // The cart has heard of all of them as soon as it takes the last.
        stage.customers(THINGS).await?;
        Ok(stage)
    }

    /// Somebody who minds the shop. The token is good for five minutes.
    pub(crate) async fn staff(&self) -> anyhow::Result<Client> {
        let (email, password) = (&self.open.account.email, &self.open.account.password);
        let signing_in = json!({ "email": email, "password": password });
        let client = Client::at(self.open.address());
        let signed_in = client.post("/api/auth/login").json(&signing_in).send().await?;
        Ok(client.with_token(text(&signed_in, "access_token")?))
    }

    /// Somebody who has bought nothing yet.
    pub(crate) async fn guest(&self) -> anyhow::Result<Guest> {
        let came = Client::at(self.open.address()).post("/api/auth/guest").send().await?;
        let refresh_token = Mutex::new(text(&came, "refresh_token")?);
        let id = came["user"]["id"].as_str().context("a guest has an id")?.to_owned();
        Ok(Guest { id, refresh_token })
    }

    /// So many people, each of whom has bought something. Their tokens are good for five minutes.
    pub(crate) async fn customers(&self, many: u32) -> anyhow::Result<Vec<Customer>> {
        let buyers = Buyers::new(&Client::at(self.open.address()), sku);
        let buy = |number| {
            let buyers = buyers.clone();
            async move { patiently(&buyers, number).await }
        };
        try_join_all((0..many).map(buy)).await
    }

    /// A database of a service, for operators' eyes.
    pub(crate) fn database(&self, service: &str) -> Database {
        self.mongo.database(service)
    }

    /// Lets shoppers come, on threads of their own.
    pub(crate) async fn arrive<F>(
        &self,
        rate: u32,
        length: Duration,
        one: impl FnMut(u32, Instant) -> F + Send + 'static,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.crowd.does(arrive(rate, length, one)).await?
    }

    /// Who works from now on.
    pub(crate) fn shares(&self) -> Shares {
        Shares::from_now(&self.open.fleet.processes())
    }
}

/// Somebody who came as a guest, and can come back.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) id: String,
    refresh_token: Mutex<String>,
}

impl Guest {
    /// Comes back with a token that is good for five more minutes.
    pub(crate) async fn again(&self, client: &Client) -> anyhow::Result<Client> {
        let mut token = self.refresh_token.lock().await;
        let refresh = client.post("/api/auth/refresh").json(&json!({ "refresh_token": *token }));
        let answer = refresh.send().await?;
        *token = text(&answer, "refresh_token")?;
        Ok(client.with_token(text(&answer, "access_token")?))
    }
}

/// Puts so many pieces of a thing on sale, and gives the product's id.
pub(crate) async fn sell(staff: &Client, sku: &str, pieces: u32) -> anyhow::Result<String> {
    let sell = staff.post("/api/products").json(&goods(sku, pieces)).key(sku);
    text(&sell.send().await?, "id")
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

/// Buys, as soon as everybody has heard of what is for sale.
async fn patiently(buyers: &Buyers, number: u32) -> anyhow::Result<Customer> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let began = Instant::now();
    loop {
        match buyers.bring_to_paid(number, Instant::now()).await {
            Ok(customer) => return Ok(customer),
            Err(error) => ensure!(began.elapsed() < PATIENCE, "nobody can buy: {error:#}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn goods(sku: &str, pieces: u32) -> Value {
    let price = json!({ "amount": CENTS, "currency": "EUR" });
    let variant = json!({ "sku": sku, "price": price, "on_hand": pieces });
    json!({ "title": format!("Thing {sku}"), "variants": [variant] })
}
