//! Facts come in any order, and more than once.

use std::collections::{BTreeMap, BTreeSet};

use contracts::order::{CancelReason, Cancelled, Expired, Placed};
use contracts::payment::{Captured, Failed};
use contracts::{Event as _, EventId};
use proptest::prelude::*;

use super::super::entry::{MOST, OLDEST};
use super::{Entry, Timeline, event, heard, noon, told};
use crate::timeline::Line;

/// So many facts, each caused by one of them, by none, or by itself.
fn facts(most: usize) -> impl Strategy<Value = Vec<Entry>> {
    let fact = (0_u64..90, 0_u128..40, 0_usize..5);
    prop::collection::vec(fact, 1..most).prop_map(|facts| {
        let numbered = facts.into_iter().zip(1_u128..);
        numbered
            .map(|((minute, cause, kind), number)| fact_of(number, minute, cause, kind))
            .collect()
    })
}

fn fact_of(number: u128, minute: u64, cause: u128, kind: usize) -> Entry {
    let (at, cause) = (noon(minute), event(cause).to_string());
    let reason = CancelReason::Customer;
    match kind {
        0 => told(number, at, &cause, &Captured::sample()),
        1 => told(number, at, &cause, &Failed::sample()),
        2 => told(number, at, &cause, &Cancelled { reason, ..Cancelled::sample() }),
        3 => told(number, at, &cause, &Expired::sample()),
        _ => told(number, at, &cause, &Placed::sample()),
    }
}

/// The facts in the order they were told, and as they were heard: shuffled, some of them again.
fn histories(most: usize) -> impl Strategy<Value = (Vec<Entry>, Vec<Entry>)> {
    facts(most).prop_flat_map(|facts| {
        let again = prop::sample::subsequence(facts.clone(), 0..=facts.len());
        let heard = again.prop_flat_map({
            let facts = facts.clone();
            move |again| Just([facts.clone(), again].concat()).prop_shuffle()
        });
        (Just(facts), heard)
    })
}

/// All that a timeline tells, less the numbers by which it came to know.
fn tells(timeline: &Timeline) -> Vec<(EventId, String, bool)> {
    let tells = |line: &Line<'_>| (line.entry.id, line.text(), line.is_for_shoppers());
    timeline.story().iter().map(tells).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn in_whatever_order_facts_come_they_tell_the_same((facts, jumbled) in histories(30)) {
        prop_assert_eq!(tells(&heard(jumbled)), tells(&heard(facts)));
    }

    #[test]
    fn each_fact_is_there_once_and_numbered_as_it_came((facts, jumbled) in histories(30)) {
        let timeline = heard(jumbled.clone());

        let mut arrivals: Vec<EventId> = Vec::new();
        for entry in &jumbled {
            if !arrivals.contains(&entry.id) {
                arrivals.push(entry.id);
            }
        }
        let numbered: BTreeMap<i64, EventId> =
            timeline.entries.iter().map(|entry| (entry.n, entry.id)).collect();
        prop_assert_eq!(numbered.values().copied().collect::<Vec<_>>(), arrivals);
        prop_assert_eq!(timeline.heard(), i64::try_from(facts.len()).unwrap());
    }

    #[test]
    fn who_comes_back_hears_what_was_missed_and_no_more((_, jumbled) in histories(30), cut in 0_usize..60) {
        let cut = cut.min(jumbled.len());
        let before = heard(jumbled[..cut].to_vec());
        let after = heard(jumbled.clone());

        let missed: BTreeSet<EventId> =
            after.heard_after(before.heard()).iter().map(|line| line.entry.id).collect();

        let known: BTreeSet<EventId> = jumbled[..cut].iter().map(|entry| entry.id).collect();
        let all: BTreeSet<EventId> = jumbled.iter().map(|entry| entry.id).collect();
        prop_assert_eq!(missed, &all - &known);
    }

    #[test]
    fn what_caused_another_stands_before_it(facts in facts(30)) {
        let timeline = heard(facts);

        let story = timeline.story();

        let place: BTreeMap<String, usize> = story
            .iter()
            .enumerate()
            .map(|(place, line)| (line.entry.id.to_string(), place))
            .collect();
        for line in &story {
            let effect = line.entry.id.to_string();
            let is_circle = circle(&timeline, &effect);
            if let Some(cause) = place.get(&line.entry.causation_id).filter(|_| !is_circle) {
                prop_assert!(*cause < place[&effect]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn of_very_many_the_oldest_and_the_newest_stay((facts, jumbled) in histories(MOST + 60)) {
        let timeline = heard(jumbled);

        let mut places: Vec<_> = facts.iter().map(Entry::place).collect();
        places.sort_unstable();
        if places.len() > MOST {
            places.drain(OLDEST..places.len() - (MOST - OLDEST));
        }
        prop_assert_eq!(timeline.entries.iter().map(Entry::place).collect::<Vec<_>>(), places);
        prop_assert_eq!(timeline.is_shortened(), facts.len() > MOST);
    }
}

/// Whether what led to an entry leads to itself: facts cannot, but what is told might say so.
fn circle(timeline: &Timeline, id: &str) -> bool {
    let cause = |id: &str| {
        let entry = timeline.entries.iter().find(|entry| entry.id.to_string() == id);
        entry.map(|entry| entry.causation_id.clone())
    };
    let mut at = id.to_owned();
    for _ in 0..=timeline.entries.len() {
        match cause(&at) {
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

#[test]
fn a_fact_that_is_left_out_and_comes_again_changes_nothing() {
    let full = heard((0..=MOST).map(|n| {
        let number = u128::try_from(n).unwrap() + 1;
        fact_of(number, u64::try_from(n).unwrap(), 0, 1)
    }));
    assert!(full.is_shortened());

    let again =
        full.clone().hear(fact_of(u128::try_from(OLDEST).unwrap() + 1, OLDEST as u64, 0, 1));

    assert_eq!(again, None);
    assert_eq!(full.entries.len(), MOST);
}
