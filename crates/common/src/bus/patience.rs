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
    /// How often an event is tried that fails by itself, before it becomes a dead letter.
    pub attempts: u32,
    /// How long it rests between these attempts.
    pub retry: Backoff,
    /// How long an event rests that waits for another one, or that this replica does not know.
    pub wait: Backoff,
    /// How long a consumer rests while a dependency is away.
    pub away: Backoff,
    /// How long one handling may take.
    pub handling: Duration,
    /// How long the server waits for a word about an event before it gives it to another replica.
    pub word: Duration,
}

impl Default for Patience {
    /// Ten attempts over about fifteen minutes.
    fn default() -> Self {
        Self {
            attempts: 10,
            retry: Backoff::new(Duration::from_millis(1_750), Duration::from_secs(450)),
            wait: Backoff::new(Duration::from_secs(5), Duration::from_mins(1)),
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
    fn ten_attempts_take_about_fifteen_minutes() {
        let patience = Patience::default();

        let whole: Duration = (1..patience.attempts).map(|n| patience.retry.after(n)).sum();

        let minutes = whole.as_secs() / 60;
        assert!((11..=18).contains(&minutes), "{minutes} minutes");
    }

    #[test]
    fn a_delay_grows_to_its_longest() {
        let backoff = Backoff::new(Duration::from_secs(5), Duration::from_mins(1));

        assert!(backoff.after(1) <= Duration::from_secs(6));
        assert!(backoff.after(2) >= Duration::from_secs(8));
        assert!(backoff.after(99) <= Duration::from_secs(72));
    }
}
