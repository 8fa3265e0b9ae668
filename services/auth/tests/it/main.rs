//! The auth service as others see it: over HTTP and over the bus, on real servers.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod administrator;
mod device;
mod guests;
mod house;
mod identity;
mod input;
mod keys;
mod mail;
mod openapi;
mod people;
mod process;
mod refresh;
mod sessions;
mod sign_in;
mod staff;
mod throttle;
mod throttle_networks;
