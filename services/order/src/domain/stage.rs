//! The names of where an order stands, and what may be done there.

use std::fmt;

use contracts::Timestamp;
use contracts::order::CancelReason;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Parcel, Status};

/// Where an order stands, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its goods are asked for.
    Placed,
    /// Its goods are set aside and wait to be paid.
    Reserved,
    /// It is to be sent.
    Paid,
    /// Its goods are on their way.
    Shipped,
    /// Its goods arrived and may still be sent back.
    Delivered,
    /// Nothing more will happen.
    Completed,
    /// It was given up for good.
    Cancelled,
    /// Nobody paid in time.
    Expired,
}

/// What people may do about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Pay it.
    Pay,
    /// Give it up.
    Cancel,
    /// Send its goods; for staff.
    Ship,
    /// Note that its goods arrived; for staff.
    Deliver,
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

    /// How the goods travel, once they were sent.
    pub fn parcel(&self) -> Option<&Parcel> {
        match self {
            Self::Shipped { parcel, .. }
            | Self::Delivered { parcel, .. }
            | Self::Completed { parcel, .. } => Some(parcel),
            Self::Placed | Self::Reserved { .. } | Self::Paid { .. } => None,
            Self::Cancelled { .. } | Self::Expired { .. } => None,
        }
    }
}

impl Stage {
    /// What may be done about an order that stands here.
    pub fn allows(self) -> &'static [Act] {
        match self {
            Self::Placed | Self::Expired => &[Act::Cancel],
            Self::Reserved => &[Act::Pay, Act::Cancel],
            Self::Paid => &[Act::Cancel, Act::Ship],
            Self::Shipped => &[Act::Deliver],
            Self::Delivered | Self::Completed | Self::Cancelled => &[],
        }
    }

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Reserved => "reserved",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Act {
    /// What the order is once it was done.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Pay => "paid",
            Self::Cancel => "cancelled",
            Self::Ship => "shipped",
            Self::Deliver => "delivered",
        }
    }
}
