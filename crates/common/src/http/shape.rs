//! What shape of body a type asks for.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Whether the type has named fields. Such a type would also read an array of their values in the
/// order of the code, which is nothing that clients are to rely on.
pub(super) fn has_fields<T: DeserializeOwned>() -> bool {
    matches!(T::deserialize(Probe), Err(Asked::Fields))
}

/// Gives nothing, and finds out what is asked for.
struct Probe;

#[derive(Debug)]
enum Asked {
    Fields,
    Other,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing to read")
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked::Other)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked::Fields)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Asked> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Fields {
        one: u8,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Wrapped(Fields);

    #[derive(Deserialize)]
    #[serde(try_from = "Fields")]
    struct Checked;

    impl TryFrom<Fields> for Checked {
        type Error = &'static str;

        fn try_from(_: Fields) -> Result<Self, &'static str> {
            Ok(Self)
        }
    }

    #[test]
    fn only_what_has_fields_asks_for_an_object() {
        assert!(has_fields::<Fields>() && has_fields::<Wrapped>() && has_fields::<Checked>());
        assert!(!has_fields::<Vec<Fields>>() && !has_fields::<(u8, u8)>());
        assert!(!has_fields::<BTreeMap<String, u8>>() && !has_fields::<serde_json::Value>());
    }
}
