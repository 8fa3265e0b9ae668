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
    aggregates: HashMap<String, Instant>,
    /// When a row of an aggregate was left that is not known by name.
    others: Option<Instant>,
}

impl Left {
    /// Whether the row has to wait in the outbox because earlier ones of its aggregate do.
    pub(super) fn holds_up(&self, row: &OutboxRow) -> bool {
        let known = lock(&self.0);
        !row.state && (known.others.is_some() || known.aggregates.contains_key(&row.aggregate))
    }

    /// Notes that the row is left in the outbox.
    pub(super) fn add(&self, row: &OutboxRow) {
        if row.state {
            return;
        }
        let (mut known, now) = (lock(&self.0), Instant::now());
        if known.aggregates.len() < MOST || known.aggregates.contains_key(&row.aggregate) {
            known.aggregates.insert(row.aggregate.clone(), now);
        } else {
            known.others = Some(now);
        }
    }

    /// Forgets the aggregates of which nothing was left since then: what was is published.
    pub(super) fn recovered(&self, before: Instant) {
        let mut known = lock(&self.0);
        known.aggregates.retain(|_, at| *at >= before);
        known.others = known.others.filter(|at| *at >= before);
    }
}
