//! The order service as others see it: over HTTP and over the bus, on real servers.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod acts;
mod addresses;
mod follow;
mod identity;
mod list;
mod openapi;
mod parcels;
mod promises;
mod refunds;
mod returns;
mod saga;
mod shop;
mod storm;
mod stream;
mod timeline;
