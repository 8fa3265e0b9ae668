//! What tells the variants of a product apart: names and values, whatever their spelling.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use contracts::text::fold;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::words::{OptionName, OptionValue};

/// What a variant is of each option.
pub type Options = BTreeMap<OptionName, OptionValue>;

/// Writes an option so that spellings which people take for one are equal.
pub fn option_key(name: &OptionName, value: &OptionValue) -> String {
    format!("{}\u{1f}{}", fold(name.as_str()), fold(value.as_str()))
}

/// Options as searches see them.
pub(super) fn keys(options: &Options) -> BTreeSet<String> {
    options.iter().map(|(name, value)| option_key(name, value)).collect()
}

/// Adds a value unless there is one of an option that people take for the same.
pub fn add_option(options: &mut Options, name: OptionName, value: OptionValue) -> bool {
    let is_new = named(options.keys(), &name).is_none();
    if is_new {
        options.insert(name, value);
    }
    is_new
}

/// The one of these names that people take for this one.
pub(super) fn named<'a>(
    names: impl IntoIterator<Item = &'a OptionName>,
    name: &OptionName,
) -> Option<&'a OptionName> {
    let folded = fold(name.as_str());
    names.into_iter().find(|other| *other == name || fold(other.as_str()) == folded)
}

/// Reads options, each of which may be given once, in whatever spelling.
pub(super) fn distinct<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Options, D::Error> {
    deserializer.deserialize_map(Distinct)
}

/// The same where options may be left out.
pub(super) fn given_distinct<'de, D>(deserializer: D) -> Result<Option<Options>, D::Error>
where
    D: Deserializer<'de>,
{
    distinct(deserializer).map(Some)
}

struct Distinct;

impl<'de> Visitor<'de> for Distinct {
    type Value = Options;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Options, A::Error> {
        let mut options = Options::new();
        while let Some(name) = members.next_key::<OptionName>()? {
            if named(options.keys(), &name).is_some() {
                // Where the value stands, so that the error names the member.
                members.next_value_seed(Twice)?;
            } else {
                let value = members.next_value()?;
                options.insert(name, value);
            }
        }
        Ok(options)
    }
}

/// The value of an option that was given already.
struct Twice;

impl<'de> DeserializeSeed<'de> for Twice {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        Err(D::Error::custom("this option is given twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<usize> {
        let mut json = serde_json::Deserializer::from_str(text);
        distinct(&mut json).ok().map(|options| options.len())
    }

    #[test]
    fn an_option_is_given_once_in_whatever_form() {
        assert_eq!(read(r#"{"size": "M", "colour": "M"}"#), Some(2));
        for twice in [
            r#"{"café": "a", "cafe\u0301": "b"}"#,
            r#"{" size": "M", "size": "L"}"#,
            r#"{"Size": "M", "size": "M"}"#,
            r#"{"si\u200bze": "M", "size": "L"}"#,
        ] {
            assert_eq!(read(twice), None, "{twice}");
        }
    }
}
