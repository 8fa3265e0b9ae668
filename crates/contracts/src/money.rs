//! Money: whole minor units of one currency, checked at every step.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Quantity, stored};

/// A currency by its three letters (ISO 4217), such as `EUR`: one that people pay in.
///
/// Neither a code that is withdrawn, nor one of a fund, a metal or of no currency at all. A stored
/// amount keeps a code that was withdrawn since.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "EUR")]
pub struct Currency([u8; 3]);

/// A text that is not the code of a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is the code of one in use (ISO 4217), in three capital letters such as EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// The euro, the currency of the demo shop.
    pub const EUR: Self = Self(*b"EUR");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many digits of an amount stand behind the decimal point (ISO 4217, the minor unit): 2 for
    /// EUR, 0 for JPY, 3 for KWD; 2 for a code that is unknown.
    pub fn exponent(&self) -> u32 {
        let known = iso_currency::Currency::from_code(self.as_str());
        known.and_then(iso_currency::Currency::exponent).map_or(2, u32::from)
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        let capital = letters.iter().all(u8::is_ascii_uppercase);
        if capital && (is_in_use(text) || stored::is_read()) {
            Ok(Self(letters))
        } else {
            Err(InvalidCurrency)
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, InvalidCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether people pay in it. The crate's table takes the digital bolivar (VED) for the successor of
/// the bolivar (VES); in ISO 4217 both are codes of one currency in use.
fn is_in_use(code: &str) -> bool {
    iso_currency::Currency::from_code(code).is_some_and(|it| {
        let current = it.is_superseded().is_none() || it == iso_currency::Currency::VES;
        current && !it.is_fund() && !it.is_special()
    })
}

/// An amount in the minor unit of its currency (cents for EUR).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 1999, "currency": "EUR"}))]
pub struct Money {
    /// Whole minor units: 1999 is 19.99 EUR.
    pub amount: i64,
    /// The currency the units are of.
    pub currency: Currency,
}

impl Money {
    /// The largest amount of a total, in minor units: every JSON reader that counts in IEEE 754
    /// doubles reads up to 2^53 - 1 exactly (RFC 8259, section 6).
    pub const MAX: i64 = (1 << 53) - 1;

    /// So many minor units of a currency.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The sum, unless the currencies differ or it is too large.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.same(other)?;
        Some(Self::new(self.amount.checked_add(other.amount)?, self.currency))
    }

    /// The difference, unless the currencies differ or it is too large.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.same(other)?;
        Some(Self::new(self.amount.checked_sub(other.amount)?, self.currency))
    }

    /// The price of so many pieces, unless it is too large.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        Some(Self::new(self.amount.checked_mul(i64::from(quantity.get()))?, self.currency))
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.amount > 0
    }

    /// Returns the amount if it is at most [`Self::MAX`].
    #[must_use]
    pub fn bounded(self) -> Option<Self> {
        (self.amount <= Self::MAX).then_some(self)
    }

    fn same(self, other: Self) -> Option<()> {
        (self.currency == other.currency).then_some(())
    }
}

/// Writes the amount in major units for people, such as `49.00 EUR`, `4900 JPY` or `49.000 KWD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.exponent();
        let sign = if self.amount < 0 { "-" } else { "" };
        let (amount, unit) = (self.amount.unsigned_abs(), 10_u64.pow(digits));
        write!(f, "{sign}{}", amount / unit)?;
        if digits > 0 {
            write!(f, ".{:0width$}", amount % unit, width = digits as usize)?;
        }
        write!(f, " {}", self.currency)
    }
}

/// Sums money, unless there is none, the currencies differ, or the sum is too large.
pub trait TrySum {
    /// The sum of all.
    fn try_sum(self) -> Option<Money>;
}

impl<I: Iterator<Item = Money>> TrySum for I {
    fn try_sum(mut self) -> Option<Money> {
        let first = self.next()?;
        self.try_fold(first, Money::checked_add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    #[test]
    fn money_of_two_currencies_has_no_sum() {
        let dollars = Money::new(1, "USD".parse().unwrap());

        assert_eq!(eur(1).checked_add(dollars), None);
        assert_eq!([eur(1), dollars].into_iter().try_sum(), None);
    }

    #[test]
    fn a_sum_that_is_too_large_is_no_sum() {
        assert_eq!(eur(i64::MAX).checked_add(eur(1)), None);
        assert_eq!(eur(i64::MIN).checked_sub(eur(1)), None);
        assert_eq!(eur(i64::MAX).times(Quantity::new(2).unwrap()), None);
    }

    #[test]
    fn a_currency_is_one_that_people_pay_in() {
        for text in
            ["EUR", "USD", "JPY", "KWD", "VES", "VED", "XAF", "XCD", "XCG", "XOF", "XPF", "ZWG"]
        {
            assert_eq!(text.parse::<Currency>().unwrap().as_str(), text);
        }
        for text in ["eur", "EU", "EURO", "", "E1R", "€€€", "EUT", "UKP", "RMB", "BTC"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
        for text in ["XXX", "XTS", "XAU", "XAG", "XPT", "XDR", "XBA", "XSU", "XUA", "XAD"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
        for text in ["DEM", "HRK", "BGN", "ANG", "ZWL", "SLL", "CHE", "CLF", "UYI", "USN", "BOV"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_stored_amount_keeps_a_withdrawn_currency() {
        let stored = r#"{"amount": 5, "currency": "DEM"}"#;

        let money: Money = stored::reading(|| serde_json::from_str(stored)).unwrap();

        assert_eq!(money.currency.as_str(), "DEM");
        assert!(serde_json::from_str::<Money>(stored).is_err());
        assert!(stored::reading(|| "dem".parse::<Currency>()).is_err());
    }

    #[test]
    fn minor_units_are_those_of_iso_4217() {
        for (code, exponent) in
            [("EUR", 2), ("JPY", 0), ("ISK", 0), ("UGX", 0), ("KWD", 3), ("MGA", 2)]
        {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), exponent, "{code}");
        }
        assert_eq!(stored::reading(|| "XYZ".parse::<Currency>()).unwrap().exponent(), 2);
    }

    #[test]
    fn money_is_written_in_major_units() {
        for (minor, currency, text) in [
            (4900, "EUR", "49.00 EUR"),
            (5, "USD", "0.05 USD"),
            (0, "EUR", "0.00 EUR"),
            (-5, "EUR", "-0.05 EUR"),
            (4900, "JPY", "4900 JPY"),
            (49_000, "KWD", "49.000 KWD"),
            (i64::MIN, "EUR", "-92233720368547758.08 EUR"),
            (i64::MAX, "JPY", "9223372036854775807 JPY"),
        ] {
            assert_eq!(Money::new(minor, currency.parse().unwrap()).to_string(), text);
        }
    }

    #[test]
    fn totals_stay_exact_in_doubles() {
        assert_eq!(eur(Money::MAX).bounded(), Some(eur(9_007_199_254_740_991)));
        assert_eq!(eur(Money::MAX + 1).bounded(), None);
    }

    proptest! {
        #[test]
        fn every_amount_has_a_text(minor in any::<i64>(), code in "[A-Z]{3}") {
            if let Ok(currency) = code.parse() {
                prop_assert!(Money::new(minor, currency).to_string().ends_with(&code));
            }
        }

        #[test]
        fn taking_away_undoes_adding(a in any::<i64>(), b in any::<i64>()) {
            if let Some(sum) = eur(a).checked_add(eur(b)) {
                prop_assert_eq!(sum.checked_sub(eur(b)), Some(eur(a)));
            }
        }
    }
}
