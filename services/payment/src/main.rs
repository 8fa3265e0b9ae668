//! The payment service.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(payment::start)
}
