//! Somebody who minds the shop.

use serde_json::json;

use crate::fleet::ADMIN;
use crate::unique::unique;
use crate::{Answer, Client, Shopper};

/// Who minds catalogue, stock and orders: the first administrator.
///
/// What it does has to succeed, else it panics with the answer; what is to be refused is asked
/// through its [`Client`].
#[derive(Clone, Debug)]
pub struct Staff {
    /// Asks as this person.
    pub client: Client,
}

impl Staff {
    /// Signs in as the administrator of a [`crate::fleet::Fleet`].
    pub async fn sign_in(client: &Client) -> Self {
        let (email, password) = ADMIN;
        Self { client: Shopper::sign_in(client, email, password).await.client }
    }

    /// Sells something new, in variants of `(sku, euro cents, pieces on hand)`.
    pub async fn sells(&self, title: &str, variants: &[(&str, i64, u32)]) -> Answer {
        let variants = variants.iter().map(|(sku, cents, on_hand)| {
            let price = json!({ "amount": cents, "currency": "EUR" });
            json!({ "sku": sku, "options": { "kind": sku }, "price": price, "on_hand": on_hand })
        });
        let product = json!({ "title": title, "variants": variants.collect::<Vec<_>>() });
        self.client.post("/api/products").json(&product).key(&unique()).await.ok()
    }

    /// Counts pieces in, or out.
    pub async fn adjusts(&self, product: &str, sku: &str, delta: i64, reason: &str) -> Answer {
        let change = json!({ "sku": sku, "delta": delta, "reason": reason });
        let path = format!("/api/products/{product}/stock");
        self.client.post(path).json(&change).key(&unique()).await.ok()
    }

    /// Sends a paid order.
    pub async fn ships(&self, order: &str) -> Answer {
        let parcel = json!({ "carrier": "Hermes", "tracking": unique() });
        let path = format!("/api/orders/{order}/ship");
        self.client.post(path).json(&parcel).key(&unique()).await.ok()
    }

    /// Notes that a sent order arrived.
    pub async fn delivers(&self, order: &str) -> Answer {
        let path = format!("/api/orders/{order}/deliver");
        self.client.post(path).key(&unique()).await.ok()
    }
}
