//! Where an order stands.

use contracts::Timestamp;
use contracts::order::CancelReason;
use serde::{Deserialize, Serialize};

use super::Stage;

/// Where an order stands; each arrow is one method of [`Order`](super::Order).
///
/// ```text
/// ─ place ─▶ Placed ─ reserve ─▶ Reserved ─ capture, ──▶ Paid ─ ship the ─▶ Shipped ─ deliver ─▶ Delivered
///              │                    │      authorize      │     last piece            the last      │
///            refuse               expire                  │                           parcel     complete
///              │                    │              refuse_commit,                                   │
///              ▼                    ▼              fail_capture,                                    ▼
///          Cancelled             Expired           refund of all ─▶ Cancelled                   Completed
///
/// cancel       Placed, Reserved, Paid before a parcel left, Expired ─▶ Cancelled
/// late money   Expired ─ capture ─▶ Placed ─ reserve ─▶ Paid
///                                     └───── refuse ──▶ Expired
/// promises     Paid ─ ship ─▶ Paid with a waiting parcel ─ capture ─▶ as if it were shipped now
/// drop         Paid after a parcel left ─ refund of the rest, refuse_commit ─▶ Shipped or Delivered
/// ```
///
/// `Cancelled` and `Completed` are final. `Placed` waits for product and asks again, `Reserved` for
/// money until its time is up, `Paid` for staff or for its money to be collected, `Shipped` for
/// staff, `Delivered` for the days of return to pass and for what is open to be closed; `Expired`
/// waits for nothing, and only late money wakes it. Money of an order that is `Cancelled` or
/// `Expired` goes back, whenever it came. Once a parcel left an order is never cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// Its goods are asked for.
    Placed,
    /// Its goods are set aside.
    Reserved {
        /// Until when it waits for the money.
        pay_by: Timestamp,
        /// Whether somebody who was paying has got more time.
        extended: bool,
    },
    /// It is to be sent.
    Paid {
        /// Since when.
        at: Timestamp,
    },
    /// Its goods are on their way.
    Shipped {
        /// Since when.
        at: Timestamp,
    },
    /// Its goods arrived.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// Its goods are kept: nothing more will happen.
    Completed {
        /// Since when.
        at: Timestamp,
    },
    /// It was given up for good.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
    /// Nobody paid in time.
    Expired {
        /// When that was clear.
        at: Timestamp,
    },
}

impl Status {
    /// Its name.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Placed => Stage::Placed,
            Self::Reserved { .. } => Stage::Reserved,
            Self::Paid { .. } => Stage::Paid,
            Self::Shipped { .. } => Stage::Shipped,
            Self::Delivered { .. } => Stage::Delivered,
            Self::Completed { .. } => Stage::Completed,
            Self::Cancelled { .. } => Stage::Cancelled,
            Self::Expired { .. } => Stage::Expired,
        }
    }

    /// Until when it waits for the money, while it does.
    pub fn pay_by(&self) -> Option<Timestamp> {
        match self {
            Self::Reserved { pay_by, .. } => Some(*pay_by),
            Self::Placed | Self::Paid { .. } => None,
            Self::Shipped { .. } | Self::Delivered { .. } | Self::Completed { .. } => None,
            Self::Cancelled { .. } | Self::Expired { .. } => None,
        }
    }

    /// Why it was given up, if it was.
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        match self {
            Self::Cancelled { reason, .. } => Some(*reason),
            Self::Placed | Self::Reserved { .. } | Self::Paid { .. } => None,
            Self::Shipped { .. } | Self::Delivered { .. } | Self::Completed { .. } => None,
            Self::Expired { .. } => None,
        }
    }
}
