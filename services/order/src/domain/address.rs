//! Where the goods go.

use std::fmt;

use common::Change;
use contracts::Country;
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
