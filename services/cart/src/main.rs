//! Keeps what shoppers mean to buy, at the prices of now.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::service::main(cart::start)
}
