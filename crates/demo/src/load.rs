//! Fills the shelves through the shop's own front door.

mod catalogue;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use testkit::{Answer, Client, Request};
use tokio::time::sleep;

use self::catalogue::{Catalogue, Product};
use super::account::Account;
use super::progress::say;

/// How many products are on their way at the same time.
const HANDFUL: usize = 6;

/// After so many new products it is said how far it is.
const STEP: usize = 10;

/// How long a service that is away for a moment is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sells what the catalogue has and the shop has not; what is there is left as it is.
pub(crate) async fn load(shop: &Client, staff: &Account, file: &Path) -> anyhow::Result<()> {
    let catalogue = Catalogue::read(file)?;
    let all = catalogue.products.len();
    let missing: Vec<_> = stream::iter(catalogue.products)
        .map(|product| async move {
            let there = is_there(shop, &product).await?;
            anyhow::Ok((!there).then_some(product))
        })
        .buffered(HANDFUL)
        .try_filter_map(async |product| Ok(product))
        .try_collect()
        .await?;
    if missing.is_empty() {
        say(format_args!("all {all} products are there already"));
        return Ok(());
    }
    sell_all(&sign_in(shop, staff).await?, &missing).await
}

async fn is_there(shop: &Client, product: &Product) -> anyhow::Result<bool> {
    let answer = patiently(&shop.get(format!("/api/products/{}", product.slug))).await?;
    match answer.status {
        200 => Ok(true),
        404 => Ok(false),
        _ => Err(unexpected(&answer)),
    }
}

/// The client that asks as this person.
async fn sign_in(shop: &Client, staff: &Account) -> anyhow::Result<Client> {
    let (email, password) = (&staff.email, &staff.password);
    let login = shop.post("/api/auth/login").json(&json!({ "email": email, "password": password }));
    let answer = patiently(&login).await?;
    ensure!(answer.is_ok(), unexpected(&answer));
    let token = answer["access_token"].as_str().context("a sign-in without an access token")?;
    Ok(shop.with_token(token))
}

async fn sell_all(staff: &Client, products: &[Product]) -> anyhow::Result<()> {
    let mut sold = stream::iter(products).map(|it| sell(staff, it)).buffer_unordered(HANDFUL);
    let mut done = 0;
    while sold.try_next().await?.is_some() {
        done += 1;
        if done % STEP == 0 || done == products.len() {
            say(format_args!("{done} of {} products", products.len()));
        }
    }
    Ok(())
}

/// Puts one product on the shelf, unless somebody took its name or its SKU before.
async fn sell(staff: &Client, product: &Product) -> anyhow::Result<()> {
    let key = product.key()?;
    let answer = patiently(&staff.post("/api/products").json(product).key(&key)).await?;
    ensure!(answer.is_ok() || answer.status == 409, unexpected(&answer));
    Ok(())
}

/// Sends a request, and again while nobody is there to answer it.
async fn patiently(request: &Request) -> anyhow::Result<Answer> {
    let began = Instant::now();
    loop {
        let outcome = request.clone().send().await;
        let away = outcome.as_ref().map_or(true, |it| matches!(it.status, 429 | 502 | 503));
        if !away || began.elapsed() > PATIENCE {
            return Ok(outcome?);
        }
        let told = outcome.ok().and_then(|it| it.header("retry-after")?.parse().ok());
        sleep(Duration::from_secs(told.unwrap_or(1)).min(PATIENCE)).await;
    }
}

fn unexpected(answer: &Answer) -> anyhow::Error {
    anyhow::anyhow!("{} answered {}: {}", answer.asked, answer.status, answer.text)
}
