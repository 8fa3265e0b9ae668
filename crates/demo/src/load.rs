//! Fills the shelves through the public API of the shop.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::catalogue::{Catalogue, Product};

/// How many products are on their way at the same time.
const CONCURRENT: usize = 6;
/// A line is reported after so many new products.
const STEP: usize = 10;
/// How long a service may take to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Where a shop answers, such as `http://localhost:8080` for both.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The address of auth.
    pub auth: String,
    /// The address of product.
    pub product: String,
    /// How long a service that is unavailable is waited for.
    pub wait: Duration,
}

/// What a member of staff signs in with.
#[derive(Clone)]
pub struct Credentials {
    /// The email address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// A shop that is being filled.
struct Loader<'a> {
    shop: &'a Shop,
    http: Client,
}

/// Sells what the catalogue has and the shop has not; what is there is left as it is. `report` gets a
/// line for each step.
///
/// # Errors
/// When a service stays unavailable or refuses.
pub async fn load(
    shop: &Shop,
    staff: &Credentials,
    report: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let catalogue = Catalogue::demo()?;
    let all = catalogue.products.len();
    let http = Client::builder().no_proxy().timeout(TIMEOUT).build()?;
    let loader = &Loader { shop, http };
    let missing: Vec<_> = stream::iter(catalogue.products)
        .map(|product| async move {
            let there = loader.has(&product).await?;
            anyhow::Ok((!there).then_some(product))
        })
        .buffered(CONCURRENT)
        .try_filter_map(async |product| Ok(product))
        .try_collect()
        .await?;
    if missing.is_empty() {
        report(&format!("all {all} products are there already"));
        return Ok(());
    }
    let token = loader.sign_in(staff).await?;
    loader.sell_all(&token, &missing, report).await
}

impl Loader<'_> {
    async fn has(&self, product: &Product) -> anyhow::Result<bool> {
        let url = format!("{}/api/products/{}", self.shop.product, product.slug);
        let answer = self.send(&self.http.get(url)).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => refused(answer).await,
        }
    }

    /// The access token of this member of staff.
    async fn sign_in(&self, staff: &Credentials) -> anyhow::Result<String> {
        let body = json!({ "email": staff.email, "password": staff.password });
        let login = self.http.post(format!("{}/api/auth/login", self.shop.auth)).json(&body);
        let answer = self.send(&login).await?;
        if !answer.status().is_success() {
            return refused(answer).await;
        }
        let answer: Value = answer.json().await?;
        let token = answer["access_token"].as_str().context("a sign-in without an access token")?;
        Ok(token.to_owned())
    }

    async fn sell_all(
        &self,
        token: &str,
        products: &[Product],
        report: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<()> {
        let sold = stream::iter(products).map(|it| self.sell(token, it));
        let mut sold = sold.buffer_unordered(CONCURRENT);
        let mut done = 0;
        while sold.try_next().await?.is_some() {
            done += 1;
            if done % STEP == 0 || done == products.len() {
                report(&format!("{done} of {} products", products.len()));
            }
        }
        Ok(())
    }

    /// Creates one product, unless its slug or its SKU was taken before.
    async fn sell(&self, token: &str, product: &Product) -> anyhow::Result<()> {
        let url = format!("{}/api/products", self.shop.product);
        let create = self.http.post(url).bearer_auth(token).json(product);
        let answer = self.send(&create.header("idempotency-key", product.key()?)).await?;
        if answer.status().is_success() || answer.status() == StatusCode::CONFLICT {
            return Ok(());
        }
        refused(answer).await
    }

    /// Sends a request, and again while the service is unavailable.
    async fn send(&self, request: &RequestBuilder) -> anyhow::Result<Response> {
        let began = Instant::now();
        loop {
            let again = request.try_clone().context("a body that cannot be sent twice")?;
            let outcome = again.send().await;
            let unavailable =
                outcome.as_ref().map_or(true, |it| matches!(it.status().as_u16(), 429 | 502 | 503));
            if !unavailable || began.elapsed() > self.shop.wait {
                return Ok(outcome?);
            }
            let hint = outcome.ok().and_then(|it| retry_after(&it));
            sleep(hint.unwrap_or(Duration::from_secs(1)).min(self.shop.wait)).await;
        }
    }
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The error for an answer that was not expected.
async fn refused<T>(answer: Response) -> anyhow::Result<T> {
    let (url, status) = (answer.url().path().to_owned(), answer.status().as_u16());
    bail!("{url} answered {status}: {}", answer.text().await?)
}
