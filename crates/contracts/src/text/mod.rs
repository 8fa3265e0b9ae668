//! Text that people write: the form in which it is stored, and the form in which it is compared.

mod fold;
mod rule;
mod slug;

pub use fold::fold;
pub use rule::{Fault, InvalidText, TextRule};
pub use slug::slug;
