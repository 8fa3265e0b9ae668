//! Payments, as shoppers, staff, the provider and the other services meet them.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod chaos;
mod crashes;
mod openapi;
mod paying;
mod refunds;
mod shop;
mod webhooks;
