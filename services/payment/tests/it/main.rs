//! Payments, as shoppers, staff, the provider and the other services meet them.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod cards;
mod chaos;
mod crashes;
mod disputes;
mod identity;
mod openapi;
mod paying;
mod points;
mod process;
mod refunds;
mod sandbox;
mod shipping;
mod shop;
mod stripe;
mod webhooks;
