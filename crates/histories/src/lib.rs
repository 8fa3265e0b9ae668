//! Whatever happens to a shop, in whatever order: in the end order, payment and product agree.
//!
//! The domains of the three services are the real ones; around them are a bus that delivers late,
//! twice and out of order, a provider of payments that does what it likes and whose answers get
//! lost, time that passes, and people who do what they should not. Thousands of random histories
//! are lived, and at the end of each, once everything was heard and time has passed, it must hold
//! what the shop promises (see `promises`). What a history leads to that breaks a promise is shrunk
//! to the few steps that it takes.
//!
//! There is nothing in here but tests.

#![cfg(test)]

mod bus;
mod house;
mod lives;
mod promises;
mod provider;
mod reach;
mod shop;
mod step;
