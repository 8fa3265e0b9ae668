//! Counts tests while they report.

use std::fmt;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Those that passed.
    pub(crate) passed: u64,
    /// Those that failed.
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds what a line says, if it is the last line of a test binary.
    pub(crate) fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        self.passed += count(result, " passed");
        self.failed += count(result, " failed");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number before a word, in `ok. 13 passed; 0 failed; 1 ignored`.
fn count(result: &str, what: &str) -> u64 {
    let before = result.split(what).next().filter(|before| before.len() < result.len());
    before.and_then(|text| text.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_binaries_are_summed() {
        let mut tally = Tally::default();

        tally.add("running 3 tests");
        tally.add("test result: ok. 13 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        tally.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured");
        tally.add("test passed ... ok");

        assert_eq!(tally.to_string(), "15 passed, 1 failed");
    }
}
