//! The auditor against a real shop, in which something is wrong.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod heard;
mod plant;
mod planted;
mod shop;
mod verdict;
