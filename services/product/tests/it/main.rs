//! The product service as others see it: over HTTP and over the bus, on real servers.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod catalogue;
mod day;
mod edits;
mod identity;
mod input;
mod load;
mod names;
mod openapi;
mod overdue;
mod renewal;
mod restock;
mod retold;
mod saga;
mod search;
mod shelves;
mod shop;
mod stock;
