//! What is done with an event after it was handled, or was not.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contracts::EventId;

use super::{Handled, Patience, Trouble};

/// As many events as may be pending; what another replica handled in the end is forgotten.
const REMEMBERED: usize = 20_000;

/// What is done with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was handled.
    Done,
    /// It comes again after a while; nothing is counted.
    Wait { why: String, after: Duration },
    /// It comes again after a while, not for ever.
    Retry { why: String, attempt: u32, after: Duration },
    /// It becomes a dead letter that is redriven automatically.
    Park { why: String, attempts: u32 },
    /// It becomes a dead letter, for a person to look at.
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
            Self::Park { .. } => "park",
            Self::Reject { .. } => "reject",
            Self::Away { .. } => "away",
        }
    }
}

/// How an event came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery {
    /// How often the server delivered it, to any replica.
    pub(super) delivered: u32,
    /// Whether so many deliveries of the durable are pending that none may rest.
    pub(super) crowded: bool,
}

/// How often each event failed by itself in this replica, 0 times for those that came again for
/// another reason.
///
/// The server counts deliveries, those of waiting and of outages among them, so its count says
/// little about the event. It is the backstop for events whose handling ends the process.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<EventId, u32>>);

impl Attempts {
    /// Parks an event that was delivered too often without any outcome that is known here.
    pub(super) fn suspects(
        &self,
        id: EventId,
        delivered: u32,
        patience: &Patience,
    ) -> Option<Verdict> {
        if delivered <= patience.deliveries || self.lock().contains_key(&id) {
            return None;
        }
        let why = format!(
            "delivered {delivered} times without an outcome: handling it may end the process"
        );
        Some(Verdict::Park { why, attempts: delivered })
    }

    /// Judges what a handler said of an event that was delivered so many times.
    pub(super) fn judge(
        &self,
        id: EventId,
        handled: Handled,
        delivery: Delivery,
        patience: &Patience,
    ) -> Verdict {
        let Delivery { delivered, crowded } = delivery;
        match handled {
            Ok(()) => Verdict::Done,
            Err(Trouble::Wait(why)) if crowded || delivered >= patience.waits => {
                Verdict::Park { why, attempts: delivered }
            }
            Err(Trouble::Wait(why)) => {
                self.remember(id, 0);
                Verdict::Wait { why, after: patience.wait.after(delivered) }
            }
            Err(Trouble::Away(why)) => {
                self.remember(id, 0);
                Verdict::Away { why, after: patience.away.after(1) }
            }
            Err(Trouble::Reject(why)) => Verdict::Reject { why, attempts: self.next(id) },
            Err(Trouble::Retry(why)) => {
                let attempt = self.remember(id, 1);
                if crowded || attempt >= patience.attempts {
                    return Verdict::Park { why, attempts: attempt };
                }
                Verdict::Retry { why, attempt, after: patience.retry.after(attempt) }
            }
        }
    }

    /// The attempt that comes next, from 1.
    pub(super) fn next(&self, id: EventId) -> u32 {
        self.lock().get(&id).map_or(1, |failed| failed + 1)
    }

    /// Counts so many failures more; returns how many there are.
    fn remember(&self, id: EventId, failures: u32) -> u32 {
        let mut failed = self.lock();
        if failed.len() >= REMEMBERED && !failed.contains_key(&id) {
            failed.clear();
        }
        let attempts = failed.entry(id).or_default();
        *attempts += failures;
        *attempts
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
        attempts.judge(EVENT, Err(trouble), delivery(4), &Patience::default())
    }

    fn delivery(delivered: u32) -> Delivery {
        Delivery { delivered, crowded: false }
    }

    fn retry() -> Trouble {
        Trouble::Retry("no".to_owned())
    }

    #[test]
    fn fifth_failure_parks_the_event() {
        let attempts = Attempts::default();

        let verdicts: Vec<_> = (0..5).map(|_| judge(&attempts, retry()).name()).collect();

        assert_eq!(verdicts[..4], ["retry"; 4]);
        assert_eq!(verdicts[4], "park");
    }

    #[test]
    fn event_that_waited_an_hour_is_parked() {
        let (attempts, patience) = (Attempts::default(), Patience::default());
        let waits = |delivered| {
            let waits = Err(Trouble::Wait("for another".to_owned()));
            attempts.judge(EVENT, waits, delivery(delivered), &patience).name()
        };

        assert_eq!(waits(patience.waits - 1), "wait");
        assert_eq!(waits(patience.waits), "park");
    }

    #[test]
    fn nothing_rests_in_a_crowded_durable() {
        let (attempts, patience) = (Attempts::default(), Patience::default());
        let crowded = Delivery { delivered: 1, crowded: true };

        for trouble in [retry(), Trouble::Wait("for another".to_owned())] {
            let verdict = attempts.judge(EVENT, Err(trouble), crowded, &patience);

            assert_eq!(verdict.name(), "park");
        }
    }

    #[test]
    fn delivery_without_outcome_is_suspect() {
        let (attempts, patience) = (Attempts::default(), Patience::default());
        let suspected = |delivered| attempts.suspects(EVENT, delivered, &patience).is_some();

        assert!(!suspected(patience.deliveries));
        assert!(suspected(patience.deliveries + 1));
        judge(&attempts, Trouble::Away("the database".to_owned()));
        assert!(!suspected(patience.deliveries + 1), "an outage is an outcome");
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
