//! What was found so far.

use std::collections::{BTreeMap, HashSet};

use crate::report::{Mark, Report, Rule, Violation};

/// Of one kind no more are named; the rest is counted.
const NAMED: u64 = 500;

/// What was found so far, and how much was looked at.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    checked: BTreeMap<&'static str, u64>,
    violations: Vec<Violation>,
    found: BTreeMap<Rule, u64>,
    marks: HashSet<Mark>,
    /// What an earlier look found, if there was one: only that counts.
    earlier: Option<HashSet<Mark>>,
}

impl Findings {
    /// Those of a second look: what the first one did not find is on its way.
    pub(crate) fn also_in(earlier: &Report) -> Self {
        Self { earlier: Some(earlier.marks.clone()), ..Self::default() }
    }

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
        let ids: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
        let mark = Mark::of(rule, &ids);
        if self.earlier.as_ref().is_some_and(|earlier| !earlier.contains(&mark)) {
            return;
        }
        self.marks.insert(mark);
        let found = self.found.entry(rule).or_default();
        *found += 1;
        if *found <= NAMED {
            self.violations.push(Violation { rule, ids, says: says.into() });
        }
    }

    pub(crate) fn report(self) -> Report {
        let unnamed = self.found.into_iter().filter(|(_, found)| *found > NAMED);
        let unnamed = unnamed.map(|(rule, found)| (rule, found - NAMED)).collect();
        let Self { checked, violations, marks, .. } = self;
        Report { checked, violations, unnamed, marks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(mut findings: Findings, ids: impl IntoIterator<Item = u64>) -> Report {
        ids.into_iter().for_each(|id| findings.add(Rule::Unpaid, [id], "unpaid"));
        findings.report()
    }

    #[test]
    fn what_stays_is_named_however_much_there_was_beside_it_that_did_not() {
        let first = found(Findings::default(), 0..=NAMED);

        let second = found(Findings::also_in(&first), (NAMED..2 * NAMED + 2).rev());

        let ids: Vec<_> = second.violations().iter().map(|it| it.ids.clone()).collect();
        assert_eq!(ids, [[NAMED.to_string()]]);
        assert!(second.unnamed.is_empty());
    }

    #[test]
    fn what_is_too_much_to_name_is_counted() {
        let report = found(Findings::default(), 0..NAMED + 7);

        assert_eq!(report.violations().len(), 500);
        assert_eq!(report.unnamed[&Rule::Unpaid], 7);
    }
}
