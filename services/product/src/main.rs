//! What is for sale, how much of it there is, and for which orders it is set aside.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::service::main(product::start)
}
