//! Money on its way back, as Stripe keeps it.

use serde::Deserialize;

use super::intent::Metadata;
use crate::domain::RefundOutcome;

/// What Stripe calls a refund.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    /// Payments that are not by card may leave it out at first.
    status: Option<Status>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

/// A part of the refunds of one payment, the youngest first.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refunds {
    pub(super) data: Vec<Refund>,
    #[serde(default)]
    pub(super) has_more: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    RequiresAction,
    Succeeded,
    Failed,
    Canceled,
    /// One that a later version has.
    #[serde(other)]
    Unknown,
}

impl Refund {
    pub(super) fn outcome(&self) -> RefundOutcome {
        match self.status {
            Some(Status::Succeeded) => RefundOutcome::Done,
            Some(Status::Failed | Status::Canceled) => RefundOutcome::Refused,
            Some(Status::Pending | Status::RequiresAction | Status::Unknown) | None => {
                RefundOutcome::Processing
            }
        }
    }
}
