//! How much time the shop gives.

use std::time::Duration;

/// How much time the shop gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// To say whether the goods are there, from when they were asked for.
    pub to_answer: Duration,
    /// To pay, from when the goods are set aside.
    pub to_pay: Duration,
    /// To bring one attempt to pay to its end.
    pub to_finish_paying: Duration,
    /// To send goods back, from when they arrived.
    pub to_return: Duration,
}
