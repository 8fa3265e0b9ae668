//! What was found so far.

use std::collections::BTreeMap;

use crate::report::{Report, Rule, Violation};

/// Of one kind no more are named; the rest is counted.
const NAMED: u64 = 500;

/// What was found so far, and how much was looked at.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    checked: BTreeMap<&'static str, u64>,
    violations: Vec<Violation>,
    found: BTreeMap<Rule, u64>,
}

impl Findings {
    /// So many of these were looked at.
    pub(crate) fn checked(&mut self, what: &'static str, count: u64) {
        *self.checked.entry(what).or_default() += count;
    }

    /// Something does not hold.
    pub(crate) fn add<I: ToString>(
        &mut self,
        rule: Rule,
        ids: impl IntoIterator<Item = I>,
        says: impl Into<String>,
    ) {
        let found = self.found.entry(rule).or_default();
        *found += 1;
        if *found <= NAMED {
            let ids = ids.into_iter().map(|id| id.to_string()).collect();
            self.violations.push(Violation { rule, ids, says: says.into() });
        }
    }

    pub(crate) fn report(self) -> Report {
        let unnamed = self.found.into_iter().filter(|(_, found)| *found > NAMED);
        let unnamed = unnamed.map(|(rule, found)| (rule, found - NAMED)).collect();
        Report { checked: self.checked, violations: self.violations, unnamed }
    }
}
