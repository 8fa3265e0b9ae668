//! The order in which rows are published: one at a time of each aggregate, fresh rows first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tracing::debug;

use super::hand::{Hand, Handed, Ticket, lock};
use super::outbox::OutboxRow;
use crate::bus::PublishError;

/// One of so many places goes to recovered rows, however many fresh rows wait.
const SHARE: u32 = 4;

/// The rows at hand that are not published yet.
pub(super) struct Lanes {
    /// Busy aggregates with what waits behind; at most one row of each is in `fresh`, in
    /// `recovered` or under way.
    busy: HashMap<String, VecDeque<Handed>>,
    fresh: VecDeque<Handed>,
    recovered: VecDeque<Handed>,
    given: u32,
    hand: Arc<Hand>,
    to_mark: UnboundedSender<(OutboxRow, Ticket)>,
}

impl Lanes {
    pub(super) fn new(hand: Arc<Hand>, to_mark: UnboundedSender<(OutboxRow, Ticket)>) -> Self {
        Self {
            busy: HashMap::new(),
            fresh: VecDeque::new(),
            recovered: VecDeque::new(),
            given: 0,
            hand,
            to_mark,
        }
    }

    /// Whether nothing waits and nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.busy.is_empty()
    }

    pub(super) fn take(&mut self, handed: Handed) {
        if handed.ticket.is_fresh() && self.hand.left.holds_up_handed(&handed.row) {
            return self.hand.left.give_back(&handed.row);
        }
        if let Some(behind) = self.busy.get_mut(&handed.row.aggregate) {
            behind.push_back(handed);
        } else {
            self.busy.insert(handed.row.aggregate.clone(), VecDeque::new());
            self.ready(handed);
        }
    }

    /// The row to publish next; rows that rest stay in the outbox.
    pub(super) fn pop(&mut self, epoch: u64) -> Option<Handed> {
        loop {
            self.given = self.given.wrapping_add(1);
            let next = if self.given.is_multiple_of(SHARE) {
                self.recovered.pop_front().or_else(|| self.fresh.pop_front())
            } else {
                self.fresh.pop_front().or_else(|| self.recovered.pop_front())
            };
            let handed = next?;
            if lock(&self.hand.pauses).over(epoch).allow(&handed.row) {
                return Some(handed);
            }
            self.leave(&handed.row);
        }
    }

    /// Takes note of what came of a publish.
    pub(super) fn done(&mut self, handed: Handed, epoch: u64, result: Result<(), PublishError>) {
        let Handed { row, ticket } = handed;
        if let Err(error) = result {
            lock(&self.hand.pauses).over(epoch).refused(&row, &error);
            return self.leave(&row);
        }
        debug!(event.id = %row.id, subject = row.nats_subject, "event published");
        metrics::counter!("souk_events_told_total").increment(1);
        lock(&self.hand.pauses).over(epoch).published(&row);
        let aggregate = row.aggregate.clone();
        self.mark(row, ticket);
        self.next(&aggregate);
    }

    fn ready(&mut self, handed: Handed) {
        if handed.ticket.is_fresh() {
            self.fresh.push_back(handed);
        } else {
            self.recovered.push_back(handed);
        }
    }

    fn mark(&self, row: OutboxRow, ticket: Ticket) {
        // The marking ends only with the process; then the row is published once more.
        let _ = self.to_mark.send((row, ticket));
    }

    /// Readies the aggregate's next row, without states that a later one behind it replaces.
    fn next(&mut self, aggregate: &str) {
        let Some(behind) = self.busy.get_mut(aggregate) else { return };
        let mut replaced = Vec::new();
        let mut next = None;
        while let Some(handed) = behind.pop_front() {
            // Recovered rows may be older than the ones before them.
            let later = |other: &Handed| {
                other.row.nats_subject == handed.row.nats_subject
                    && other.row.sequence > handed.row.sequence
            };
            if handed.row.state && behind.iter().any(later) {
                replaced.push(handed);
                continue;
            }
            next = Some(handed);
            break;
        }
        match next {
            Some(handed) => self.ready(handed),
            None => drop(self.busy.remove(aggregate)),
        }
        for Handed { row, ticket } in replaced {
            self.mark(row, ticket);
        }
    }

    /// Leaves a row in the outbox, with all that comes after it.
    fn leave(&mut self, row: &OutboxRow) {
        self.hand.left.give_back(row);
        for handed in self.busy.remove(&row.aggregate).into_iter().flatten() {
            self.hand.left.give_back(&handed.row);
        }
    }
}

#[cfg(test)]
mod tests;
