//! What befalls the shop when, as a seed decides.

use std::time::Duration;

use super::dice::Dice;
use super::fault::{Fault, Lane};

/// Between two faults of the same thing.
const CALM: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(14));

/// A fault and its time, counted from when the first shopper comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misfortune {
    pub(crate) lane: Lane,
    pub(crate) fault: Fault,
    pub(crate) begins: Duration,
    pub(crate) lasts: Duration,
}

/// Everything that befalls the shop in so long a time, by when it begins. The same seed and length
/// give the same.
pub(crate) fn schedule(seed: u64, length: Duration) -> Vec<Misfortune> {
    let mut all: Vec<_> = Lane::all().flat_map(|lane| of_lane(lane, seed, length)).collect();
    all.sort_by_key(|misfortune| misfortune.begins);
    all
}

/// What befalls one thing, one after the other; each kind comes before any comes again.
fn of_lane(lane: Lane, seed: u64, length: Duration) -> Vec<Misfortune> {
    let mut dice = Dice::of(seed, &format!("{lane:?}"));
    let (mut deck, mut befalls, mut now) = (vec![], vec![], Duration::ZERO);
    loop {
        let begins = now + dice.between(CALM.0, CALM.1);
        if deck.is_empty() {
            deck = lane.faults(&mut dice);
            dice.shuffle(&mut deck);
        }
        let Some(fault) = deck.pop() else { return befalls };
        let lasts = fault.lasts(&mut dice).min(length / 3);
        now = begins + lasts;
        if now > length {
            return befalls;
        }
        befalls.push(Misfortune { lane, fault, begins, lasts });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn end(of: &Misfortune) -> Duration {
        of.begins + of.lasts
    }

    /// What befalls a thing, whichever replica of a service, or which service on its way to a
    /// server, it is.
    fn kind(lane: Lane, fault: Fault) -> String {
        let words = fault.to_string();
        let words = words.split(" by ").next().unwrap_or_default();
        let words = words.find("is cut off from").map_or(words, |from| &words[from..]);
        format!("{lane:?}: {}", words.replace(['0', '1'], ""))
    }

    proptest! {
        #[test]
        fn a_seed_always_gives_the_same(seed in any::<u64>(), seconds in 0_u64..900) {
            let length = Duration::from_secs(seconds);

            prop_assert_eq!(schedule(seed, length), schedule(seed, length));
        }

        #[test]
        fn everything_is_over_in_time_and_nothing_is_hit_twice_at_once(
            seed in any::<u64>(), seconds in 0_u64..900,
        ) {
            let length = Duration::from_secs(seconds);
            let all = schedule(seed, length);

            prop_assert!(all.iter().all(|it| end(it) <= length));
            prop_assert!(all.windows(2).all(|pair| pair[0].begins <= pair[1].begins));
            for lane in Lane::all() {
                let of_lane: Vec<_> = all.iter().filter(|it| it.lane == lane).collect();
                prop_assert!(of_lane.windows(2).all(|pair| end(pair[0]) < pair[1].begins));
            }
        }

        #[test]
        fn in_ten_minutes_everything_happens(seed in any::<u64>()) {
            let all = schedule(seed, Duration::from_mins(10));

            let seen: BTreeSet<_> = all.iter().map(|it| kind(it.lane, it.fault)).collect();
            for lane in Lane::all() {
                for fault in lane.faults(&mut Dice::of(0, "any")) {
                    let kind = kind(lane, fault);
                    prop_assert!(seen.contains(&kind), "{} never happened", kind);
                }
            }
        }
    }

    #[test]
    fn another_seed_gives_another() {
        let length = Duration::from_mins(3);

        let different: BTreeSet<_> =
            (0..20).map(|seed| format!("{:?}", schedule(seed, length))).collect();

        assert_eq!(different.len(), 20);
    }
}
