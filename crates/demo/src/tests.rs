//! The loader against a small shop that remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path as Slug, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::catalogue::DEMO;
use crate::{Credentials, Shop as Address, load};

/// A shop that sells what it is told to.
#[derive(Debug, Default)]
struct Shop {
    sold: HashMap<String, Value>,
    keys: Vec<String>,
    sign_ins: usize,
    /// How many further requests find it away.
    away: usize,
    /// What it sells is not shown.
    hidden: bool,
}

type Shared = State<Arc<Mutex<Shop>>>;

async fn show(State(shop): Shared, Slug(slug): Slug<String>) -> Response {
    let mut shop = shop.lock().unwrap();
    if shop.away > 0 {
        shop.away -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")]).into_response();
    }
    match shop.sold.get(&slug).filter(|_| !shop.hidden) {
        Some(product) => Json(product.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn log_in(State(shop): Shared, Json(who): Json<Value>) -> Response {
    shop.lock().unwrap().sign_ins += 1;
    if who == json!({ "email": "admin@souk.example", "password": "open sesame" }) {
        Json(json!({ "access_token": "staff" })).into_response()
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn sell(State(shop): Shared, headers: HeaderMap, Json(product): Json<Value>) -> StatusCode {
    if headers[header::AUTHORIZATION] != "Bearer staff" {
        return StatusCode::FORBIDDEN;
    }
    let mut shop = shop.lock().unwrap();
    shop.keys.push(headers["idempotency-key"].to_str().unwrap().to_owned());
    let slug = product["slug"].as_str().unwrap().to_owned();
    match shop.sold.insert(slug, product) {
        None => StatusCode::CREATED,
        Some(_) => StatusCode::CONFLICT,
    }
}

struct World {
    shop: Arc<Mutex<Shop>>,
    address: Address,
    _server: JoinSet<std::io::Result<()>>,
}

impl World {
    async fn start() -> Self {
        let shop = Arc::<Mutex<Shop>>::default();
        let router = Router::new()
            .route("/api/products/{slug}", get(show))
            .route("/api/products", post(sell))
            .route("/api/auth/login", post(log_in))
            .with_state(Arc::clone(&shop));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let wait = Duration::from_secs(20);
        let address = Address { auth: url.clone(), product: url, wait };
        let mut server = JoinSet::new();
        server.spawn(axum::serve(listener, router).into_future());
        Self { shop, address, _server: server }
    }

    async fn load(&self) -> anyhow::Result<()> {
        self.load_as("open sesame").await
    }

    async fn load_as(&self, password: &str) -> anyhow::Result<()> {
        let (email, password) = ("admin@souk.example".to_owned(), password.to_owned());
        load(&self.address, &Credentials { email, password }, &|_| ()).await
    }

    fn shop(&self) -> std::sync::MutexGuard<'_, Shop> {
        self.shop.lock().unwrap()
    }
}

fn catalogue() -> Vec<Value> {
    serde_json::from_str(DEMO).unwrap()
}

#[tokio::test]
async fn everything_in_the_catalogue_is_sold_as_it_stands_there() {
    let world = World::start().await;

    world.load().await.unwrap();

    let (shop, catalogue) = (world.shop(), catalogue());
    assert_eq!(shop.sold.len(), catalogue.len());
    for product in &catalogue {
        assert_eq!(shop.sold[product["slug"].as_str().unwrap()], *product);
    }
    assert_eq!(shop.sign_ins, 1);
}

#[tokio::test]
async fn a_second_time_nothing_is_asked_for() {
    let world = World::start().await;
    world.load().await.unwrap();
    let asked = world.shop().keys.len();

    world.load().await.unwrap();

    assert_eq!(world.shop().keys.len(), asked);
    assert_eq!(world.shop().sign_ins, 1);
}

#[tokio::test]
async fn what_was_missing_is_added_and_the_rest_left_alone() {
    let world = World::start().await;
    world.load().await.unwrap();
    world.shop().sold.remove("walnut-oud").unwrap();
    world.shop().keys.clear();

    world.load().await.unwrap();

    assert!(world.shop().sold.contains_key("walnut-oud"));
    assert_eq!(world.shop().keys.len(), 1);
}

#[tokio::test]
async fn what_is_there_but_not_shown_is_left_alone_too() {
    let world = World::start().await;
    world.load().await.unwrap();
    world.shop().hidden = true;

    world.load().await.unwrap();

    let mut keys = std::mem::take(&mut world.shop().keys);
    let asked = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len() * 2, asked, "the same request bears the same key");
}

#[tokio::test]
async fn a_shop_that_is_away_for_a_moment_is_waited_for() {
    let world = World::start().await;
    world.shop().away = 9;

    world.load().await.unwrap();

    assert_eq!(world.shop().sold.len(), catalogue().len());
}

#[tokio::test]
async fn who_may_not_sell_is_told_so() {
    let world = World::start().await;

    let refusal = world.load_as("guess").await.unwrap_err().to_string();

    assert!(refusal.contains("/api/auth/login answered 401"), "{refusal}");
    assert!(world.shop().sold.is_empty());
}
