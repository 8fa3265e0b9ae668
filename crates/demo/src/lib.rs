//! The demo catalogue, and what a new shop on a laptop needs besides: a first administrator.

mod catalogue;
mod cluster;
mod load;
#[cfg(test)]
mod tests;

pub use self::cluster::{Administrator, ApiServer};
pub use self::load::{Credentials, Shop, load};
