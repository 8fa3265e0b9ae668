//! Takes a cart that was checked out to the shopper's door, or gives everything back.

pub mod domain;
