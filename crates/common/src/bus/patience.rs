//! How long the bus waits before it tries again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// A delay that doubles with every try, up to a longest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The delay after the first try.
    pub first: Duration,
    /// No delay is longer.
    pub longest: Duration,
}

impl Backoff {
    /// From `first`, doubling, to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The delay after so many tries, give or take a fifth, so that many do not come at once.
    pub fn after(&self, tries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let delay = self.first.saturating_mul(doubled).min(self.longest);
        delay.mul_f64(0.8 + 0.4 * chance())
    }
}

/// How a consumer deals with events that it cannot handle yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often an event is tried that fails by itself, before it is parked among the dead letters.
    pub attempts: u32,
    /// How long it rests between these attempts.
    pub retry: Backoff,
    /// How long an event rests that waits for another one, or that this replica does not know.
    pub wait: Backoff,
    /// How often an event is delivered that waits, before it is parked among the dead letters.
    pub waits: u32,
    /// How often an event may be delivered without any known outcome: handling it may end the
    /// process. Beyond, it is parked unhandled.
    pub deliveries: u32,
    /// How long a parked event rests between automatic redrives.
    pub redrive: Backoff,
    /// How long a consumer rests while a dependency is away.
    pub away: Backoff,
    /// How long one handling may take.
    pub handling: Duration,
    /// How long the server waits for a word about an event before it gives it to another replica.
    pub word: Duration,
}

impl Default for Patience {
    /// Five attempts within seconds, waiting for about an hour, redrives from every quarter of a
    /// minute to every hour.
    fn default() -> Self {
        Self {
            attempts: 5,
            retry: Backoff::new(Duration::from_millis(250), Duration::from_secs(4)),
            wait: Backoff::new(Duration::from_secs(5), Duration::from_mins(2)),
            waits: 34,
            deliveries: 50,
            redrive: Backoff::new(Duration::from_secs(15), Duration::from_hours(1)),
            away: Backoff::new(Duration::from_millis(250), Duration::from_secs(5)),
            handling: Duration::from_mins(1),
            word: Duration::from_secs(30),
        }
    }
}

/// A number from 0 to 1 that nobody can foresee; good enough to spread retries.
fn chance() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_attempts_take_seconds() {
        let patience = Patience::default();

        let whole: Duration = (1..patience.attempts).map(|n| patience.retry.after(n)).sum();

        assert!((3..=5).contains(&whole.as_secs()), "{whole:?}");
    }

    #[test]
    fn waiting_ends_after_an_hour() {
        let patience = Patience::default();

        let whole: Duration = (1..patience.waits).map(|n| patience.wait.after(n)).sum();

        let minutes = whole.as_secs() / 60;
        assert!((50..=72).contains(&minutes), "{minutes} minutes");
        assert!(patience.deliveries > patience.waits);
    }

    #[test]
    fn a_delay_grows_to_its_longest() {
        let backoff = Backoff::new(Duration::from_secs(5), Duration::from_mins(1));

        assert!(backoff.after(1) <= Duration::from_secs(6));
        assert!(backoff.after(2) >= Duration::from_secs(8));
        assert!(backoff.after(99) <= Duration::from_secs(72));
    }
}
