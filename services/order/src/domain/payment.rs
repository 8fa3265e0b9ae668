//! The money of an order.

use std::collections::BTreeMap;

use contracts::{AttemptId, Money, RefundId, TrySum as _};
use serde::{Deserialize, Serialize};

/// The money that came for an order, and what of it went back.
///
/// Both are noted by name, so that it does not matter in which order they are heard of, or how
/// often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What came, by the attempt to pay that brought it; more than one if somebody paid twice.
    pub captured: BTreeMap<AttemptId, Money>,
    /// What went back.
    pub refunded: BTreeMap<RefundId, Money>,
}

/// Money that went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// How much it was.
    pub amount: Money,
    /// How much of all that was captured is still with the shop, as payment counts it.
    pub remaining: Money,
}

impl Payment {
    /// Whether any money came, whatever became of it.
    pub fn has_come(&self) -> bool {
        !self.captured.is_empty()
    }

    /// How much went back; `None` when none did.
    pub fn went_back(&self) -> Option<Money> {
        self.refunded.values().copied().try_sum()
    }

    /// How much is still with the shop; `None` when nothing is.
    pub fn remaining(&self) -> Option<Money> {
        let came = self.captured.values().copied().try_sum()?;
        let remaining = match self.went_back() {
            Some(back) => came.checked_sub(back)?,
            None => came,
        };
        remaining.is_positive().then_some(remaining)
    }

    pub(super) fn with_capture(mut self, attempt: AttemptId, amount: Money) -> Self {
        self.captured.insert(attempt, amount);
        self
    }

    pub(super) fn with_refund(mut self, refund: RefundId, amount: Money) -> Self {
        self.refunded.insert(refund, amount);
        self
    }
}
