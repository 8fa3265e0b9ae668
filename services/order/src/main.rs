//! Takes a cart that was checked out to the shopper's door, or gives everything back.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(order::start)
}
