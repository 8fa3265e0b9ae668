//! Where the goods go.

mod form;
mod format;
mod phone;

use std::fmt;

use common::Change;
use contracts::Country;
use serde::{Deserialize, Serialize};

use super::{Act, Label, Order, Outcome, told};

pub use form::{AddressForm, Misfit};
pub use format::{AddressField, AddressFormat, Use};
pub use phone::Phone;

/// Where the goods go. It stays with the order: no event, log or timeline shows it.
///
/// It has what its country writes ([`AddressForm::fit`]). The stored names of the lines are those of the
/// first version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Whose name is on the door.
    pub name: Label,
    /// Street and number.
    #[serde(rename = "street")]
    pub line1: Label,
    /// What else helps to find it, such as a floor or a company.
    #[serde(default, rename = "extra", skip_serializing_if = "Option::is_none")]
    pub line2: Option<Label>,
    /// As the country writes it; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Label>,
    /// The town; absent where it is the country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Label>,
    /// State, province or county, where the country has them in addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Label>,
    /// The country.
    pub country: Country,
    /// Where the carrier calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

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

#[cfg(test)]
mod tests {
    use contracts::stored;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_of_the_first_version_is_read() {
        let first = json!({ "name": "Ada", "street": "Marktstr. 7", "extra": "2nd floor",
            "postal_code": "10115", "city": "Berlin", "country": "DE" });

        let address: Address = stored::reading(|| serde_json::from_value(first.clone())).unwrap();

        assert_eq!(address.line1.as_str(), "Marktstr. 7");
        assert_eq!(serde_json::to_value(&address).unwrap(), first);
    }
}
