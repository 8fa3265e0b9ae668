//! Names of things, short enough to hold millions of them.

use std::fmt;

use uuid::Uuid;

/// What an event is about: the first letters of its id, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Aggregate {
    prefix: [u8; 3],
    uuid: u128,
}

impl Aggregate {
    /// Reads an id, such as `ord_…`.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (prefix, rest) = id.split_once('_')?;
        let prefix = prefix.as_bytes().try_into().ok()?;
        Some(Self { prefix, uuid: Uuid::try_parse(rest).ok()?.as_u128() })
    }

    /// In which of so many parts it falls.
    pub(super) fn part(&self, parts: u64) -> u64 {
        u64::try_from(self.uuid % u128::from(parts)).unwrap_or(0)
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uuid = Uuid::from_u128(self.uuid);
        write!(f, "{}_{}", String::from_utf8_lossy(&self.prefix), uuid.as_simple())
    }
}
