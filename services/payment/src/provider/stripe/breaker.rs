//! Asks nobody who is known to be away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After so many failures in a row nobody is asked for a while.
const FAILURES: u32 = 5;
/// How long nobody is asked; then one asks, and the others wait for what comes of that.
const REST: Duration = Duration::from_secs(5);
/// Whoever leaves sooner, such as a shopper who closes the page, says nothing of the other side.
const WORTH_WAITING: Duration = Duration::from_secs(1);

/// Opens after failures in a row, so that callers are answered at once and the other side is spared.
///
/// ```text
/// closed ─ failures ─▶ open ─ rest ─▶ one probe ─ answered ─▶ closed
///                        ▲                └────── failed ───▶ open
/// ```
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker(Arc<Mutex<Standing>>);

/// The right to ask once. Whoever drops it after a while, without a verdict, waited in vain.
#[derive(Debug)]
pub(super) struct Turn {
    breaker: Breaker,
    began: Instant,
    verdict: Option<Verdict>,
}

#[derive(Clone, Copy, Debug)]
enum Verdict {
    Answered,
    Failed,
}

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// How many failed in a row.
    failures: u32,
    /// Nobody asks before this.
    open_until: Option<Instant>,
}

impl Breaker {
    /// A turn to ask, unless nobody is to ask now.
    pub(super) fn turn(&self) -> Option<Turn> {
        let began = Instant::now();
        let free = self.standing().take_turn(began);
        free.then(|| Turn { breaker: self.clone(), began, verdict: None })
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The other side answered, whatever it said.
    pub(super) fn answered(mut self) {
        self.verdict = Some(Verdict::Answered);
    }

    /// The other side did not answer, or could not.
    pub(super) fn failed(mut self) {
        self.verdict = Some(Verdict::Failed);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = Instant::now();
        let waited = now.duration_since(self.began) >= WORTH_WAITING;
        let mut standing = self.breaker.standing();
        match self.verdict {
            Some(Verdict::Answered) => *standing = Standing::default(),
            Some(Verdict::Failed) => standing.fail(now),
            None if waited => standing.fail(now),
            None => {}
        }
        let open = f64::from(u8::from(standing.open_until.is_some()));
        metrics::gauge!("souk_provider_breaker_open", "provider" => super::NAME).set(open);
    }
}

impl Standing {
    /// Whether somebody may ask now; when it is open and has rested, that is one, and the others
    /// stay away until it is known what came of that.
    fn take_turn(&mut self, now: Instant) -> bool {
        let free = self.open_until.is_none_or(|until| until <= now);
        if free && self.open_until.is_some() {
            self.open_until = Some(now + REST);
        }
        free
    }

    fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.open_until = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed_times(times: u32, now: Instant) -> Standing {
        let mut standing = Standing::default();
        (0..times).for_each(|_| standing.fail(now));
        standing
    }

    #[test]
    fn it_opens_after_failures_in_a_row() {
        let now = Instant::now();

        assert!(failed_times(FAILURES - 1, now).take_turn(now));
        assert!(!failed_times(FAILURES, now).take_turn(now));
    }

    #[test]
    fn one_probes_while_the_others_wait() {
        let now = Instant::now();
        let mut standing = failed_times(FAILURES, now);

        assert!(standing.take_turn(now + REST), "somebody has to find out");
        assert!(!standing.take_turn(now + REST));
        standing.fail(now + REST);
        assert!(!standing.take_turn(now + REST + REST / 2));
        assert!(standing.take_turn(now + REST + REST));
    }

    #[test]
    fn an_answer_closes_it() {
        let breaker = Breaker::default();
        let fail = |_| breaker.turn().expect("it is still closed").failed();

        (1..FAILURES).for_each(fail);
        breaker.turn().expect("it is still closed").answered();
        (0..FAILURES).for_each(fail);

        assert!(breaker.turn().is_none());
    }

    #[test]
    fn who_leaves_at_once_says_nothing() {
        let breaker = Breaker::default();

        (0..=FAILURES).for_each(|_| drop(breaker.turn()));

        assert!(breaker.turn().is_some());
    }
}
