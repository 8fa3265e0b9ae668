//! What people may do about a payment.

use contracts::{Money, Timestamp};
use serde::Serialize;

use super::payment::MOST_REFUNDS;
use super::{Attempt, AttemptState, Payment};

/// What people may do about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Pay, or try again to.
    Pay,
    /// Do what the provider asks for before the money moves.
    Confirm,
    /// Give money back; for staff.
    Refund,
}

impl Payment {
    /// What may be done about it now.
    pub fn allows(&self, now: Timestamp) -> Vec<Act> {
        let asks = |it: &Attempt| matches!(it.state, AttemptState::ActionRequired { .. });
        let acts = [
            (Act::Pay, self.may_start(now).is_ok()),
            (Act::Confirm, !self.closed && self.attempts.iter().any(asks)),
            (Act::Refund, self.can_go_back().is_some() && self.refunds.len() < MOST_REFUNDS),
        ];
        acts.into_iter().filter_map(|(act, may)| may.then_some(act)).collect()
    }

    /// The most that can go back at once.
    pub fn can_go_back(&self) -> Option<Money> {
        self.refundable().ok().map(|(_, money)| money)
    }
}
