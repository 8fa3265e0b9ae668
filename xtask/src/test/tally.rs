//! Counts tests while they report.

use std::fmt;

/// How many tests passed and failed, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Those that passed.
    pub(crate) passed: u64,
    /// Those that failed.
    pub(crate) failed: u64,
    /// What failed, by name.
    names: Vec<String>,
    /// The test that reported last, while a test binary runs.
    last: Option<String>,
}

impl Tally {
    /// Adds what a line says, if it is of a test.
    pub(crate) fn add(&mut self, line: &str) {
        let line = line.trim_end();
        if line.starts_with("running ") {
            self.close();
            self.last = Some("none".to_owned());
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += count(result, " passed");
            self.failed += count(result, " failed");
            self.last = None;
        } else if let Some((name, result)) = reported(line) {
            self.last = Some(name.to_owned());
            self.names.extend((result == "FAILED").then(|| name.to_owned()));
        }
    }

    /// No more is heard of the binary that ran; without a result it was ended by something else.
    pub(crate) fn close(&mut self) {
        let died = self.last.take();
        self.names.extend(died.map(|last| format!("a binary that ended early, after {last}")));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        self.names.iter().try_for_each(|name| write!(f, "\n  {name}"))
    }
}

/// The name of a test and how it went, in `test a::b ... ok`.
fn reported(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.rsplit_once(" ... ")
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

        assert_eq!(tally.to_string(), "15 passed, 1 failed");
    }

    #[test]
    fn what_failed_is_named_and_so_is_what_never_said_how_it_went() {
        let mut tally = Tally::default();

        for line in [
            "running 2 tests\n",
            "test a::b ... FAILED\n",
            "test a::c ... ok\n",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored\n",
            "running 2 tests\n",
            "test d::e ... ok\n",
        ] {
            tally.add(line);
        }
        tally.close();

        let says = "1 passed, 1 failed\n  a::b\n  a binary that ended early, after d::e";
        assert_eq!(tally.to_string(), says);
    }
}
