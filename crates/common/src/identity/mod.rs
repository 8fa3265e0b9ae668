//! Who is asking, and what they may do.

mod claims;
mod known;
mod person;
mod sessions;
mod verify;

pub use claims::{AUDIENCE, Claims, ISSUER, LIFE};
pub use known::{load, subscriptions};
pub use person::{Admin, Shopper, Staff};
pub use verify::{Denied, Identity};
