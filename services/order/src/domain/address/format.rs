//! How addresses are written, country by country.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use contracts::Country;
use contracts::text::numerals;
use regex::{Regex, RegexBuilder};
use serde::Serialize;
use utoipa::ToSchema;

/// The countries by their codes. `formats.py` beside it makes it of Google's Address Data; see there
/// what a line has.
static FORMATS: LazyLock<BTreeMap<&str, AddressFormat>> = LazyLock::new(|| {
    let lines = include_str!("formats.tsv").lines();
    lines.filter_map(|line| line.split_once('\t')).map(read).collect()
});

/// How addresses of one country are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressFormat {
    written: &'static str,
    required: &'static str,
    /// The pattern of postal codes, a regular expression for the whole of one; none when it is not known.
    pub pattern: Option<&'static str>,
    /// A postal code.
    pub example: Option<&'static str>,
    prefix: &'static str,
    /// What the country calls its postal code, such as `eircode`.
    pub postal_code_name: Option<&'static str>,
    /// What the country calls its regions, such as `state`.
    pub region_name: Option<&'static str>,
}

/// A part of an address that countries differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressField {
    /// The postal code.
    PostalCode,
    /// The town.
    City,
    /// State, province or county.
    Region,
}

/// Whether a country writes a part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AddressFieldUse)]
pub enum Use {
    /// An address without it is refused.
    Required,
    /// It may be given.
    Optional,
    /// An address with it is refused: the country has none.
    Unused,
}

impl AddressFormat {
    /// The format of a country.
    pub fn of(country: Country) -> &'static Self {
        static UNKNOWN: AddressFormat = AddressFormat::plain();
        FORMATS.get(country.as_str()).unwrap_or(&UNKNOWN)
    }

    /// Of what ceased to be a country.
    const fn plain() -> Self {
        Self {
            written: "NACZS",
            required: "A",
            pattern: None,
            example: None,
            prefix: "",
            postal_code_name: None,
            region_name: None,
        }
    }

    /// Whether the country writes this. Only a postal code can be one that does not exist: people
    /// repeat the country as the city, and name regions that are not written.
    pub fn usage(&self, field: AddressField) -> Use {
        let letter = field.letter();
        match (self.required.contains(letter), self.written.contains(letter), field) {
            (true, ..) => Use::Required,
            (false, false, AddressField::PostalCode) => Use::Unused,
            (false, ..) => Use::Optional,
        }
    }

    /// Whether a city may stand for the region: in countries that write no city, such as Hong Kong, or do
    /// not require one, people name it so.
    pub fn takes_city_as_region(&self) -> bool {
        self.required.contains('S') && !self.required.contains('C')
    }

    /// The parts of an address, as the country orders them.
    pub fn order(&self) -> impl Iterator<Item = char> {
        self.written.chars()
    }

    /// A postal code of this country as it is written there: given in whatever case, with digits of
    /// any script, with other spaces and hyphens, and with or without the country in front as in
    /// `CH-8001` or `D-10115`. Nothing when it is none.
    pub fn postal_code(&self, country: Country, given: &str) -> Option<String> {
        let code = numerals(given).to_ascii_uppercase();
        let Some(pattern) = self.pattern.and_then(whole) else { return Some(numerals(given)) };
        let prefixed = strip_prefix(&code, self.prefix);
        let bare = [Some(&*code), prefixed, strip_country(&code, country)];
        let spelled = bare.into_iter().flatten().flat_map(|code| {
            [code.to_owned(), code.replace('-', " "), code.replace(['-', ' '], "")]
        });
        spelled.into_iter().find(|code| pattern.is_match(code))
    }
}

impl AddressField {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PostalCode => "postal_code",
            Self::City => "city",
            Self::Region => "region",
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::PostalCode => 'Z',
            Self::City => 'C',
            Self::Region => 'S',
        }
    }
}

fn read((country, rest): (&'static str, &'static str)) -> (&'static str, AddressFormat) {
    let mut columns = rest.split('\t');
    let mut next = || columns.next().unwrap_or_default();
    let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    let format = AddressFormat {
        written: next(),
        required: next(),
        pattern: some(next()),
        example: some(next()),
        prefix: next(),
        postal_code_name: some(next()),
        region_name: some(next()),
    };
    (country, format)
}

