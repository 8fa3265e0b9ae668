//! The scope in which stored documents and published events are read.
//!
//! What a client sends is parsed by the rules of today. What was stored or published earlier met the
//! rules of its time: a currency may have been withdrawn since (ISO 4217), a country may have ceased
//! to exist (ISO 3166), and a rule for texts may be stricter now. Such a record stays readable, so
//! the types of this crate and of the services skip these rules inside [`reading`].
//!
//! Why not two types for each value: every document, view and event would need both.

use std::cell::Cell;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Reads a stored document or a published event with `read`.
pub fn reading<T>(read: impl FnOnce() -> T) -> T {
    let _scope = Scope::enter();
    read()
}

/// Whether the value that is parsed now comes from a stored document or a published event.
pub fn is_read() -> bool {
    DEPTH.get() > 0
}

/// Ends with its block, also when the reader panics.
struct Scope;

impl Scope {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_ends_with_its_reader() {
        assert!(reading(|| reading(is_read) && is_read()));
        assert!(std::panic::catch_unwind(|| reading(|| panic!("unreadable"))).is_err());
        assert!(!is_read());
    }
}
