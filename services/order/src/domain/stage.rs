//! The names of where an order stands, and what may be done there.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

impl Stage {
    /// Whether an order that stands here may still come to stand there without late money, which
    /// alone wakes one that is expired.
    pub fn leads_to(self, later: Self) -> bool {
        match self {
            Self::Placed => later != Self::Placed,
            Self::Reserved => !matches!(later, Self::Placed | Self::Reserved),
            Self::Paid => {
                matches!(later, Self::Shipped | Self::Delivered | Self::Completed | Self::Cancelled)
            }
            Self::Shipped => matches!(later, Self::Delivered | Self::Completed),
            Self::Delivered => later == Self::Completed,
            Self::Completed | Self::Cancelled | Self::Expired => false,
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
