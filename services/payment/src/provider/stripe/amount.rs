//! Amounts as Stripe writes them.
//!
//! Stripe counts in minor units as the shop does, yen in yen and dinars in thousandths, but for
//! three currencies its minor unit is not that of ISO 4217.

use contracts::{Currency, Money, stored};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// How many of Stripe's units are how many of the shop's.
fn scale(currency: Currency) -> (i64, i64) {
    match currency.as_str() {
        // Written with two digits behind the point that are always zero.
        "ISK" | "UGX" => (100, 1),
        // Written without the hundredths that the ariary has by name.
        "MGA" => (1, 100),
        _ => (1, 1),
    }
}

/// What Stripe is told; `None` when it has no such amount.
pub(super) fn to_stripe(money: Money) -> Option<i64> {
    let (theirs, ours) = scale(money.currency);
    let whole = money.amount.checked_rem(ours)? == 0;
    money.amount.checked_div(ours)?.checked_mul(theirs).filter(|_| whole)
}

/// What Stripe tells.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> Money {
    let (theirs, ours) = scale(currency);
    Money::new(amount.saturating_div(theirs).saturating_mul(ours), currency)
}

/// Stripe writes currencies in small letters, also of a payment whose currency was withdrawn since.
pub(super) fn currency<'de, D: Deserializer<'de>>(from: D) -> Result<Currency, D::Error> {
    let text = String::deserialize(from)?;
    stored::reading(|| text.to_ascii_uppercase().parse()).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount: i64, currency: &str) -> Money {
        Money::new(amount, currency.parse().unwrap())
    }

    #[test]
    fn most_currencies_are_counted_alike() {
        for currency in ["EUR", "USD", "JPY", "KRW", "KWD"] {
            assert_eq!(to_stripe(money(2500, currency)), Some(2500), "{currency}");
        }
    }

    #[test]
    fn a_krona_is_a_hundred_and_an_ariary_is_one() {
        assert_eq!(to_stripe(money(500, "ISK")), Some(50_000));
        assert_eq!(to_stripe(money(500, "UGX")), Some(50_000));
        assert_eq!(to_stripe(money(500, "MGA")), Some(5));
        assert_eq!(to_stripe(money(501, "MGA")), None, "there are no coins for that");
        assert_eq!(to_stripe(money(i64::MAX, "ISK")), None);
    }

    proptest! {
        #[test]
        fn what_is_told_comes_back(
            amount: i64,
            currency in prop::sample::select(vec!["EUR", "JPY", "ISK", "UGX", "MGA"]),
        ) {
            let money = money(amount, currency);

            if let Some(told) = to_stripe(money) {
                prop_assert_eq!(from_stripe(told, money.currency), money);
            }
            let _ = from_stripe(amount, money.currency);
        }
    }
}
