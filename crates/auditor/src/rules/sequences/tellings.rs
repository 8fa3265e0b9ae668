//! What was told, by what it is about.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::aggregate::Aggregate;
use crate::findings::Findings;
use crate::report::Rule;

/// An event that was told, or is about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Telling {
    aggregate: Aggregate,
    sequence: u32,
    /// Tells it from every other event; the same one may be told more than once.
    event: u64,
    place: Place,
}

/// Where an event is; the first says more than those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In the stream.
    Stream,
    /// In the outbox, as one that was told: the stream has to have it.
    Told,
    /// In the outbox, as one that was told before the stream was made.
    ToldBefore,
    /// In the outbox, as one that is not told yet, or so long ago that the stream may have
    /// forgotten it.
    Outbox,
}

/// The events about a part of all things.
#[derive(Debug)]
pub(super) struct Tellings {
    part: u64,
    parts: u64,
    all: Vec<Telling>,
}

/// The same, in order, and which things were looked at.
#[derive(Debug)]
pub(super) struct Sorted {
    part: u64,
    parts: u64,
    all: Vec<Telling>,
    /// Where the events of things begin that were looked at.
    judged: HashSet<usize>,
}

/// How much can be said of what is not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Whether the stream has everything from the beginning.
    pub(super) whole: bool,
    /// Whether nothing was told since the things were read.
    pub(super) quiet: bool,
}

impl Telling {
    /// The event of this id, about this thing.
    pub(super) fn new(aggregate: &str, sequence: i64, id: &str, place: Place) -> Option<Self> {
        let event = Aggregate::parse(id)?.part(u64::MAX);
        let sequence = u32::try_from(sequence).ok()?;
        Some(Self { aggregate: Aggregate::parse(aggregate)?, sequence, event, place })
    }

    /// What it has in common with the same event elsewhere.
    fn itself(&self) -> (Aggregate, u32, u64) {
        (self.aggregate, self.sequence, self.event)
    }
}

impl Tellings {
    /// Those of one of so many parts; none yet.
    pub(super) fn of(part: u64, parts: u64) -> Self {
        Self { part, parts, all: Vec::new() }
    }

    /// Takes an event in, if it is of this part; says whether it is.
    pub(super) fn take(&mut self, telling: Telling) -> bool {
        let is_ours = telling.aggregate.part(self.parts) == self.part;
        if is_ours {
            self.all.push(telling);
        }
        is_ours
    }

    /// All of them, in order, each once: in the stream, if it is there.
    pub(super) fn sorted(mut self) -> Sorted {
        self.all.sort_unstable();
        self.all.dedup_by_key(|telling| telling.itself());
        let Self { part, parts, all } = self;
        Sorted { part, parts, all, judged: HashSet::new() }
    }
}

impl Sorted {
    /// Compares what was told of a thing with how much it counted.
    pub(super) fn judge(
        &mut self,
        thing: Aggregate,
        counted: i64,
        reach: Reach,
        out: &mut Findings,
    ) {
        if thing.part(self.parts) != self.part {
            return;
        }
        let from = self.all.partition_point(|told| told.aggregate < thing);
        let told = &self.all[from..];
        let told = &told[..told.partition_point(|told| told.aggregate == thing)];
        self.judged.insert(from);
        let counted = u32::try_from(counted).unwrap_or(u32::MAX);
        judge(thing, told, counted, reach, out);
    }

    /// What was told and is not in the stream: whoever has not heard it will not. Says how many more
    /// were told before there was this stream.
    pub(super) fn judge_lost(&self, out: &mut Findings) -> u64 {
        let mut before = 0;
        for Telling { aggregate, sequence, place, .. } in &self.all {
            match place {
                Place::Told => {
                    let says = format!("event {sequence} was told, and the stream lacks it");
                    out.add(Rule::MessageLost, [aggregate], says);
                }
                Place::ToldBefore => before += 1,
                Place::Stream | Place::Outbox => {}
            }
        }
        before
    }

    /// Things of which something was told, and which are not there.
    pub(super) fn judge_unknown(&self, out: &mut Findings) {
        for (place, group) in groups(&self.all) {
            if !self.judged.contains(&place) {
                let says = format!("{} events were told of what is not there", group.len());
                out.add(Rule::SequenceBeyond, [group[0].aggregate], says);
            }
        }
    }
}

