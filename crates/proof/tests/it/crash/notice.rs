//! What a provider says by itself, signed as the sandbox signs.

use std::fmt::Write as _;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use contracts::{OrderId, PaymentId, Timestamp};
use serde_json::json;
use testkit::{Client, Request};

use super::stall::WEBHOOK_SECRET;

/// A webhook about an attempt of this order's payment that nobody made.
pub(super) fn of_nothing(client: &Client, order: OrderId, now: Timestamp) -> Request {
    let attempt = order.uuid().simple().to_string();
    let body = json!({
        "id": name(order),
        "type": "charge.processing",
        "attempt_id": format!("att_{attempt}"),
        "payment_id": PaymentId::of(order),
        "reference": format!("ch_{attempt}"),
    });
    let (body, seconds) = (body.to_string(), now.as_millis() / 1000);
    let key = Key::new(HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
    let tag = sign(&key, format!("{seconds}.{body}").as_bytes());
    let mut hex = String::new();
    tag.as_ref().iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    client
        .post("/api/payments/webhooks/sandbox")
        .header("content-type", "application/json")
        .header("souk-sandbox-signature", &format!("t={seconds},v1={hex}"))
        .body(body)
}

/// What the provider calls it.
pub(super) fn name(order: OrderId) -> String {
    format!("whk_early_{}", order.uuid().simple())
}
