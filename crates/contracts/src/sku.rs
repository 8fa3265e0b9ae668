//! The stock keeping unit: what a warehouse counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Names one variant of a product, unique in the whole shop.
///
/// 1 to 40 of `A-Z a-z 0-9 - _`: it is part of URLs and of NATS subjects. SKUs that differ in case
/// only are one SKU ([`Sku::is_same_as`]); equality compares the spelling.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,40}$", example = "MUG-BLUE")]
pub struct Sku(String);

/// A text that is not a SKU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SKU is 1 to 40 letters, digits, hyphens or underscores")]
pub struct InvalidSku;

impl Sku {
    /// The SKU as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the SKU in lower case: two SKUs that differ in case only are one.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether both are one SKU: they differ in case at most.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl FromStr for Sku {
    type Err = InvalidSku;

    fn from_str(text: &str) -> Result<Self, InvalidSku> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Sku {
    type Error = InvalidSku;

    fn try_from(text: String) -> Result<Self, InvalidSku> {
        let fits = (1..=40).contains(&text.len());
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits && plain { Ok(Self(text)) } else { Err(InvalidSku) }
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_fits_a_subject_and_a_path() {
        for bad in ["", "a b", "a.b", "a*", "a>", "a/b", "é", &"x".repeat(41)] {
            assert!(bad.parse::<Sku>().is_err(), "{bad}");
        }
        assert!("TEE-M_blue-01".parse::<Sku>().is_ok());
    }

    #[test]
    fn case_makes_no_other_sku() {
        let (upper, lower): (Sku, Sku) = ("MUG-1".parse().unwrap(), "mug-1".parse().unwrap());

        assert!(upper.is_same_as(&lower) && upper.folded() == lower.folded());
        assert!(!upper.is_same_as(&"MUG-2".parse().unwrap()));
    }
}
