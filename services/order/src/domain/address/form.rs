//! An address as a shopper fills it in.

use contracts::Country;
use contracts::text::is_blank;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use utoipa::ToSchema;

use super::super::Label;
use super::{Address, AddressField, AddressFormat, Phone, Use};

/// Where the goods are to go. Which fields are required depends on the country, see
/// `/api/orders/address-formats/{country}`; a field that is empty is one that is not given.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAddress)]
pub struct AddressForm {
    /// Whose name is on the door.
    #[schema(value_type = String, example = "Ada Lovelace")]
    pub name: Label,
    /// Street and number; `street` is taken for it, too.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, example = "Marktstr. 7")]
    pub line1: Option<Label>,
    /// What else helps to find it, such as a floor or a company; `extra` is taken for it, too.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, example = "2nd floor")]
    pub line2: Option<Label>,
    /// Another name of `line1`.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, deprecated)]
    pub street: Option<Label>,
    /// Another name of `line2`.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, deprecated)]
    pub extra: Option<Label>,
    /// As the country writes it.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, example = "10115")]
    pub postal_code: Option<Label>,
    /// The town.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, example = "Berlin")]
    pub city: Option<Label>,
    /// State, province or county, where the country has them in addresses.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, example = "CA")]
    pub region: Option<Label>,
    /// The country.
    pub country: Country,
    /// Where the carrier calls.
    #[serde(default, deserialize_with = "filled")]
    #[schema(value_type = Option<String>, example = "+49 30 123456")]
    pub phone: Option<Phone>,
}

/// A field that does not fit the country, and what the country wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Misfit {
    /// The field.
    pub field: &'static str,
    why: String,
}

impl AddressForm {
    /// The address, or all that does not fit its country.
    pub fn fit(self) -> Result<Address, Vec<Misfit>> {
        let (mut misfits, country) = (self.misfits(), self.country);
        let line1 = one_of(("line1", self.line1), ("street", self.street), &mut misfits);
        let line2 = one_of(("line2", self.line2), ("extra", self.extra), &mut misfits);
        if line1.is_none() {
            misfits.push(misfit("line1", "an address has a street and number"));
        }
        let postal_code = self.postal_code.map(|code| written(code, country));
        let Self { name, city, region, phone, .. } = self;
        match line1.filter(|_| misfits.is_empty()) {
            Some(line1) => {
                Ok(Address { name, line1, line2, postal_code, city, region, country, phone })
            }
            None => Err(misfits),
        }
    }

    fn misfits(&self) -> Vec<Misfit> {
        let fields = [AddressField::PostalCode, AddressField::City, AddressField::Region];
        fields.into_iter().filter_map(|field| self.misfit(field)).collect()
    }

    fn misfit(&self, field: AddressField) -> Option<Misfit> {
        let (format, country) = (AddressFormat::of(self.country), self.country);
        let given = self.given(field);
        let called = field.name().replace('_', " ");
        let example = format.example.filter(|_| field == AddressField::PostalCode);
        let like = example.map(|it| format!(", such as {it}")).unwrap_or_default();
        let why = match (format.usage(field), given) {
            (Use::Required, None) => format!("an address in {country} has a {called}{like}"),
            (Use::Unused, Some(_)) => format!("an address in {country} has no {called}"),
            (_, Some(code)) if field == AddressField::PostalCode => {
                if format.postal_code(country, code.as_str()).is_some() {
                    return None;
                }
                format!("this is not a postal code of {country}{like}")
            }
            _ => return None,
        };
        Some(misfit(field.name(), why))
    }

    fn given(&self, field: AddressField) -> Option<&Label> {
        match field {
            AddressField::PostalCode => self.postal_code.as_ref(),
            AddressField::City => self.city.as_ref(),
            AddressField::Region => {
                let takes_city = AddressFormat::of(self.country).takes_city_as_region();
                self.region.as_ref().or(self.city.as_ref().filter(|_| takes_city))
            }
        }
    }
}

