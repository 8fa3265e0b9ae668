//! Money, goods and times as people read them.

use contracts::product::{Pieces, Shortage};
use contracts::{Money, Timestamp};

/// So many kinds of goods are named; of more, the rest is counted.
const NAMED: usize = 5;

/// An amount, such as `12.50 EUR`.
pub(super) fn money(money: Money) -> String {
    let digits = money.currency.exponent();
    let sign = if money.amount < 0 { "-" } else { "" };
    let amount = money.amount.unsigned_abs();
    if digits == 0 {
        return format!("{sign}{amount} {}", money.currency);
    }
    let minor = 10_u64.pow(digits);
    let (whole, part) = (amount / minor, amount % minor);
    format!("{sign}{whole}.{part:0width$} {}", money.currency, width = digits as usize)
}

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
    use contracts::{Quantity, stored};
    use proptest::prelude::*;

    use super::*;

    fn amount(amount: i64, currency: &str) -> String {
        money(Money::new(amount, stored::reading(|| currency.parse()).unwrap()))
    }

    fn pieces(kinds: usize) -> Vec<Pieces> {
        let quantity = Quantity::new(2).unwrap();
        (0..kinds).map(|n| Pieces { sku: format!("S{n}").parse().unwrap(), quantity }).collect()
    }

    #[test]
    fn money_has_the_digits_of_its_currency() {
        for (minor, currency, text) in [
            (1250, "EUR", "12.50 EUR"),
            (5, "USD", "0.05 USD"),
            (0, "EUR", "0.00 EUR"),
            (-5, "EUR", "-0.05 EUR"),
            (1200, "JPY", "1200 JPY"),
            (1234, "KWD", "1.234 KWD"),
            (12_345, "CLF", "1.2345 CLF"),
            (7, "XYZ", "0.07 XYZ"),
            (i64::MIN, "EUR", "-92233720368547758.08 EUR"),
            (i64::MAX, "JPY", "9223372036854775807 JPY"),
        ] {
            assert_eq!(amount(minor, currency), text);
        }
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
        fn no_amount_and_no_time_makes_it_panic(minor in any::<i64>(), code in "[A-Z]{3}", millis in any::<i64>()) {
            prop_assert!(amount(minor, &code).ends_with(&code));
            if let Ok(at) = Timestamp::from_millis(millis) {
                prop_assert!(time(at, at).ends_with(" UTC"));
            }
        }
    }
}
