//! What a group of decisions comes to, before it is written.

use std::collections::HashMap;

use contracts::{EventId, LARGEST_SEQUENCE, Timestamp};
use mongodb::bson;

use super::outbox::{LARGEST_EVENT, OutboxRow, Pending};
use super::receipt::{ReceiptDocument, ReceiptKey};
use super::scope::{Meta, Slot, View};
use super::size::encoded_len;
use super::{Cause, Kept, StoreError};
use crate::Clock;
use crate::change::{Change, Edit, Telling};
use crate::document::Key;

/// The documents of a group, and what is to be written beside them.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) view: View,
    pub(crate) receipts: HashMap<String, Receipted>,
    pub(crate) rows: Vec<(&'static str, bson::Document)>,
    tellings: Vec<Pending>,
    /// Sequences continue after these, whatever the document itself has counted.
    floors: HashMap<Key, i64>,
    /// How many bytes will be written, counting what is replaced within the group again.
    pub(crate) bytes: usize,
}

/// A receipt of the group's calls: as it is stored, and as it will be.
#[derive(Clone, Debug)]
pub(crate) struct Receipted {
    pub(crate) document: ReceiptDocument,
    /// Whether the database holds it already.
    pub(crate) stored: bool,
    /// Whether this group writes it.
    pub(crate) written: bool,
}

impl Plan {
    /// Nothing is decided yet.
    pub(crate) fn of(view: View, receipts: HashMap<String, Receipted>) -> Self {
        Self { view, receipts, ..Self::default() }
    }

    /// Takes in what a decision came to; the value is handed back.
    pub(crate) fn take<T>(
        &mut self,
        change: Change<T>,
        cause: &Cause,
        clock: &Clock,
    ) -> Result<T, StoreError> {
        let Change { value, edits, tellings, rows, floor } = change;
        for edit in edits {
            self.edit(edit, clock)?;
        }
        for row in rows {
            let body = row.body?;
            self.bytes += encoded_len(&body);
            self.rows.push((row.collection, body));
        }
        for telling in tellings {
            if let Some(floor) = floor {
                self.floors.insert(telling.aggregate.clone(), floor);
            }
            self.tell(telling, cause)?;
        }
        Ok(value)
    }

    fn edit(&mut self, edit: Edit, clock: &Clock) -> Result<(), StoreError> {
        let id = edit.key.id.clone();
        let slot = self.view.slots.get_mut(&edit.key).ok_or(StoreError::OutOfScope { id })?;
        let mut body = edit.body.transpose()?;
        if let (Some(stored), Some(body)) = (&slot.body, &mut body) {
            (edit.keep_unknown)(stored, body);
        }
        self.bytes += body.as_ref().map_or(0, encoded_len);
        if slot.body.is_none() && body.is_some() {
            slot.begin(clock);
        }
        slot.body = body;
        slot.touch();
        Ok(())
    }

    fn tell(&mut self, telling: Telling, cause: &Cause) -> Result<(), StoreError> {
        let Telling { aggregate: key, event_type, data } = telling;
        let slot = aggregate(&mut self.view, &key)?;
        if !slot.changed {
            slot.touch();
        }
        let data = data?;
        let bytes = data.get().len() + Pending::ENVELOPE;
        if bytes > LARGEST_EVENT {
            let what = event_type.type_name();
            return Err(StoreError::TooLarge { what, bytes, most: LARGEST_EVENT });
        }
        self.bytes += bytes;
        let pending = Pending { aggregate: key, event_type, data, cause: cause.clone() };
        self.tellings.push(pending);
        Ok(())
    }

    /// Keeps what was said, under the key it was asked by.
    pub(crate) fn keep(&mut self, key: &ReceiptKey, kept: Kept, clock: &Clock) {
        let document = ReceiptDocument::new(key, kept, clock);
        self.bytes += document.size();
        let stored = self.receipts.get(&key.id).is_some_and(|before| before.stored);
        self.receipts.insert(key.id.clone(), Receipted { document, stored, written: true });
    }

    /// Counts what is told: facts one by one, of state only the newest per aggregate.
    pub(crate) fn seal(&mut self, clock: &Clock) -> Result<Vec<OutboxRow>, StoreError> {
        let tellings = newest_state(std::mem::take(&mut self.tellings));
        let now = clock.now();
        let mut rows = Vec::with_capacity(tellings.len());
        for pending in tellings {
            let floor = self.floors.get(&pending.aggregate).copied().unwrap_or(0);
            let slot = aggregate(&mut self.view, &pending.aggregate)?;
            let floor = if pending.is_state() { floor.max(slot.newborn(now)) } else { floor };
            slot.meta.told = next_after(slot.meta.told.max(floor), &pending.aggregate)?;
            let sequence = slot.meta.told;
            rows.push(pending.seal(EventId::from_uuid(clock.uuid()), sequence, now));
        }
        Ok(rows)
    }
}

/// The sequence after this one.
fn next_after(sequence: i64, aggregate: &Key) -> Result<i64, StoreError> {
    let next = sequence.checked_add(1);
    let next = next.filter(|next| u64::try_from(*next).is_ok_and(|it| it <= LARGEST_SEQUENCE));
    next.ok_or_else(|| StoreError::Unreadable {
        collection: aggregate.collection,
        id: aggregate.id.clone(),
        why: "its events are not countable".to_owned(),
    })
}

impl Slot {
    pub(crate) fn absent() -> Self {
        let meta = Meta { version: 0, told: 0, born: String::new() };
        Self { loaded: None, body: None, meta, changed: false }
    }

    pub(crate) fn loaded(mut body: bson::Document) -> Self {
        let meta = Meta::part(&mut body);
        Self { loaded: Some(meta.version), body: Some(body), meta, changed: false }
    }

    fn begin(&mut self, clock: &Clock) {
        let drawn = clock.uuid().simple().to_string();
        // The last characters are random; the first ones tell the time.
        drawn[24..].clone_into(&mut self.meta.born);
    }

    /// Where the sequence of a state begins: the milliseconds since 1970, so that a thing that is
    /// made anew, after its database was wiped perhaps, is newer than all that was told of it.
    fn newborn(&self, now: Timestamp) -> i64 {
        if self.loaded.is_none() { now.as_millis() } else { 0 }
    }

    fn touch(&mut self) {
        self.changed = true;
        self.meta.version += 1;
    }
}

/// The document whose events are counted.
fn aggregate<'a>(view: &'a mut View, key: &Key) -> Result<&'a mut Slot, StoreError> {
    let slot = view.slots.get_mut(key).filter(|slot| slot.body.is_some());
    slot.ok_or_else(|| StoreError::OutOfScope { id: key.id.clone() })
}

/// Leaves out every state that a later one of the same group replaces.
fn newest_state(tellings: Vec<Pending>) -> Vec<Pending> {
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<Pending> = tellings
        .into_iter()
        .rev()
        .filter(|told| !told.is_state() || seen.insert((told.event_type, told.aggregate.clone())))
        .collect();
    kept.reverse();
    kept
}
