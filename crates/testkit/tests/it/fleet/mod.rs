//! The whole fleet: real services, real MongoDB, real JetStream, over HTTP.

mod canary;
mod crowd;
mod faults;
mod guests;
mod hangups;
mod input;
mod purchase;
mod readme;
mod restore;
mod revocation;
mod rolling;
mod schema;
mod shop;
mod traces;
