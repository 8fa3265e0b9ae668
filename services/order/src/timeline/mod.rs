//! What happened to each order, in plain words.
//!
//! Every service tells facts; those about an order are heard here and kept as entries of its
//! timeline, each once, in whatever order they come. What an entry says is in [`words`]; which
//! stands before which, and what explains what, is in [`story`]. A timeline is no part of the
//! order: it may be there before it, and who may read it is what the order says.

mod entry;
mod hearing;
mod plain;
mod store;
mod story;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use entry::Timeline;
pub(crate) use hearing::hearing;
pub(crate) use store::Timelines;
pub(crate) use story::{Because, Line};
