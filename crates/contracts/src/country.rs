//! Countries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::stored;

/// A country by its two letters (ISO 3166-1 alpha-2), such as `DE`.
///
/// Only what the standard assigns: `UK` and `EU` are reserved, `XK` and `ZZ` are left to their users.
/// A stored address keeps a code that was withdrawn since.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{2}$", example = "DE")]
pub struct Country([u8; 2]);

/// A text that is not the code of a country.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a country is its code of ISO 3166-1, in two capital letters such as DE")]
pub struct InvalidCountry;

impl Country {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(text: &str) -> Result<Self, InvalidCountry> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| InvalidCountry)?;
        let capital = letters.iter().all(u8::is_ascii_uppercase);
        if capital && (is_assigned(text) || stored::is_read()) {
            Ok(Self(letters))
        } else {
            Err(InvalidCountry)
        }
    }
}

impl TryFrom<String> for Country {
    type Error = InvalidCountry;

    fn try_from(text: String) -> Result<Self, InvalidCountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.as_str().to_owned()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the table that comes with the currencies has it: all 249 codes that are assigned.
fn is_assigned(code: &str) -> bool {
    code.parse::<iso_currency::Country>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_one_of_iso_3166() {
        for text in ["DE", "GB", "US", "HK", "AQ", "AX", "BL", "SS", "CW", "VA", "PS", "TW"] {
            assert_eq!(text.parse::<Country>().unwrap().as_str(), text);
        }
        for text in ["ZZ", "UK", "EU", "XK", "AA", "QM", "AN", "CS", "SU", "YU", "DD", "AC", "EL"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
        for text in ["de", "DEU", "", "É", "D", "D1", " DE"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_assigned_code_is_known() {
        let letters = b'A'..=b'Z';
        let codes = letters
            .clone()
            .flat_map(|one| letters.clone().map(move |other| [char::from(one), char::from(other)]));

        let known = codes.filter(|code| code.iter().collect::<String>().parse::<Country>().is_ok());

        assert_eq!(known.count(), 249);
    }

    #[test]
    fn a_stored_address_keeps_a_former_country() {
        assert!(serde_json::from_str::<Country>(r#""AN""#).is_err());
        assert!(stored::reading(|| serde_json::from_str::<Country>(r#""AN""#)).is_ok());
    }
}
