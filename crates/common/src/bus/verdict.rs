//! What is done with an event after it was handled, or was not.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contracts::EventId;

use super::{Handled, Patience, Trouble};

/// More events than a replica ever holds; what another replica handled in the end is forgotten.
const REMEMBERED: usize = 4_096;

/// What is done with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was handled.
    Done,
    /// It comes again after a while; nothing is counted.
    Wait { why: String, after: Duration },
    /// It comes again after a while, not for ever.
    Retry { why: String, attempt: u32, after: Duration },
    /// It becomes a dead letter.
    Reject { why: String, attempts: u32 },
    /// It comes again; the consumer pauses.
    Away { why: String, after: Duration },
}

impl Verdict {
    /// As metrics and logs name it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Wait { .. } => "wait",
            Self::Retry { .. } => "retry",
            Self::Reject { .. } => "reject",
            Self::Away { .. } => "away",
        }
    }
}

/// How often each event failed by itself in this replica.
///
/// The server counts deliveries, those of waiting and of outages among them, so its count says
/// nothing about the event.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<EventId, u32>>);

impl Attempts {
    /// Judges what a handler said of an event that was delivered so many times.
    pub(super) fn judge(
        &self,
        id: EventId,
        handled: Handled,
        delivered: u32,
        patience: &Patience,
    ) -> Verdict {
        match handled {
            Ok(()) => Verdict::Done,
            Err(Trouble::Wait(why)) => Verdict::Wait { why, after: patience.wait.after(delivered) },
            Err(Trouble::Away(why)) => Verdict::Away { why, after: patience.away.after(1) },
            Err(Trouble::Reject(why)) => Verdict::Reject { why, attempts: self.next(id) },
            Err(Trouble::Retry(why)) => self.failed(id, why, patience),
        }
    }

    /// The attempt that comes next, from 1.
    pub(super) fn next(&self, id: EventId) -> u32 {
        self.lock().get(&id).map_or(1, |failed| failed + 1)
    }

    fn failed(&self, id: EventId, why: String, patience: &Patience) -> Verdict {
        let mut failed = self.lock();
        if failed.len() >= REMEMBERED && !failed.contains_key(&id) {
            failed.clear();
        }
        let attempt = failed.entry(id).or_default();
        *attempt += 1;
        if *attempt >= patience.attempts {
            return Verdict::Reject { why, attempts: *attempt };
        }
        Verdict::Retry { why, attempt: *attempt, after: patience.retry.after(*attempt) }
    }

    /// Forgets an event that is at its end.
    pub(super) fn forget(&self, id: EventId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<EventId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const EVENT: EventId = EventId::from_uuid(Uuid::from_u128(1));

    fn judge(attempts: &Attempts, trouble: Trouble) -> Verdict {
        attempts.judge(EVENT, Err(trouble), 40, &Patience::default())
    }

    fn retry() -> Trouble {
        Trouble::Retry("no".to_owned())
    }

    #[test]
    fn the_tenth_failure_is_the_last() {
        let attempts = Attempts::default();

        let verdicts: Vec<_> = (0..10).map(|_| judge(&attempts, retry()).name()).collect();

        assert_eq!(verdicts[..9], ["retry"; 9]);
        assert_eq!(verdicts[9], "reject");
    }

    #[test]
    fn waiting_and_outages_count_nothing() {
        let attempts = Attempts::default();

        for _ in 0..20 {
            judge(&attempts, Trouble::Wait("for another".to_owned()));
            judge(&attempts, Trouble::Away("the database".to_owned()));
        }

        assert_eq!(attempts.next(EVENT), 1);
        assert_eq!(judge(&attempts, retry()).name(), "retry");
        assert_eq!(attempts.next(EVENT), 2);
    }

    #[test]
    fn what_is_at_its_end_is_forgotten() {
        let attempts = Attempts::default();
        judge(&attempts, retry());

        attempts.forget(EVENT);

        assert_eq!(attempts.next(EVENT), 1);
    }
}
