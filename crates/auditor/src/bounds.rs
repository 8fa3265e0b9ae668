//! How much time the shop may take.

use std::time::Duration;

/// How much time the shop may take, and whether everything was heard.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Whether nobody did anything for a while: then what one service told, all others have heard.
    pub quiet: bool,
    /// A committed event is told after this, unless the broker is away.
    pub outbox_age: Duration,
    /// A request that moves money has its outcome after this.
    pub started_age: Duration,
    /// An order whose time is up, or a payment of which something is open, is seen to after this.
    pub waiting_age: Duration,
    /// When the shop is not quiet: the time between two looks.
    pub pause: Duration,
    /// How many events are held in memory at once, at about 50 bytes each; a stream with more of
    /// them is read several times.
    pub events_at_once: u64,
}

impl Default for Bounds {
    /// Those of a shop that works.
    fn default() -> Self {
        Self {
            quiet: false,
            outbox_age: Duration::from_mins(1),
            started_age: Duration::from_mins(15),
            waiting_age: Duration::from_mins(15),
            pause: Duration::from_secs(20),
            events_at_once: 4_000_000,
        }
    }
}

impl Bounds {
    /// Those of a shop in which nobody does anything and everything was heard.
    pub fn quiet() -> Self {
        Self { quiet: true, ..Self::default() }
    }
}
