//! What is for sale, how much of it there is, and for whom it is set aside.

mod address;
mod bearer;
mod catalogue;
mod draft;
mod moves;
mod new_names;
mod options;
mod product;
mod refusal;
mod reservation;
mod search;
mod stock;
mod variants;
mod words;

#[cfg(test)]
mod histories;

pub use address::{Address, Addresses};
pub use bearer::{Bearer, Retired};
pub use catalogue::{CatalogueEntry, Entries, EntryVariant, relisted};
pub use draft::{Draft, Edit};
pub use options::{Options, add_option, option_key};
pub use product::{Listing, Product, Variant};
pub use refusal::Refusal;
pub use reservation::{Obstacle, Reservation, State};
pub(crate) use search::searched;
pub use stock::{Adjustment, Kind, Shelf, StockItem, StockMovement};
pub use variants::Desk;
pub use words::{Category, OptionName, OptionValue, Search, Slug, Tag};
