//! The one source of time and ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use contracts::Timestamp;
use uuid::{NoContext, Uuid};

/// Tells the time and draws ids; a test can set it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    manual: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        Self { manual: Some(Arc::new(AtomicI64::new(start.as_millis()))) }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.manual {
            Some(millis) => millis.load(Ordering::SeqCst),
            None => system_millis(),
        };
        Timestamp::from_millis(millis).expect("a clock between the years -9999 and 9999")
    }

    /// Sets a manual clock forward; the system's is left alone.
    pub fn advance(&self, duration: Duration) {
        if let Some(millis) = &self.manual {
            let by = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// A fresh UUID of version 7: ids made of it sort by time.
    pub fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().as_millis()).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, millis / 1000, nanos))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_when_told() {
        let clock = Clock::manual(Timestamp::from_millis(1_000).unwrap());

        clock.advance(Duration::from_secs(2));

        assert_eq!(clock.now().as_millis(), 3_000);
        assert_ne!(clock.uuid(), clock.uuid());
    }
}
