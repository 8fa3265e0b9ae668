//! Why an order stays as it is.

use contracts::Sku;

use super::{Act, ReturnStage, Stage};

/// Why an order stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing was heard of it yet, or it is not theirs who ask.
    #[error("this order is not known")]
    Unknown,
    /// The order has no such return.
    #[error("this return is not known")]
    UnknownReturn,
    /// Only an address where there is none was to be put.
    #[error("this order has an address already")]
    HasAddress,
    /// It is too late for that, or too early.
    #[error("the order is {} and {}", standing.stage, act.cannot())]
    Unfit {
        /// What was to be done.
        act: Act,
        /// What may be done instead.
        standing: Standing,
    },
    /// The return has come too far for that, or not far enough.
    #[error("the return is {} and {}", stage.as_str(), act.cannot())]
    UnfitReturn {
        /// What was to be done.
        act: Act,
        /// Where the return stands.
        stage: ReturnStage,
        /// Where the order stands.
        order: Stage,
    },
    /// More pieces are named than there are for this.
    #[error("of {sku} only {left} {}", act.left())]
    TooMany {
        /// What was to be done.
        act: Act,
        /// Of what.
        sku: Sku,
        /// How many pieces there are for it.
        left: u32,
        /// What may be done.
        standing: Standing,
    },
    /// No such parcel was sent.
    #[error("this order has no parcel {number}")]
    NoParcel {
        /// Which was meant.
        number: u32,
        /// What may be done.
        standing: Standing,
    },
    /// Just this parcel was sent, and what is left would fill another like it.
    #[error(
        "parcel {number} is just this: it is sent already; another one needs a number of its own"
    )]
    SentAlready {
        /// Which it is.
        number: u32,
        /// What may be done.
        standing: Standing,
    },
    /// No piece is named.
    #[error("at least one piece is to be named")]
    NoPieces,
    /// It was not bought in this order.
    #[error("{0} is not in this order")]
    NotBought(Sku),
    /// All of the money went back, or is to.
    #[error("nothing is left to give back")]
    NothingLeft(Standing),
    /// It was done so often that the order holds no more of it.
    #[error("an order {} that often", act.cannot())]
    Crowded {
        /// What was to be done.
        act: Act,
        /// What may be done instead.
        standing: Standing,
    },
    /// Sums of money that were told contradict each other.
    #[error("the money does not add up")]
    DoesNotAddUp,
    /// Money went back that is not known to have come.
    #[error("the capture of this money is not known yet")]
    NotCaptured,
}

/// Where an order stands, and what may be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub stage: Stage,
    /// What may be done.
    pub allowed: Vec<Act>,
}
