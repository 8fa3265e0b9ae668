//! What the tests of all services stand on, itself put to the test.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod fleet;
mod mongo;
mod nats;
mod process;
mod proxy;