/// A field by either of its names, unless both are given and differ.
fn one_of(
    (name, now): (&'static str, Option<Label>),
    (earlier_name, earlier): (&'static str, Option<Label>),
    misfits: &mut Vec<Misfit>,
) -> Option<Label> {
    if now.is_some() && earlier.is_some() && now != earlier {
        misfits.push(misfit(
            earlier_name,
            format!("this is another name of {name}; give one of them"),
        ));
    }
    now.or(earlier)
}

/// A postal code as its country writes it.
fn written(code: Label, country: Country) -> Label {
    let written = AddressFormat::of(country).postal_code(country, code.as_str());
    written.and_then(|written| Label::try_from(written).ok()).unwrap_or(code)
}

fn misfit(field: &'static str, why: impl Into<String>) -> Misfit {
    Misfit { field, why: why.into() }
}

/// Reads a value; forms send empty texts for what was left out.
fn filled<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<String, Error: std::fmt::Display>,
{
    let given = Option::<String>::deserialize(from)?.filter(|text| !is_blank(text));
    given.map(T::try_from).transpose().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The fields of this address that do not fit.
    fn misfits(country: &str, fields: &Value) -> Vec<&'static str> {
        let mut form = json!({ "name": "Ada", "line1": "Road 7", "country": country });
        form.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let form: AddressForm = serde_json::from_value(form).unwrap();
        form.fit().err().into_iter().flatten().map(|misfit| misfit.field).collect()
    }

    #[test]
    fn addresses_fit_their_country() {
        for (country, fields, wrong) in [
            ("DE", json!({ "postal_code": "10115", "city": "Berlin" }), vec![]),
            ("DE", json!({ "postal_code": "", "city": " " }), vec!["postal_code", "city"]),
            (
                "DE",
                json!({ "postal_code": "D-10115", "city": "Berlin", "line2": "\u{200b}" }),
                vec![],
            ),
            ("DE", json!({ "postal_code": "10115", "city": "\u{200b}" }), vec!["city"]),
            ("DE", json!({ "postal_code": "1011", "city": "Berlin" }), vec!["postal_code"]),
            ("HK", json!({ "city": "Hong Kong" }), vec![]),
            ("HK", json!({ "region": "Kowloon", "postal_code": "" }), vec![]),
            ("HK", json!({}), vec!["region"]),
            ("HK", json!({ "region": "Kowloon", "postal_code": "999077" }), vec!["postal_code"]),
            ("AE", json!({ "city": "Dubai" }), vec![]),
            ("PA", json!({ "city": "Panama" }), vec![]),
            ("GH", json!({ "city": "Accra" }), vec![]),
            ("GH", json!({}), vec!["city"]),
            ("SG", json!({ "postal_code": "546080" }), vec![]),
            ("SG", json!({ "postal_code": "546080", "city": "Singapore" }), vec![]),
            ("SG", json!({}), vec!["postal_code"]),
            ("MC", json!({ "postal_code": "98000" }), vec![]),
            ("GI", json!({}), vec![]),
            ("GI", json!({ "postal_code": "GX11 1AA" }), vec![]),
            ("VA", json!({ "postal_code": "00120" }), vec![]),
            ("US", json!({ "postal_code": "95014", "city": "Cupertino", "region": "CA" }), vec![]),
            ("US", json!({ "postal_code": "95014", "city": "Cupertino" }), vec!["region"]),
            ("ES", json!({ "postal_code": "28013", "city": "Madrid" }), vec![]),
            ("IE", json!({ "city": "Dublin" }), vec![]),
            ("IE", json!({ "city": "Dublin", "postal_code": "123" }), vec!["postal_code"]),
        ] {
            assert_eq!(misfits(country, &fields), wrong, "{country} {fields}");
        }
    }

    #[test]
    fn lines_have_two_names() {
        let given = |lines: Value| {
            let mut form = json!({ "name": "Ada", "city": "Accra", "country": "GH" });
            form.as_object_mut().unwrap().extend(lines.as_object().unwrap().clone());
            serde_json::from_value::<AddressForm>(form).unwrap().fit()
        };

        let (now, earlier) = (
            given(json!({ "line1": "Road 7", "line2": "2nd floor" })).unwrap(),
            given(json!({ "street": "Road 7", "extra": "2nd floor" })).unwrap(),
        );

        assert_eq!(now, earlier);
        let both = given(json!({ "line1": "Road 7", "street": "Road 8" })).unwrap_err();
        assert_eq!(both[0].field, "street");
        assert_eq!(given(json!({})).unwrap_err()[0].field, "line1");
    }

    #[test]
    fn an_error_says_what_the_country_wants() {
        let form = json!({ "name": "Ada", "line1": "Road 7", "country": "DE" });
        let form: AddressForm = serde_json::from_value(form).unwrap();

        let said: Vec<_> = form.fit().unwrap_err().iter().map(ToString::to_string).collect();

        let wanted =
            ["an address in DE has a postal code, such as 26133", "an address in DE has a city"];
        assert_eq!(said, wanted);
    }
}
