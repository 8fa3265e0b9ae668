//! Addresses, and how each country writes them.

use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use common::http::{Json, Path, Problem, Problems};
use contracts::Country;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Address, AddressField, AddressFormat, Label, Misfit, Phone, Use};

/// The formats change with a release only.
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// Where the goods go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Address)]
pub(super) struct AddressView {
    /// Whose name is on the door.
    #[schema(value_type = String, example = "Ada Lovelace")]
    name: Label,
    /// Street and number.
    #[schema(value_type = String, example = "Marktstr. 7")]
    line1: Label,
    /// What else helps to find it, such as a floor or a company.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2nd floor")]
    line2: Option<Label>,
    /// The same as `line1`.
    #[schema(value_type = String, deprecated)]
    street: Label,
    /// The same as `line2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, deprecated)]
    extra: Option<Label>,
    /// As the country writes it; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "10115")]
    postal_code: Option<Label>,
    /// The town; absent where it is the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Berlin")]
    city: Option<Label>,
    /// State, province or county, where the country has them in addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "CA")]
    region: Option<Label>,
    /// The country.
    country: Country,
    /// Where the carrier calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "+49 30 123456")]
    phone: Option<Phone>,
}

/// How addresses of a country are written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AddressFormat)]
pub(super) struct AddressFormatView {
    /// The country.
    country: Country,
    /// The fields of an address, in the order in which the country writes them; those that it does
    /// not write come last.
    fields: Vec<AddressFieldView>,
}

/// One field of an address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AddressFormatField)]
struct AddressFieldView {
    /// Its name in an address.
    #[schema(example = "postal_code")]
    name: &'static str,
    /// Whether the country writes it.
    #[serde(rename = "use")]
    usage: Use,
    /// What the country calls it, such as `eircode` or `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    called: Option<&'static str>,
    /// A regular expression that a postal code matches as a whole, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "^(?:\\d{5})$")]
    pattern: Option<String>,
    /// Such a postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<&'static str>,
    /// Whether `city` may be given instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    or_city: bool,
}

/// See how a country writes addresses.
///
/// An address that does not fit is refused with 422. The country is its code of ISO 3166-1; 404 for
/// one that does not exist. Clients may keep the answer for a day.
#[utoipa::path(get, path = "/api/orders/address-formats/{country}", tag = "orders",
    params(("country" = Country, Path)),
    extensions(("x-problems" = json!({ "404": ["not-found"] }))),
    responses((status = OK, body = AddressFormatView, headers(("Cache-Control" = String))), Problems))]
pub(super) async fn get_address_format(
    Path(country): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let country: Country = country.parse().map_err(|_| Problem::not_found())?;
    Ok(([(CACHE_CONTROL, A_DAY)], Json(AddressFormatView::of(country))))
}

/// Says which fields of an address do not fit its country.
pub(super) fn misfitting(misfits: &[Misfit]) -> Problem {
    misfits.iter().fold(Problem::invalid(), |problem, misfit| {
        problem.at(format!("/{}", misfit.field), misfit)
    })
}

impl From<&Address> for AddressView {
    fn from(address: &Address) -> Self {
        let Address { name, line1, line2, postal_code, city, region, country, phone } =
            address.clone();
        let (street, extra) = (line1.clone(), line2.clone());
        Self { name, line1, line2, street, extra, postal_code, city, region, country, phone }
    }
}

impl AddressFormatView {
    fn of(country: Country) -> Self {
        let format = AddressFormat::of(country);
        let written: Vec<_> = format.order().flat_map(|part| fields(format, part)).collect();
        let left = "ZCS".chars().filter(|part| !format.order().any(|it| it == *part));
        let last = [AddressFieldView::new("country", Use::Required)]
            .into_iter()
            .chain([AddressFieldView::new("phone", Use::Optional)]);
        let fields = written.into_iter().chain(last);
        Self {
            country,
            fields: fields.chain(left.flat_map(|it| self::fields(format, it))).collect(),
        }
    }
}

impl AddressFieldView {
    fn new(name: &'static str, usage: Use) -> Self {
        Self { name, usage, called: None, pattern: None, example: None, or_city: false }
    }
}

/// The fields of a part of an address.
fn fields(format: &'static AddressFormat, part: char) -> Vec<AddressFieldView> {
    let new = |field: AddressField| AddressFieldView::new(field.name(), format.usage(field));
    match part {
        'N' => vec![AddressFieldView::new("name", Use::Required)],
        'A' => vec![
            AddressFieldView::new("line1", Use::Required),
            AddressFieldView::new("line2", Use::Optional),
        ],
        'Z' => vec![AddressFieldView {
            called: format.postal_code_name,
            pattern: format.pattern.map(|it| format!("^(?:{it})$")),
            example: format.example,
            ..new(AddressField::PostalCode)
        }],
        'C' => vec![new(AddressField::City)],
        'S' => vec![AddressFieldView {
            called: format.region_name,
            or_city: format.takes_city_as_region(),
            ..new(AddressField::Region)
        }],
        _ => Vec::new(),
    }
}
