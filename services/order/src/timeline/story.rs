//! The entries of a timeline as a story: what stands before which, and what explains what.

use std::collections::{HashMap, HashSet};

use contracts::{EventId, Timestamp};

use super::entry::{Entry, Place, Timeline};
use super::plain::time;

/// An entry in its place.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) entry: &'a Entry,
    /// Why it happened, where anything says so.
    pub(crate) because: Option<Because<'a>>,
    /// Whether the same was told before.
    is_repeat: bool,
    /// Whether the order was given up before, so that what it says does not hold.
    is_outdated: bool,
}

/// Why something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Because<'a> {
    /// What follows a `because`.
    pub(crate) clause: String,
    /// The name of the fact that says so, such as `commit_refused`.
    pub(crate) what: &'a str,
    /// When that happened.
    pub(crate) at: Timestamp,
}

impl Timeline {
    /// All entries by their time; what caused another stands before it, even where the clocks of
    /// two services do not agree.
    pub(crate) fn story(&self) -> Vec<Line<'_>> {
        let causes = Causes::of(&self.entries);
        let mut sequence: Vec<usize> = (0..self.entries.len()).collect();
        sequence.sort_by_cached_key(|&index| causes.place(&self.entries, index));
        let (mut told, mut life) = (HashSet::new(), Life::default());
        let shown = |index: usize| {
            let entry = &self.entries[index];
            let is_repeat = entry.words.once && !told.insert((entry.what(), &entry.words.details));
            let is_outdated = life.outdates(entry);
            Line { entry, because: causes.why(&self.entries, index), is_repeat, is_outdated }
        };
        sequence.into_iter().map(shown).collect()
    }

    /// What was heard after so many facts, in the order in which it was heard.
    pub(crate) fn heard_after(&self, heard: i64) -> Vec<Line<'_>> {
        let mut lines = self.story();
        lines.sort_by_key(Line::n);
        let mut is_cancelled = false;
        for line in &mut lines {
            // It may have happened before the order was cancelled, but is read after that.
            line.is_outdated |= is_cancelled && line.entry.needs_live_order();
            is_cancelled |= line.entry.is_cancellation();
        }
        lines.retain(|line| line.n() > heard);
        lines
    }
}

/// Whether the order of a timeline is given up, read entry by entry.
#[derive(Debug, Default)]
struct Life {
    is_cancelled: bool,
    is_expired: bool,
}

impl Life {
    /// Reads the next entry; whether the order was given up before, so that it does not hold.
    fn outdates(&mut self, entry: &Entry) -> bool {
        let is_outdated = (self.is_cancelled || self.is_expired) && entry.needs_live_order();
        self.is_cancelled |= entry.is_cancellation();
        self.is_expired = (self.is_expired || entry.ends_order()) && !entry.begins_order();
        is_outdated
    }
}

impl<'a> Line<'a> {
    /// The how manieth entry was heard.
    pub(crate) const fn n(&self) -> i64 {
        self.entry.n
    }

    /// Whether it means something to a shopper.
    pub(crate) const fn is_for_shoppers(&self) -> bool {
        !self.entry.words.for_staff && !self.is_repeat && !self.is_outdated
    }

    /// When it happened.
    pub(crate) const fn at(&self) -> Timestamp {
        self.entry.at
    }

    /// The name of what happened, such as `captured`.
    pub(crate) fn what(&self) -> &'a str {
        self.entry.what()
    }

    /// What it says, in one sentence.
    pub(crate) fn text(&self) -> String {
        let text = &self.entry.words.text;
        match &self.because {
            Some(Because { clause, .. }) => format!("{text} because {clause}."),
            None => format!("{text}."),
        }
    }
}

/// What caused each entry, by their indexes.
struct Causes(Vec<Option<usize>>);

impl Causes {
    fn of(entries: &[Entry]) -> Self {
        let facts: HashMap<EventId, usize> =
            entries.iter().enumerate().map(|(index, entry)| (entry.id, index)).collect();
        let asked = entries.iter().enumerate().rev();
        let asked: HashMap<&str, usize> = asked
            .filter_map(|(index, entry)| Some((entry.words.asks.as_deref()?, index)))
            .collect();
        let fact = |entry: &Entry| facts.get(&entry.causation_id.parse().ok()?).copied();
        let asking = |entry: &Entry| asked.get(entry.words.answers.as_deref()?).copied();
        Self(entries.iter().map(|entry| fact(entry).or_else(|| asking(entry))).collect())
    }

    /// What led to an entry, the nearest cause first. It ends even if what is told goes in circles.
    fn before(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.0[index], |&cause| self.0[cause]).take(self.0.len())
    }

    /// Where an entry stands: after all that led to it.
    fn place(&self, entries: &[Entry], index: usize) -> (Timestamp, usize, Place) {
        let own = entries[index].at;
        let latest = self.before(index).map(|cause| entries[cause].at).fold(own, Timestamp::max);
        (latest, self.before(index).count(), entries[index].place())
    }

    /// Why an entry happened: what the first of all that led to it explains, or else what it says
    /// itself. What happened for reasons of its own ends the search for earlier ones.
    fn why<'a>(&self, entries: &'a [Entry], index: usize) -> Option<Because<'a>> {
        let entry = &entries[index];
        let follows = |index: usize| entries[index].follows_from_cause();
        let explained = |cause: usize| explanation(&entries[cause], entry.at);
        let own = || entry.words.why.clone().map(|clause| Because::of(entry, clause));
        let chain = std::iter::once(index).chain(self.before(index));
        let led = chain.zip(self.before(index)).take_while(|(effect, _)| follows(*effect));
        led.filter_map(|(_, cause)| explained(cause)).last().or_else(own)
    }
}

impl<'a> Because<'a> {
    fn of(entry: &'a Entry, clause: String) -> Self {
        Self { clause, what: entry.what(), at: entry.at }
    }
}

/// How an entry explains what came of it.
fn explanation(cause: &Entry, read_at: Timestamp) -> Option<Because<'_>> {
    let words = &cause.words;
    let happened = words.explains.as_ref().map(|clause| {
        let time = time(cause.at, read_at);
        format!("{clause} at {time}")
    });
    Some(Because::of(cause, happened.or_else(|| words.why.clone())?))
}