/// What was told of each thing, and where that begins.
fn groups(all: &[Telling]) -> impl Iterator<Item = (usize, &[Telling])> {
    let mut place = 0;
    all.chunk_by(|one, next| one.aggregate == next.aggregate).map(move |group| {
        let from = place;
        place += group.len();
        (from, group)
    })
}

fn judge(thing: Aggregate, told: &[Telling], counted: u32, reach: Reach, out: &mut Findings) {
    let mut expected = match told.first() {
        Some(first) if !reach.whole => first.sequence,
        None if !reach.whole => return,
        Some(_) | None => 1,
    };
    let mut last = None;
    for Telling { sequence, .. } in told {
        if last == Some(*sequence) {
            let says = format!("two events bear the number {sequence}");
            out.add(Rule::SequenceTwice, [thing], says);
            return;
        }
        last = Some(*sequence);
        match sequence.cmp(&counted) {
            Ordering::Greater if reach.quiet => {
                let says = format!("event {sequence} was told, and {counted} were counted");
                out.add(Rule::SequenceBeyond, [thing], says);
                return;
            }
            Ordering::Greater => break,
            Ordering::Less | Ordering::Equal => {}
        }
        if *sequence != expected {
            break;
        }
        expected += 1;
    }
    if expected <= counted {
        let says = format!("event {expected} of {counted} was not told");
        out.add(Rule::SequenceGap, [thing], says);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Reach = Reach { whole: true, quiet: true };

    /// What is found when these numbers were told, each under an id of its own.
    fn found(counted: i64, told: &[i64], reach: Reach) -> Vec<Rule> {
        let thing = "ord_00000000000000000000000000000007";
        let mut tellings = Tellings::of(0, 1);
        for (number, sequence) in told.iter().enumerate() {
            let id = format!("evt_{number:032x}");
            tellings.take(Telling::new(thing, *sequence, &id, Place::Stream).unwrap());
        }
        let mut out = Findings::default();
        tellings.sorted().judge(Aggregate::parse(thing).unwrap(), counted, reach, &mut out);
        out.report().violations().iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn what_was_told_in_whatever_order_is_found_whole() {
        assert_eq!(found(3, &[2, 1, 3], QUIET), []);
        assert_eq!(found(0, &[], QUIET), []);
    }

    #[test]
    fn a_gap_a_double_and_a_number_too_high_are_found() {
        assert_eq!(found(3, &[1, 3], QUIET), [Rule::SequenceGap]);
        assert_eq!(found(3, &[2, 3], QUIET), [Rule::SequenceGap]);
        assert_eq!(found(3, &[1, 2], QUIET), [Rule::SequenceGap]);
        assert_eq!(found(1, &[], QUIET), [Rule::SequenceGap]);
        assert_eq!(found(2, &[1, 2, 2], QUIET), [Rule::SequenceTwice]);
        assert_eq!(found(1, &[1, 2], QUIET), [Rule::SequenceBeyond]);
    }

    #[test]
    fn what_a_stream_forgot_or_what_comes_just_now_is_no_violation() {
        let old = Reach { whole: false, quiet: true };
        assert_eq!(found(4, &[3, 4], old), []);
        assert_eq!(found(4, &[], old), []);
        assert_eq!(found(4, &[2, 4], old), [Rule::SequenceGap]);
        let busy = Reach { whole: true, quiet: false };
        assert_eq!(found(1, &[1, 2], busy), []);
    }

    #[test]
    fn what_was_told_is_lost_unless_the_stream_has_it() {
        let mut tellings = Tellings::of(0, 1);
        for (number, place) in [
            (1, Place::Told),
            (1, Place::Stream),
            (2, Place::Told),
            (3, Place::Outbox),
            (4, Place::ToldBefore),
        ] {
            let thing = "ord_00000000000000000000000000000007";
            let id = format!("evt_{number:032x}");
            tellings.take(Telling::new(thing, number, &id, place).unwrap());
        }
        let mut out = Findings::default();

        let before = tellings.sorted().judge_lost(&mut out);

        let report = out.report();
        let says: Vec<_> = report.violations().iter().map(|it| it.says.as_str()).collect();
        assert_eq!(says, ["event 2 was told, and the stream lacks it"]);
        assert_eq!(before, 1);
    }
}
