//! Where the goods go.

use std::fmt;

use common::Change;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Act, Label, Order, Outcome, told};

/// Where the goods go. It stays with the order: no event, log or timeline shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Whose name is on the door.
    #[schema(value_type = String, example = "Ada Lovelace")]
    pub name: Label,
    /// Street and number.
    #[schema(value_type = String, example = "Marktstr. 7")]
    pub street: Label,
    /// What else helps to find it, such as a floor or a company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2nd floor")]
    pub extra: Option<Label>,
    /// As the country writes it.
    #[schema(value_type = String, example = "10115")]
    pub postal_code: Label,
    /// The town.
    #[schema(value_type = String, example = "Berlin")]
    pub city: Label,
    /// State, province or county, where the country has them in addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "CA")]
    pub region: Option<Label>,
    /// The country.
    pub country: Country,
}

/// A country by its two letters (ISO 3166-1 alpha-2), such as `DE`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{2}$", example = "DE")]
pub struct Country([u8; 2]);

/// A text that is not the letters of a country.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a country is two capital letters, such as DE")]
pub struct InvalidCountry;

impl Order {
    /// The goods go here, unless a parcel has left, or waits for its money, or there will be none.
    pub fn readdress(self, address: Address) -> Outcome {
        if self.address.as_ref() == Some(&address) {
            return Ok(Change::none(self));
        }
        if !self.may(Act::ChangeAddress) {
            return self.unfit(Act::ChangeAddress);
        }
        let order = Self { address: Some(address), ..self };
        let event = told::address_changed(&order);
        Ok(Change::to(order).telling(&event))
    }
}

/// Shows nothing: an address has no place in a log.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}

impl TryFrom<String> for Country {
    type Error = InvalidCountry;

    fn try_from(text: String) -> Result<Self, InvalidCountry> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| InvalidCountry)?;
        let capital = letters.iter().all(u8::is_ascii_uppercase);
        if capital { Ok(Self(letters)) } else { Err(InvalidCountry) }
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0.map(char::from).iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_capital_letters() {
        for (text, fits) in [("DE", true), ("de", false), ("DEU", false), ("", false), ("É", false)]
        {
            let country = Country::try_from(text.to_owned());

            assert_eq!(country.map(String::from).ok(), fits.then(|| text.to_owned()));
        }
    }
}
