//! What a cart is, what it costs, and when it can be bought.

mod cart;
mod catalogue;
mod line;
mod merge;
mod price;

#[cfg(test)]
mod tests;

pub use cart::{Cart, Refusal};
pub use catalogue::{CopiedProduct, CopiedStock, Offer, Offers};
pub use line::Line;
pub use price::{Priced, PricedLine, Trouble};