/// The pattern for the whole of a text.
fn whole(pattern: &str) -> Option<Regex> {
    let mut whole = RegexBuilder::new(&format!("^(?:{pattern})$"));
    whole.unicode(false).case_insensitive(true).build().ok()
}

fn strip_prefix<'a>(code: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = code.split_at_checked(prefix.len())?;
    let found = !prefix.is_empty() && start.eq_ignore_ascii_case(prefix);
    found.then(|| rest.trim_start_matches([' ', '-']))
}

/// A code without the letters of its country and a hyphen in front, also those of its cars: `D` for
/// Germany, `FIN` for Finland.
fn strip_country(code: &str, country: Country) -> Option<&str> {
    let (letters, rest) = code.split_once('-')?;
    let country = country.as_str();
    let is_country = letters.starts_with(country) || country.starts_with(letters);
    (is_country && (1..=3).contains(&letters.len())).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(country: &str) -> &'static AddressFormat {
        AddressFormat::of(country.parse().unwrap())
    }

    #[test]
    fn every_country_has_a_format() {
        assert_eq!(FORMATS.len(), 249);
        for (country, format) in FORMATS.iter() {
            assert!(country.parse::<Country>().is_ok(), "{country}");
            assert!(format.written.contains('A') && format.required.contains('A'), "{country}");
            assert!(format.required.chars().all(|it| format.written.contains(it)), "{country}");
            assert!(format.pattern.is_none_or(|it| whole(it).is_some()), "{country}");
            let country = country.parse().unwrap();
            let kept = |it: &str| format.postal_code(country, it).as_deref() == Some(it);
            assert!(format.example.is_none_or(kept), "{country}");
        }
    }

    #[test]
    fn some_countries_have_no_postal_code() {
        for country in ["HK", "AE", "PA", "GH", "QA", "UG", "ZW", "JM", "FJ", "MO", "AO", "BO"] {
            assert_eq!(format(country).usage(AddressField::PostalCode), Use::Unused, "{country}");
        }
        for country in ["DE", "US", "GB", "JP", "BR", "SG", "FR", "IN"] {
            assert_eq!(format(country).usage(AddressField::PostalCode), Use::Required, "{country}");
        }
        for country in ["IE", "CL", "PE", "TT", "MC", "VA"] {
            assert_eq!(format(country).usage(AddressField::PostalCode), Use::Optional, "{country}");
        }
    }

    #[test]
    fn some_countries_are_their_city() {
        for country in ["SG", "MC", "GI", "VA", "MO", "HK", "SM"] {
            assert_eq!(format(country).usage(AddressField::City), Use::Optional, "{country}");
        }
        assert_eq!(format("DE").usage(AddressField::City), Use::Required);
    }

    #[test]
    fn postal_codes_are_those_of_their_country() {
        for (country, given, code) in [
            ("DE", "10115", Some("10115")),
            ("DE", "1011", None),
            ("DE", "C4N4RY", None),
            ("DE", "DE-10115", Some("10115")),
            ("DE", "D-10115", Some("10115")),
            ("DE", "A-10115", None),
            ("DE", "１０１１５", Some("10115")),
            ("DK", "DK-1000", Some("1000")),
            ("FI", "FIN-00550", Some("00550")),
            ("AT", "a-1010", Some("1010")),
            ("IN", "110 001", Some("110001")),
            ("US", "22162-1010", Some("22162-1010")),
            ("GB", "sw1a 1aa", Some("SW1A 1AA")),
            ("GB", "SW1A1AA", Some("SW1A1AA")),
            ("GB", "12345", None),
            ("JP", "１５４－００２３", Some("154-0023")),
            ("CH", "CH-8001", Some("8001")),
            ("SE", "SE-123 45", Some("123 45")),
            ("LU", "L-4750", Some("4750")),
            ("NL", "1234 ab", Some("1234 AB")),
            ("CA", "K1A 0B1", Some("K1A 0B1")),
            ("CA", "K1A-0B1", Some("K1A 0B1")),
            ("CA", "K1A OB1", None),
            ("IE", "D02 AF30", Some("D02 AF30")),
            ("LC", "LC04 101", Some("LC04 101")),
        ] {
            let written = format(country).postal_code(country.parse().unwrap(), given);
            assert_eq!(written.as_deref(), code, "{country} {given}");
        }
    }
}
