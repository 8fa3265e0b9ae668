//! `OpenAPI` and `AsyncAPI` documents from the code, and what would break in them.

mod asyncapi;
mod breaking;
mod check;
mod document;
mod flattened;
mod headers;
mod operations;
mod page;
mod problems;

pub use asyncapi::{asyncapi, check_asyncapi};
pub use breaking::breaking;
pub use check::check;
pub use document::{document, documented, routes};
