//! The contracts, as those rely on them who read events of years ago.

mod fuzz;
mod golden;
