//! What is read: of each document the fields that a rule needs, and nothing about people.

mod copies;
mod goods;
mod money;
mod orders;

pub(crate) use copies::{
    Copied, Counted, Ended, KeySet, Merged, Moved, Ordered, Product, Sellable,
};
pub(crate) use goods::{Held, Holding, Kind, Movement, Reservation, Stock};
pub(crate) use money::{
    Account, Attempt, AttemptState, DisputeState, Entry, OfOrder, Payment, RefundState,
};
pub(crate) use orders::{Order, Stage};
