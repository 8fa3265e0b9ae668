//! Which rate is tried next, to find the highest that is borne.

/// No more rates are tried than this.
const MOST: usize = 12;
/// The highest borne and the lowest not borne may differ by an eighth of the former.
const NEAR: u32 = 8;

/// A rate that was tried, and whether it was borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) rate: u32,
    pub(crate) borne: bool,
}

/// The rate to try next; `None` when the highest is known well enough.
///
/// It doubles until a rate is not borne, or halves until one is, then goes into the middle.
pub(crate) fn next(first: u32, tried: &[Rung]) -> Option<u32> {
    let next = match (highest(tried), lowest_failed(tried)) {
        (None, None) => first,
        (Some(borne), None) => borne.saturating_mul(2),
        (None, Some(failed)) => failed / 2,
        (Some(borne), Some(failed)) if failed - borne <= borne.div_ceil(NEAR) => return None,
        (Some(borne), Some(failed)) => borne.midpoint(failed),
    };
    (next > 0 && tried.len() < MOST).then_some(next)
}

/// The highest rate that was borne, below all that were not.
pub(crate) fn highest(tried: &[Rung]) -> Option<u32> {
    let failed = lowest_failed(tried).unwrap_or(u32::MAX);
    tried.iter().filter(|rung| rung.borne && rung.rate < failed).map(|rung| rung.rate).max()
}

fn lowest_failed(tried: &[Rung]) -> Option<u32> {
    tried.iter().filter(|rung| !rung.borne).map(|rung| rung.rate).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Climbs where everything up to a rate is borne.
    fn climb(first: u32, limit: u32) -> Vec<Rung> {
        let mut tried = Vec::new();
        while let Some(rate) = next(first, &tried) {
            tried.push(Rung { rate, borne: rate <= limit });
        }
        tried
    }

    #[test]
    fn the_highest_rate_is_found_to_an_eighth_from_wherever_one_begins() {
        for first in [1, 10, 64, 900] {
            for limit in [1, 3, 17, 100, 350, 999] {
                let tried = climb(first, limit);

                let found = highest(&tried).unwrap();
                assert!(found <= limit, "{first} {limit}: {tried:?}");
                let near = limit - found <= found.div_ceil(NEAR) || tried.len() == MOST;
                assert!(near, "{first} {limit}: {tried:?}");
            }
        }
    }

    #[test]
    fn where_nothing_is_borne_it_ends_without_a_rate() {
        let tried = climb(64, 0);

        assert_eq!(highest(&tried), None);
        assert_eq!(tried.last().map(|rung| rung.rate), Some(1));
    }

    #[test]
    fn what_was_borne_above_a_rate_that_was_not_does_not_count() {
        let rung = |rate, borne| Rung { rate, borne };

        assert_eq!(highest(&[rung(10, true), rung(20, false), rung(40, true)]), Some(10));
    }
}
