//! What people may do about an order.

use serde::Serialize;
use utoipa::ToSchema;

use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Order, Outcome, Refusal, Standing};

/// What people may do about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Pay it.
    Pay,
    /// Give it up.
    Cancel,
    /// Send its goods, or some of them; for staff.
    Ship,
    /// Note that its goods arrived; for staff.
    Deliver,
    /// Give money back for some of its goods; for staff.
    Refund,
    /// Send goods back.
    Return,
    /// Have its goods sent somewhere else.
    ChangeAddress,
    /// Agree to a return; for staff.
    Approve,
    /// Not agree to a return; for staff.
    Reject,
    /// Note that the goods of a return came; for staff.
    Receive,
}

impl Act {
    /// Those about the order itself; the others are about one return.
    const ORDERS: [Self; 7] = [
        Self::Pay,
        Self::Cancel,
        Self::Ship,
        Self::Deliver,
        Self::Refund,
        Self::Return,
        Self::ChangeAddress,
    ];

    /// That it cannot be done.
    pub(super) fn cannot(self) -> &'static str {
        match self {
            Self::Pay => "cannot be paid",
            Self::Cancel => "cannot be cancelled",
            Self::Ship => "cannot be shipped",
            Self::Deliver => "cannot be delivered",
            Self::Refund => "cannot be refunded",
            Self::Return => "cannot be returned",
            Self::ChangeAddress => "cannot be readdressed",
            Self::Approve => "cannot be approved",
            Self::Reject => "cannot be rejected",
            Self::Receive => "cannot be received",
        }
    }

    /// What pieces there are for it.
    pub(super) fn left(self) -> &'static str {
        match self {
            Self::Ship => "are left to be sent",
            Self::Refund => "are left to be refunded",
            Self::Return => "can be returned",
            Self::Receive => "were to come back",
            Self::Pay | Self::Cancel | Self::Deliver => "are left",
            Self::ChangeAddress | Self::Approve | Self::Reject => "are left",
        }
    }
}

impl Order {
    /// Where it stands, and what may be done there.
    pub fn standing(&self) -> Standing {
        let allowed = Act::ORDERS.into_iter().filter(|act| self.may(*act)).collect();
        Standing { stage: self.status.stage(), allowed }
    }

    /// Whether this may be done about it. What is about one return, that return says.
    pub fn may(&self, act: Act) -> bool {
        match act {
            Act::Pay => matches!(self.status, Reserved { .. }),
            Act::Cancel => match self.status {
                Placed | Reserved { .. } | Expired { .. } => true,
                Paid { .. } => self.parcels.is_empty(),
                Shipped { .. } | Delivered { .. } | Completed { .. } | Cancelled { .. } => false,
            },
            Act::Ship => matches!(self.status, Paid { .. }) && self.waiting.is_none(),
            Act::Deliver => {
                matches!(self.status, Paid { .. } | Shipped { .. }) && self.is_on_its_way()
            }
            Act::Refund => match self.status {
                Placed | Reserved { .. } => false,
                Paid { .. } | Shipped { .. } | Delivered { .. } => self.payment.free().is_some(),
                Completed { .. } | Cancelled { .. } | Expired { .. } => {
                    self.payment.free().is_some()
                }
            },
            Act::Return => match self.status {
                Paid { .. } | Shipped { .. } | Delivered { .. } => !self.returnable().is_empty(),
                Placed | Reserved { .. } | Completed { .. } => false,
                Cancelled { .. } | Expired { .. } => false,
            },
            Act::ChangeAddress => match self.status {
                Placed | Reserved { .. } => true,
                Paid { .. } => self.parcels.is_empty() && self.waiting.is_none(),
                Shipped { .. } | Delivered { .. } | Completed { .. } => false,
                Cancelled { .. } | Expired { .. } => false,
            },
            Act::Approve | Act::Reject | Act::Receive => false,
        }
    }

    /// What was asked for cannot be done, and this can.
    pub(super) fn unfit(&self, act: Act) -> Outcome {
        Err(Refusal::Unfit { act, standing: self.standing_without(act) })
    }

    /// The same where the time for it has passed, which no state says.
    fn standing_without(&self, act: Act) -> Standing {
        let Standing { stage, mut allowed } = self.standing();
        allowed.retain(|allowed| *allowed != act);
        Standing { stage, allowed }
    }
}
