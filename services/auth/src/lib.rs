//! Accounts, sign-ins and signing keys: who is who in the shop.

pub mod domain;
