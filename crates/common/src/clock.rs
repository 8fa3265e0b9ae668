//! The one source of time and ids.

#[cfg(debug_assertions)]
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use contracts::Timestamp;
use uuid::{NoContext, Uuid};

/// Tells the time and draws ids; a test can set it.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<AtomicI64>),
    #[cfg(debug_assertions)]
    Wrong(Arc<Path>),
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.as_millis()))))
    }

    /// The machine's own clock, wrong by as many milliseconds as this file says whenever the time is
    /// told; right where there is no such file. For a process that is tested.
    #[cfg(debug_assertions)]
    pub fn wrong_by(file: impl AsRef<Path>) -> Self {
        Self(Source::Wrong(file.as_ref().into()))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            Source::System => system_millis(),
            Source::Manual(millis) => millis.load(Ordering::SeqCst),
            #[cfg(debug_assertions)]
            Source::Wrong(file) => system_millis().saturating_add(millis_in(file)),
        };
        Timestamp::from_millis(millis).expect("a clock between the years -9999 and 9999")
    }

    /// Sets a manual clock forward; the system's is left alone.
    pub fn advance(&self, duration: Duration) {
        if let Source::Manual(millis) = &self.0 {
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

#[cfg(debug_assertions)]
fn millis_in(file: &Path) -> i64 {
    std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(debug_assertions)]
    #[test]
    fn a_wrong_clock_is_as_wrong_as_its_file_says() {
        let scratch = testkit::Scratch::new().unwrap();
        let file = scratch.path().join("clock");
        let (right, wrong) = (Clock::system(), Clock::wrong_by(&file));
        let ahead = || wrong.now().as_millis() - right.now().as_millis();
        let hour = 3_600_000;

        assert!(ahead().abs() < hour);
        std::fs::write(&file, (24 * hour).to_string()).unwrap();
        assert!(ahead() > 23 * hour);
        std::fs::write(&file, (-24 * hour).to_string()).unwrap();
        assert!(ahead() < -23 * hour);
    }

    #[test]
    fn a_manual_clock_moves_when_told() {
        let clock = Clock::manual(Timestamp::from_millis(1_000).unwrap());

        clock.advance(Duration::from_secs(2));

        assert_eq!(clock.now().as_millis(), 3_000);
        assert_ne!(clock.uuid(), clock.uuid());
    }
}
