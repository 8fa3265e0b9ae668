//! Names that an object gives twice (RFC 8259, section 4).

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::explain::escaped;

/// The JSON pointer of the first member that its object gives twice, at whatever depth.
///
/// What such a text means is up to each reader, so two of them may act on different values.
/// Fails when the text is no JSON.
pub(super) fn duplicate(text: &str) -> serde_json::Result<Option<String>> {
    let mut search = Search::default();
    let mut json = serde_json::Deserializer::from_str(text);
    (&mut search).deserialize(&mut json)?;
    json.end()?;
    Ok(search.found)
}

#[derive(Default)]
struct Search {
    /// The JSON pointer of the value that is being read.
    at: String,
    found: Option<String>,
}

impl Search {
    /// Reads one part of a value with `read`, at the pointer of that part.
    fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let above = self.at.len();
        self.at.push('/');
        self.at.push_str(&escaped(name));
        let part = read(self);
        self.at.truncate(above);
        part
    }
}

impl<'de> DeserializeSeed<'de> for &mut Search {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Search {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let is_new = !names.contains(&name);
            self.within(&name, |search| {
                if !is_new {
                    search.found.get_or_insert_with(|| search.at.clone());
                }
                members.next_value_seed(search)
            })?;
            names.insert(name);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let item = self.within(&index.to_string(), |search| items.next_element_seed(search))?;
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_duplicate_at_any_depth() {
        for (text, pointer) in [
            (r#"{"a": 1, "b": 2, "a": 3}"#, "/a"),
            (r#"{"a": 1, "\u0061": 1}"#, "/a"),
            (r#"[{}, {"a": {"b": null, "b": null}}]"#, "/1/a/b"),
            (r#"{"a": [1, "x", {"": true, "": true}], "a": 2}"#, "/a/2/"),
            (r#"{"a/b~": 1.5, "a/b~": -1}"#, "/a~1b~0"),
        ] {
            assert_eq!(duplicate(text).unwrap().as_deref(), Some(pointer), "{text}");
        }
    }

    #[test]
    fn the_same_name_in_another_object_is_none() {
        for text in [r#"{"a": {"a": {"a": [1, 1]}}, "A": 1}"#, r#"[{"a": 1}, {"a": 1}]"#, "7"] {
            assert_eq!(duplicate(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_fails() {
        for text in ["", "{", "{} {}", r#"{"a": 1,}"#, r#"{"a" 1}"#, "[1 2]", "01"] {
            assert!(duplicate(text).is_err(), "{text}");
        }
    }
}
