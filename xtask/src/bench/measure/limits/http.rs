//! A router that does nothing else.

use std::future::IntoFuture as _;
use std::net::Ipv4Addr;

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use testkit::Client;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{AT_ONCE, HTTP, Rows};
use crate::bench::buyer::well;

pub(super) async fn measure(rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let client = Client::at(format!("http://{}", listener.local_addr()?));
    let router = Router::new().route("/things/{id}", get(thing));
    let mut server = JoinSet::new();
    server.spawn(axum::serve(listener, router).into_future());
    let one = move |number: u32| {
        let ask = client.get(format!("/things/{number}"));
        async move { well(ask).await.map(drop) }
    };
    rows.each(HTTP, &AT_ONCE, one).await
}

/// As much as a product with one variant says.
async fn thing(Path(id): Path<String>) -> Json<Value> {
    let price = json!({ "amount": 1250, "currency": "EUR" });
    let variant = json!({ "sku": id, "options": {}, "price": price, "available": 12 });
    Json(json!({
        "id": id, "slug": "thing", "title": "Thing", "description": "", "category": null,
        "tags": [], "images": [], "options": [], "variants": [variant], "version": 1,
    }))
}
