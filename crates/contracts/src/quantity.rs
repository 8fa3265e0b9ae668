//! How many pieces of one SKU a shopper buys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A number of pieces, 1 to 999.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "i64", into = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 999, example = 2)]
pub struct Quantity(u32);

/// A number that is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to {}", Quantity::MAX)]
pub struct InvalidQuantity;

impl Quantity {
    /// The most pieces of one SKU in one order.
    pub const MAX: u32 = 999;

    /// So many pieces, if that is a quantity.
    pub const fn new(pieces: u32) -> Result<Self, InvalidQuantity> {
        if pieces >= 1 && pieces <= Self::MAX { Ok(Self(pieces)) } else { Err(InvalidQuantity) }
    }

    /// The number of pieces.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(pieces: i64) -> Result<Self, InvalidQuantity> {
        u32::try_from(pieces).map_err(|_| InvalidQuantity).and_then(Self::new)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_at_least_one_and_at_most_999() {
        for bad in ["0", "-1", "1000", "9223372036854775807", "1.5", "\"1\""] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Quantity>("999").unwrap().get(), 999);
    }
}
