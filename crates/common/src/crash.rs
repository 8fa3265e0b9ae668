//! Where a process can be told to die, as by `kill -9`: so tests see that whatever was begun there
//! is brought to its end, once.
//!
//! A debug build dies where `SOUK_CRASH_AT` says; release builds have no such points.

use std::str::FromStr;

use crate::config::Unusable;

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A moment between two steps, where nothing may be lost and nothing be done twice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Point {
            /// All of them, in the order in which a change travels.
            pub const ALL: &[Self] = &[$(Self::$point,)+];

            /// As a process is told.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

points! {
    /// A group is decided, and nothing of it is written.
    BeforeCommit = "before_commit",
    /// A transaction holds everything, and is not committed.
    Uncommitted = "uncommitted",
    /// A group is committed, and the relay does not know of its events.
    AfterCommit = "after_commit",
    /// A group is committed, and nobody was answered.
    BeforeAnswer = "before_answer",
    /// An event is about to be told.
    BeforePublish = "before_publish",
    /// The stream has an event, and nobody here took note.
    AfterPublish = "after_publish",
    /// Events were told, and are not marked so.
    BeforeTold = "before_told",
    /// Events are marked as told.
    AfterTold = "after_told",
    /// What somebody left untold was found, and not told.
    Swept = "swept",
    /// An event came, and its handler has not begun.
    BeforeHandler = "before_handler",
    /// A handler did its work, and nobody has judged it.
    AfterHandler = "after_handler",
    /// An event is done with, and the server does not know.
    BeforeAck = "before_ack",
    /// The server knows that an event is done with.
    AfterAck = "after_ack",
    /// An event is to come again, and the server does not know.
    BeforeNak = "before_nak",
    /// An event is given up, and no dead letter tells of it.
    BeforeDeadLetter = "before_dead_letter",
    /// The dead letter is stored, and the server would give the event again.
    DeadLetter = "dead_letter",
    /// A replica heard what every replica hears.
    Broadcast = "broadcast",
    /// The turn to do a chore is taken, and the chore has not begun.
    TurnTaken = "turn_taken",
    /// A chore is done, and its turn is not over.
    RoundDone = "round_done",
    /// Streams and consumers are declared, and that is not remembered.
    Declared = "declared",
    /// Facts are to be told again, and are not yet.
    FactsRetold = "facts_retold",
    /// A state is to be told again, and is not yet.
    StateRetold = "state_retold",
    /// Money to be taken is noted, and the provider was not asked.
    BeforeCharge = "before_charge",
    /// The provider said what came of a charge, and that is not noted.
    AfterCharge = "after_charge",
    /// Promised money is to be collected, and the provider was not asked.
    BeforeCapture = "before_capture",
    /// The provider said what came of a capture, and that is not noted.
    AfterCapture = "after_capture",
    /// A charge is to be called off, and the provider was not asked.
    BeforeCallOff = "before_call_off",
    /// The provider called a charge off, and that is not noted.
    AfterCallOff = "after_call_off",
    /// Money is to go back, and the provider was not asked.
    BeforeRefund = "before_refund",
    /// The provider said what came of a refund, and that is not noted.
    AfterRefund = "after_refund",
    /// The provider said what became of something that was found open, and nothing was done on it.
    LookedUp = "looked_up",
    /// What came of a movement of money is noted, and whoever waits for that does not know.
    OutcomeNoted = "outcome_noted",
    /// What is open is to be asked about, and that was not done.
    BeforePursuit = "before_pursuit",
    /// A provider said something by itself, and that is not kept.
    NoticeRead = "notice_read",
    /// What a provider said is kept, and the provider does not know.
    NoticeKept = "notice_kept",
    /// What a provider said earlier is to be applied now, and is not yet.
    BeforeNoticeAgain = "before_notice_again",
}

impl FromStr for Point {
    type Err = Unusable;

    fn from_str(name: &str) -> Result<Self, Unusable> {
        Self::ALL.iter().find(|point| point.name() == name).copied().ok_or(Unusable::CrashAt)
    }
}

/// Where a process is to die: `after_commit:2` is the second commit after it became ready.
/// `nowhere` only counts how often each point is passed, in `souk_crash_points_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashAt(Option<(Point, u64)>);

impl FromStr for CrashAt {
    type Err = Unusable;

    fn from_str(text: &str) -> Result<Self, Unusable> {
        if text == "nowhere" {
            return Ok(Self(None));
        }
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let nth = nth.parse().ok().filter(|nth| *nth > 0).ok_or(Unusable::CrashAt)?;
        Ok(Self(Some((name.parse()?, nth))))
    }
}

/// Passes a point, unless it is where the process is to die.
#[cfg(not(debug_assertions))]
pub const fn point(_: Point) {}

#[cfg(debug_assertions)]
pub use armed::point;

#[cfg(debug_assertions)]
pub(crate) use armed::arm;

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{CrashAt, Point};

    static ARMED: OnceLock<CrashAt> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    /// From now on the process dies there.
    pub(crate) fn arm(at: Option<CrashAt>) {
        if let Some(at) = at {
            // A process is armed once.
            let _ = ARMED.set(at);
        }
    }

    /// Passes a point, unless it is where the process is to die.
    pub fn point(point: Point) {
        let Some(CrashAt(at)) = ARMED.get() else { return };
        metrics::counter!("souk_crash_points_total", "point" => point.name()).increment(1);
        if let Some((_, nth)) = at.filter(|(deadly, _)| *deadly == point)
            && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == nth
        {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_told_by_its_name_and_how_often_it_is_passed() {
        assert_eq!("after_commit".parse(), Ok(CrashAt(Some((Point::AfterCommit, 1)))));
        assert_eq!("turn_taken:12".parse(), Ok(CrashAt(Some((Point::TurnTaken, 12)))));
        assert_eq!("nowhere".parse(), Ok(CrashAt(None)));
        for wrong in ["", "after_lunch", "after_commit:", "after_commit:0", ":1"] {
            assert_eq!(wrong.parse::<CrashAt>(), Err(Unusable::CrashAt), "{wrong}");
        }
    }

    #[test]
    fn each_point_has_a_name_of_its_own() {
        for point in Point::ALL {
            assert_eq!(point.name().parse(), Ok(*point));
        }
    }
}
