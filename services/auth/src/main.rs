//! Accounts, sign-ins and signing keys: who is who in the shop.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::service::main(auth::start)
}
