//! Names that nobody else has.

use std::hash::{BuildHasher as _, RandomState};

/// 16 characters that are drawn at random.
pub(crate) fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
