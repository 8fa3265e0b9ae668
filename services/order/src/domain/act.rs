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
    /// Correct carrier or tracking number of a parcel; for staff.
    CorrectTracking,
}

impl Act {
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
            Self::CorrectTracking => "cannot be tracked otherwise",
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
            Self::ChangeAddress | Self::Approve | Self::Reject | Self::CorrectTracking => {
                "are left"
            }
        }
    }
}

impl Order {
    /// Where it stands, and what may be done there.
    pub fn standing(&self) -> Standing {
        let returns_since = match self.status {
            Delivered { at } => Some(at),
            Placed | Reserved { .. } | Paid { .. } | Shipped { .. } => None,
            Completed { .. } | Cancelled { .. } | Expired { .. } => None,
        };
        let pay_by = self.status.pay_by();
        Standing { stage: self.status.stage(), allowed: self.allows(), pay_by, returns_since }
    }

    /// Whether this may be done about it. What is about one return, that return says.
    pub fn may(&self, act: Act) -> bool {
        self.allows().contains(&act)
    }

    /// What was asked for cannot be done, and this can.
    pub(super) fn unfit(&self, act: Act) -> Outcome {
        let mut standing = self.standing();
        // That the time for it has passed no state says.
        standing.allowed.retain(|allowed| *allowed != act);
        Err(Refusal::Unfit { act, standing })
    }

    fn allows(&self) -> Vec<Act> {
        let (none_left, none_waits) = (self.parcels.is_empty(), self.waiting.is_none());
        let refund = (Act::Refund, self.can_refund());
        let back = (Act::Return, self.may_return_more() && !self.returnable().is_empty());
        let retrack = (Act::CorrectTracking, !none_left || !none_waits);
        let readdress = (Act::ChangeAddress, none_left && none_waits);
        let acts = match self.status {
            Placed => vec![(Act::Cancel, true), readdress],
            Reserved { .. } => vec![(Act::Pay, true), (Act::Cancel, true), readdress],
            Paid { .. } => vec![
                (Act::Cancel, none_left),
                (Act::Ship, none_waits),
                (Act::Deliver, self.is_on_its_way()),
                refund,
                back,
                readdress,
                retrack,
            ],
            Shipped { .. } => vec![(Act::Deliver, true), refund, back, retrack],
            Delivered { .. } => vec![refund, back, retrack],
            Completed { .. } => vec![refund, retrack],
            Cancelled { .. } => vec![refund],
            Expired { .. } => vec![(Act::Cancel, true), refund],
        };
        acts.into_iter().filter_map(|(act, may)| may.then_some(act)).collect()
    }
}
