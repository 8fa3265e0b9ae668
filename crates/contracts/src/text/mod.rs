//! Text that people write: the form in which it is stored, and the form in which it is compared.

mod fold;
mod letters;
mod numerals;
mod rule;
mod slug;

pub use fold::{fold, is_punctuation};
pub use numerals::numerals;
pub use rule::{Fault, InvalidText, TextRule, is_blank};
pub use slug::slug;
