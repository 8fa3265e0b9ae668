//! Somebody who buys.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use crate::client::Request;
use crate::unique::unique;
use crate::{Answer, Client, eventually};

/// Facts travel as events: what one service knows, another knows soon.
const SOON: Duration = Duration::from_mins(1);

/// Who buys, signed in or as a guest.
///
/// What it does has to succeed, else it panics with the answer; what is to be refused is asked
/// through its [`Client`].
#[derive(Clone, Debug)]
pub struct Shopper {
    /// Asks as this person.
    pub client: Client,
    /// Who it is.
    pub id: String,
    /// Gets the next access token.
    pub refresh_token: String,
}

impl Shopper {
    /// Comes without an account.
    pub async fn guest(client: &Client) -> Self {
        Self::from(client, &client.post("/api/auth/guest").await.ok())
    }

    /// Makes an account; what a guest had becomes theirs when the client is a guest's.
    pub async fn register(client: &Client, email: &str, password: &str) -> Self {
        let person = json!({ "email": email, "password": password });
        Self::from(client, &client.post("/api/auth/register").json(&person).await.ok())
    }

    /// Signs in; what a guest had becomes theirs when the client is a guest's.
    pub async fn sign_in(client: &Client, email: &str, password: &str) -> Self {
        let person = json!({ "email": email, "password": password });
        Self::from(client, &client.post("/api/auth/login").json(&person).await.ok())
    }

    fn from(client: &Client, signed_in: &Answer) -> Self {
        Self {
            client: client.with_token(signed_in.text_of("access_token")),
            id: signed_in["user"]["id"].as_str().unwrap_or_default().to_owned(),
            refresh_token: signed_in.text_of("refresh_token"),
        }
    }

    /// The access token it asks with.
    pub fn token(&self) -> &str {
        self.client.token()
    }

    /// Puts so many pieces into the cart, as soon as the cart knows the product.
    pub async fn add(&self, sku: &str, quantity: u32) -> Answer {
        let line = json!({ "quantity": quantity });
        soon(&self.client.put(format!("/api/cart/items/{sku}")).json(&line), &[404, 422, 503]).await
    }

    /// What is in the cart.
    pub async fn cart(&self) -> Answer {
        self.client.get("/api/cart").await.ok()
    }

    /// Buys what is in the cart at the price it shows, and gives the order's id.
    pub async fn checkout(&self) -> String {
        let accepted = json!({ "expected_total": self.cart().await["total"] });
        let checkout = self.client.post("/api/cart/checkout").json(&accepted).key(&unique());
        checkout.await.ok().text_of("order_id")
    }

    /// The order, as soon as it is known.
    pub async fn order(&self, id: &str) -> Answer {
        soon(&self.client.get(format!("/api/orders/{id}")), &[404, 503]).await
    }

    /// The order, as soon as its status is this.
    pub async fn until(&self, id: &str, status: &str) -> Answer {
        let what = format!("order {id} is {status}");
        let look = self.client.get(format!("/api/orders/{id}?wait=2s&until={status}"));
        eventually(&what, SOON, async || {
            Some(look.clone().await).filter(|order| order["status"] == status)
        })
        .await
    }

    /// Pays for an order, as soon as its payment is due.
    pub async fn pay(&self, order: &str, method: impl Serialize) -> Answer {
        self.until(order, "reserved").await;
        let payment = json!({ "order_id": order, "method": json!(method) });
        let pay = self.client.post("/api/payments").json(&payment).key(&unique());
        soon(&pay, &[404, 503]).await
    }

    /// Buys so many pieces and pays; the order is paid.
    pub async fn buys(&self, sku: &str, quantity: u32, method: impl Serialize) -> Answer {
        self.add(sku, quantity).await;
        let order = self.checkout().await;
        self.pay(&order, method).await;
        self.until(&order, "paid").await
    }

    /// Everything that was paid for an order.
    pub async fn payments(&self, order: &str) -> Vec<Value> {
        let payments = self.client.get(format!("/api/payments?order_id={order}")).await.ok();
        payments["items"].as_array().cloned().unwrap_or_default()
    }
}

/// The success that follows these refusals: a service first has to hear of what is asked for.
async fn soon(request: &Request, refusals: &[u16]) -> Answer {
    let bound = Instant::now() + SOON;
    loop {
        let answer = request.clone().await;
        if !refusals.contains(&answer.status) || Instant::now() > bound {
            return answer.ok();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
