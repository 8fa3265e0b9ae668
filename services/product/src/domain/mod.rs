//! What is for sale, how much of it there is, and for whom it is set aside.

mod address;
mod draft;
mod product;
mod refusal;
mod reservation;
mod stock;
mod words;

#[cfg(test)]
mod histories;

pub(crate) use address::{Address, Addresses};
pub(crate) use draft::{Draft, Edit};
pub(crate) use product::{Listing, Product, Variant};
pub(crate) use refusal::Refusal;
pub(crate) use reservation::{Obstacle, Reservation};
pub(crate) use stock::{Adjustment, Kind, Shelf, StockItem, StockMovement};
pub(crate) use words::{Category, Search, Slug, Tag};
