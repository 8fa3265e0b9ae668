//! The promises hold whoever dies, and whenever.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod crash;
