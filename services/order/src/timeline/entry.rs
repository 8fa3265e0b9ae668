//! What is kept of the facts about an order.

use common::Document;
use common::http::Traceparent;
use contracts::{Envelope, EventId, OrderId, Timestamp};
use serde::{Deserialize, Serialize};

use super::words::Words;

/// So many of the oldest entries stay, whatever comes after them.
pub(super) const OLDEST: usize = 40;
/// A timeline has no more entries: beyond, those between the oldest and the newest are left out.
pub(super) const MOST: usize = 200;

/// The facts about one order that were heard so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timeline {
    /// Which order.
    #[serde(rename = "_id")]
    pub(super) order: OrderId,
    /// What was heard, by the time it happened.
    pub(super) entries: Vec<Entry>,
    /// How many were heard.
    pub(super) heard: i64,
    /// Whether some were left out.
    pub(super) shortened: bool,
}

/// Where an entry stands: by its time, and among those of one time always in the same order.
pub(super) type Place = (Timestamp, i64, EventId);

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Names the fact; a repeat bears the same.
    pub(crate) id: EventId,
    /// The how manieth was heard.
    pub(crate) n: i64,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// Counts the facts of whatever it is told of: what was told at once was told in this order.
    pub(crate) sequence: i64,
    /// Who told it, such as `/souk/payment`.
    pub(crate) source: String,
    /// What it is, such as `souk.payment.captured.v1`.
    pub(crate) event_type: String,
    /// What it says.
    pub(crate) words: Words,
    /// Names the conversation that it is part of.
    pub(crate) correlation_id: String,
    /// Names what directly caused it: another fact, or a request.
    pub(crate) causation_id: String,
    /// Names the trace that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
}

impl Document for Timeline {
    const COLLECTION: &'static str = "timelines";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.order
    }
}

impl Timeline {
    /// Nothing was heard of the order yet.
    pub(crate) const fn of(order: OrderId) -> Self {
        Self { order, entries: Vec::new(), heard: 0, shortened: false }
    }

    /// The timeline with one fact more; `None` when nothing changes: it was heard before, or is one
    /// of those that are left out.
    ///
    /// In whatever order the facts come, the same stay: the oldest and the newest of all.
    pub(super) fn hear(mut self, entry: Entry) -> Option<Self> {
        if self.entries.iter().any(|known| known.id == entry.id) {
            return None;
        }
        let place = self.entries.partition_point(|known| known.place() < entry.place());
        let is_full = self.entries.len() >= MOST;
        if is_full && place == OLDEST {
            let is_news = !std::mem::replace(&mut self.shortened, true);
            return is_news.then_some(self);
        }
        self.heard += 1;
        self.entries.insert(place, Entry { n: self.heard, ..entry });
        if is_full {
            self.shortened = true;
            self.entries.remove(OLDEST);
        }
        Some(self)
    }

    /// How many facts were heard.
    pub(crate) const fn heard(&self) -> i64 {
        self.heard
    }

    /// Whether entries between the oldest and the newest are left out.
    pub(crate) const fn is_shortened(&self) -> bool {
        self.shortened
    }
}

impl Entry {
    /// A fact and what it says; it gets its number when it is heard.
    pub(super) fn of(envelope: &Envelope, words: Words) -> Self {
        let trace = envelope.traceparent.as_ref().and_then(|text| text.parse().ok());
        Self {
            id: envelope.id,
            n: 0,
            at: envelope.time,
            sequence: i64::try_from(envelope.sequence()).unwrap_or(i64::MAX),
            source: envelope.source.clone(),
            event_type: envelope.event_type.clone(),
            words,
            correlation_id: envelope.correlationid.clone(),
            causation_id: envelope.causationid.clone(),
            trace_id: trace.map(|trace: Traceparent| trace.trace_id()),
        }
    }

    /// The name of the fact, such as `captured`.
    pub(super) fn what(&self) -> &str {
        self.event_type.split('.').nth(2).unwrap_or(&self.event_type)
    }

    /// The service that told it and the name of the fact, such as `("payment", "captured")`.
    fn kind(&self) -> (&str, &str) {
        let mut parts = self.event_type.split('.').skip(1);
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }

    /// Whether what it says holds only as long as the order was not given up.
    pub(super) fn needs_live_order(&self) -> bool {
        matches!(
            self.kind(),
            ("product", "reserved")
                | ("order", "payment_due" | "pay_by_extended" | "paid" | "capture_due")
                | ("payment", "attempt_started" | "action_required" | "authorized")
        )
    }

    /// Whether what led to it is why it happened, too. What says itself why it is so, and what may
    /// fail for reasons of its own, is explained by no earlier event.
    pub(super) fn follows_from_cause(&self) -> bool {
        let code = |name: &str| self.words.details.get(name).map(String::as_str);
        match self.kind() {
            ("order", "refund_due" | "refunded" | "restock_due" | "expired")
            | ("product", "released")
            | ("payment", "refunded") => true,
            ("order", "cancelled") => {
                matches!(code("reason"), Some("out_of_stock" | "not_collected"))
            }
            ("payment", "failed") => {
                matches!(code("failure"), Some("called_off" | "authorization_ended"))
            }
            _ => false,
        }
    }

    /// Whether the order was given up for good with it.
    pub(super) fn is_cancellation(&self) -> bool {
        self.kind() == ("order", "cancelled")
    }

    /// Whether the order was given up with it, for good or until its money comes late.
    pub(super) fn ends_order(&self) -> bool {
        self.is_cancellation() || self.kind() == ("order", "expired")
    }

    /// Whether the order asks for its goods with it, perhaps once more after it had expired.
    pub(super) fn begins_order(&self) -> bool {
        self.kind() == ("order", "placed")
    }

    /// Where it stands among the others.
    pub(super) const fn place(&self) -> Place {
        (self.at, self.sequence, self.id)
    }
}
