//! Why an order stays as it is.

use super::{Act, Stage};

/// Why an order stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing was heard of it yet, or it is not theirs who ask.
    #[error("this order is not known")]
    Unknown,
    /// It is too late for that, or too early.
    #[error("the order is {stage} and cannot be {}", act.done())]
    Unfit {
        /// What was to be done.
        act: Act,
        /// Where the order stands.
        stage: Stage,
    },
    /// Sums of money that were told contradict each other.
    #[error("the money does not add up")]
    DoesNotAddUp,
    /// Money went back that is not known to have come.
    #[error("the capture of this money is not known yet")]
    NotCaptured,
}
