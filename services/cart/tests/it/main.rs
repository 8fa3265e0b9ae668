//! The cart, as shoppers and the other services meet it.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod abandoned;
mod copies;
mod identity;
mod input;
mod merge;
mod moved_skus;
mod openapi;
mod shelf;
mod shopping;
