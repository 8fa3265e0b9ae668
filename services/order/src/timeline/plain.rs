//! Goods and times as people read them.

use contracts::Timestamp;
use contracts::product::{Pieces, Shortage};

/// So many kinds of goods are named; of more, the rest is counted.
const NAMED: usize = 5;

/// Goods, such as `3 × MUG-BLUE and 1 × CUP-RED`; those of an older fact that does not name them
/// are just `the goods`.
pub(super) fn goods(lines: &[Pieces]) -> String {
    let named = |line: &Pieces| format!("{} × {}", line.quantity.get(), line.sku.as_str());
    listed(lines.iter().map(named).collect()).unwrap_or_else(|| "the goods".to_owned())
}

/// What was missing, such as `only 1 of 2 × MUG-BLUE`.
pub(super) fn shortages(shortages: &[Shortage]) -> Option<String> {
    let named = |line: &Shortage| match line.available {
        0 => format!("none of {} × {}", line.requested, line.sku.as_str()),
        some => format!("only {some} of {} × {}", line.requested, line.sku.as_str()),
    };
    listed(shortages.iter().map(named).collect())
}

/// A time of day, with its date unless that is the reader's own.
pub(super) fn time(time: Timestamp, read_at: Timestamp) -> String {
    let (time, read_at) = (time.to_string(), read_at.to_string());
    let (date, clock) = time.split_once('T').unwrap_or((&time, ""));
    let today = read_at.split_once('T').map(|(date, _)| date);
    let clock = clock.get(..5).unwrap_or(clock);
    if today == Some(date) { format!("{clock} UTC") } else { format!("{clock} UTC on {date}") }
}

/// A sentence's first letter is a capital one.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn listed(mut names: Vec<String>) -> Option<String> {
    if names.len() > NAMED {
        let others = names.len() - (NAMED - 1);
        names.truncate(NAMED - 1);
        names.push(format!("{others} other articles"));
    }
    let last = names.pop()?;
    Some(if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) })
}

#[cfg(test)]
mod tests {
    use contracts::Quantity;
    use proptest::prelude::*;

    use super::*;

    fn pieces(kinds: usize) -> Vec<Pieces> {
        let quantity = Quantity::new(2).unwrap();
        (0..kinds).map(|n| Pieces { sku: format!("S{n}").parse().unwrap(), quantity }).collect()
    }

    #[test]
    fn goods_are_named_as_long_as_there_are_few() {
        for (kinds, text) in [
            (0, "the goods"),
            (1, "2 × S0"),
            (2, "2 × S0 and 2 × S1"),
            (5, "2 × S0, 2 × S1, 2 × S2, 2 × S3 and 2 × S4"),
            (6, "2 × S0, 2 × S1, 2 × S2, 2 × S3 and 2 other articles"),
            (100, "2 × S0, 2 × S1, 2 × S2, 2 × S3 and 96 other articles"),
        ] {
            assert_eq!(goods(&pieces(kinds)), text);
        }
    }

    #[test]
    fn a_time_of_another_day_names_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let noon = at("2026-01-31T12:03:59.999Z");

        assert_eq!(time(noon, at("2026-01-31T23:00:00Z")), "12:03 UTC");
        assert_eq!(time(noon, at("2026-02-01T00:00:00Z")), "12:03 UTC on 2026-01-31");
    }

    proptest! {
        #[test]
        fn every_time_has_a_text(millis in any::<i64>()) {
            if let Ok(at) = Timestamp::from_millis(millis) {
                prop_assert!(time(at, at).ends_with(" UTC"));
            }
        }
    }
}
