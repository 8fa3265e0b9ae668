//! Points in time, to the millisecond, in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A point in time, written as RFC 3339 text of fixed width, so that it sorts as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = DateTime, example = "2026-01-31T12:00:00.000Z")]
pub struct Timestamp(jiff::Timestamp);

/// A text or number that is not a point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time looks like 2026-01-31T12:00:00.000Z")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The time so many milliseconds after 1970 began.
    pub fn from_millis(millis: i64) -> Result<Self, InvalidTimestamp> {
        jiff::Timestamp::from_millisecond(millis).map(Self).map_err(|_| InvalidTimestamp)
    }

    /// Milliseconds since 1970 began.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The time so much later; the last representable one if that is beyond it.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let later = i64::try_from(duration.as_millis())
            .ok()
            .and_then(|millis| self.as_millis().checked_add(millis))
            .and_then(|millis| Self::from_millis(millis).ok());
        later.unwrap_or(Self(jiff::Timestamp::MAX))
    }

    /// The time so much earlier; the first representable one if that is before it.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let earlier = i64::try_from(duration.as_millis())
            .ok()
            .and_then(|millis| self.as_millis().checked_sub(millis))
            .and_then(|millis| Self::from_millis(millis).ok());
        earlier.unwrap_or(Self(jiff::Timestamp::MIN))
    }

    /// How long it is since `earlier`; nothing if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.as_millis().saturating_sub(earlier.as_millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let exact: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Self::from_millis(exact.as_millisecond())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, InvalidTimestamp> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_written_to_the_millisecond() {
        let noon: Timestamp = "2026-01-31T13:00:00+01:00".parse().unwrap();

        assert_eq!(noon.to_string(), "2026-01-31T12:00:00.000Z");
        assert_eq!(noon.plus(Duration::from_millis(7)).to_string(), "2026-01-31T12:00:00.007Z");
    }

    proptest! {
        #[test]
        fn times_sort_as_text(a in 0_i64..4_000_000_000_000, b in 0_i64..4_000_000_000_000) {
            let (a, b) = (Timestamp::from_millis(a).unwrap(), Timestamp::from_millis(b).unwrap());

            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
        }
    }
}
