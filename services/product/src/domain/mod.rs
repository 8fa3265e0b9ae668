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

pub use address::{Address, Addresses};
pub use draft::{Draft, Edit};
pub use product::{Listing, Product, Variant};
pub use refusal::Refusal;
pub use reservation::{Obstacle, Reservation, State};
pub use stock::{Adjustment, Kind, Shelf, StockItem, StockMovement};
pub use words::{Category, Search, Slug, Tag};
