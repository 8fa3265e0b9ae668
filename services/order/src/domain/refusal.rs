//! Why an order stays as it is.

use std::time::Duration;

use contracts::{OrderId, Sku, Timestamp};

use super::{Act, ReturnStage, Stage, Terms};

/// How long after its checkout an order may still be on its way to this service.
const MOMENTS: Duration = Duration::from_mins(1);

/// Why an order stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing was heard of it yet, or it is not theirs who ask.
    #[error("this order is not known")]
    Unknown,
    /// The same of an order that may have been checked out moments ago.
    #[error("this order is not known; one that was just checked out is in a moment")]
    NotYetKnown,
    /// The order has no such return.
    #[error("this return is not known")]
    UnknownReturn,
    /// Only an address where there is none was to be put.
    #[error("this order has an address already")]
    HasAddress,
    /// The order has no such refund.
    #[error("this refund is not known")]
    UnknownRefund,
    /// The order has no such parcel.
    #[error("this parcel is not known")]
    UnknownParcel,
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
    /// Until when it may be paid, while it waits for that.
    pub pay_by: Option<Timestamp>,
    /// Since when its goods may be sent back for a limited time; none while that time does not run.
    pub returns_since: Option<Timestamp>,
}

impl Refusal {
    /// The same, without acts whose time is over although the state does not say so yet.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp, terms: &Terms) -> Self {
        if let Some(standing) = self.standing_mut() {
            let too_late = |act: Act| match act {
                Act::Pay => standing.pay_by.is_some_and(|pay_by| pay_by <= now),
                Act::Return => {
                    standing.returns_since.is_some_and(|at| at.plus(terms.to_return) <= now)
                }
                _ => false,
            };
            let allowed = standing.allowed.iter().copied().filter(|act| !too_late(*act)).collect();
            standing.allowed = allowed;
        }
        self
    }

    fn standing_mut(&mut self) -> Option<&mut Standing> {
        match self {
            Self::Unfit { standing, .. }
            | Self::TooMany { standing, .. }
            | Self::NoParcel { standing, .. }
            | Self::SentAlready { standing, .. }
            | Self::NothingLeft(standing)
            | Self::Crowded { standing, .. } => Some(standing),
            Self::Unknown | Self::NotYetKnown | Self::UnknownReturn | Self::UnknownRefund => None,
            Self::HasAddress | Self::UnknownParcel | Self::UnfitReturn { .. } | Self::NoPieces => {
                None
            }
            Self::NotBought(_) | Self::DoesNotAddUp | Self::NotCaptured => None,
        }
    }

    /// The order is not known. One that was checked out moments ago may become known soon.
    pub fn unknown(order: OrderId, now: Timestamp) -> Self {
        let is_recent = order.drawn_at().is_some_and(|drawn_at| {
            now.since(drawn_at) <= MOMENTS && drawn_at.since(now) <= MOMENTS
        });
        if is_recent { Self::NotYetKnown } else { Self::Unknown }
    }
}
