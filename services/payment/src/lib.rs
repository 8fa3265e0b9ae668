//! Moves the money of orders: once, and back when it must.

pub mod domain;
