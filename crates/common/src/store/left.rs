//! Aggregates of which rows were left in the outbox: what is committed of them waits there, too, so
//! that the facts of one aggregate are published in their order. States may overtake each other: an
//! older one is not published after a newer one.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::time::Instant;

use super::hand::lock;
use super::outbox::OutboxRow;

/// How many aggregates are known by name; with more, all of them wait.
const MOST: usize = 20_000;

/// The aggregates, each with when a row of it was left last.
#[derive(Debug, Default)]
pub(super) struct Left(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    aggregates: HashMap<String, Since>,
    /// Of the aggregates that are not known by name.
    others: Option<Since>,
}

#[derive(Clone, Copy, Debug)]
struct Since {
    at: Instant,
    /// Whether one of the rows had been handed over before it was left.
    is_given_back: bool,
}

impl Left {
    /// Whether a row that was committed has to wait in the outbox because earlier ones of its
    /// aggregate do.
    pub(super) fn holds_up(&self, row: &OutboxRow) -> bool {
        !row.state && lock(&self.0).of(&row.aggregate).is_some()
    }

    /// The same of a row that was handed over already: only what was given back is before it.
    pub(super) fn holds_up_handed(&self, row: &OutboxRow) -> bool {
        !row.state && lock(&self.0).of(&row.aggregate).is_some_and(|since| since.is_given_back)
    }

    /// Notes that the row is left in the outbox.
    pub(super) fn add(&self, row: &OutboxRow) {
        self.note(row, false);
    }

    /// Notes that the row, which was handed over, is left in the outbox.
    pub(super) fn give_back(&self, row: &OutboxRow) {
        self.note(row, true);
    }

    fn note(&self, row: &OutboxRow, is_given_back: bool) {
        if row.state {
            return;
        }
        let mut known = lock(&self.0);
        let before = known.of(&row.aggregate).is_some_and(|since| since.is_given_back);
        let since = Since { at: Instant::now(), is_given_back: is_given_back || before };
        if known.aggregates.len() < MOST || known.aggregates.contains_key(&row.aggregate) {
            known.aggregates.insert(row.aggregate.clone(), since);
        } else {
            known.others = Some(since);
        }
    }

    /// Forgets the aggregates of which nothing was left since then: what was is published.
    pub(super) fn recovered(&self, before: Instant) {
        let mut known = lock(&self.0);
        known.aggregates.retain(|_, since| since.at >= before);
        known.others = known.others.filter(|since| since.at >= before);
    }
}

impl Known {
    fn of(&self, aggregate: &str) -> Option<Since> {
        self.aggregates.get(aggregate).copied().or(self.others)
    }
}
