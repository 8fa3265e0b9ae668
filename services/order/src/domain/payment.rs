//! The money of an order.

use std::collections::{BTreeMap, BTreeSet};

use contracts::order::RefundReason;
use contracts::payment::{RefundCause, RefundFailure};
use contracts::{AttemptId, Money, RefundId, Timestamp, TrySum as _};
use serde::{Deserialize, Serialize};

use super::{Refund, RefundState};

/// The money that came for an order or was promised, and what of it went back or is to.
///
/// All is noted by name, so that it does not matter in which order it is heard of, or how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What was promised, by the attempt to pay that brought it.
    #[serde(default)]
    pub promised: BTreeMap<AttemptId, Promise>,
    /// The attempts whose promise ended before it was kept, or is no longer wanted.
    #[serde(default)]
    pub ended: BTreeSet<AttemptId>,
    /// What came, by the attempt to pay that brought it; more than one if somebody paid twice.
    pub captured: BTreeMap<AttemptId, Money>,
    /// What went back.
    pub refunded: BTreeMap<RefundId, Money>,
    /// What did not go back, or came back from the bank: whatever else is heard of it.
    #[serde(default)]
    pub unrefunded: BTreeSet<RefundId>,
    /// What the order asked for to go back.
    #[serde(default)]
    pub refunds: Vec<Refund>,
}

/// Money that was authorised: it is collected when the goods are to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// How much.
    pub amount: Money,
    /// The promise ends then.
    pub capture_by: Timestamp,
}

/// Money that went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// How much it was.
    pub amount: Money,
    /// How much of all that was captured is still with the shop, as payment counts it.
    pub remaining: Money,
    /// What asked for it.
    pub cause: RefundCause,
}

/// Money that was to go back and did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBack {
    /// How much it was.
    pub amount: Money,
    /// Why.
    pub failure: RefundFailure,
    /// What asked for it.
    pub cause: RefundCause,
}

impl Payment {
    /// Whether any money came, whatever became of it.
    pub fn has_come(&self) -> bool {
        !self.captured.is_empty()
    }

    /// Whether money came, or is promised.
    pub fn is_covered(&self) -> bool {
        self.has_come() || self.promise().is_some()
    }

    /// The promise that stands, if no money came yet.
    pub fn promise(&self) -> Option<&Promise> {
        let stands = |by: &AttemptId| !self.has_come() && !self.ended.contains(by);
        self.promised.iter().find(|(by, _)| stands(by)).map(|(_, promise)| promise)
    }

    /// Whether this attempt is known to have ended well or badly.
    pub(super) fn knows(&self, by: AttemptId) -> bool {
        let came = self.captured.contains_key(&by) || self.promised.contains_key(&by);
        came || self.ended.contains(&by)
    }

    /// How much went back; `None` when none did.
    pub fn went_back(&self) -> Option<Money> {
        self.refunded.values().copied().try_sum()
    }

    /// How much is still with the shop; `None` when nothing is.
    pub fn remaining(&self) -> Option<Money> {
        let came = self.captured.values().copied().try_sum()?;
        positive(less(came, self.went_back())?)
    }

    /// How much is still with the shop and not asked for; `None` when nothing is.
    pub fn free(&self) -> Option<Money> {
        let asked = self.refunds.iter().filter(|refund| refund.is_open());
        positive(less(self.remaining()?, asked.map(|refund| refund.amount).try_sum())?)
    }

    pub(super) fn with_promise(mut self, attempt: AttemptId, promise: Promise) -> Self {
        self.promised.insert(attempt, promise);
        self
    }

    pub(super) fn without_promise(mut self, attempt: AttemptId) -> Self {
        self.ended.insert(attempt);
        self
    }

    /// No promise is wanted any longer.
    pub(super) fn letting_go(mut self) -> Self {
        self.ended.extend(self.promised.keys());
        self
    }

    pub(super) fn with_capture(mut self, attempt: AttemptId, amount: Money) -> Self {
        self.captured.insert(attempt, amount);
        self
    }

    pub(super) fn with_refund(mut self, refund: RefundId, amount: Money) -> Self {
        self.refunded.insert(refund, amount);
        self.becoming(refund, RefundState::Refunded)
    }

    /// Whether it is known how a refund ended; one that went back may still come back.
    pub(super) fn knows_end_of(&self, refund: RefundId) -> bool {
        self.refunded.contains_key(&refund) || self.unrefunded.contains(&refund)
    }

    /// Lists a refund that was made on the payment itself. One that the order asked for, or a part of
    /// one, is listed as what the order asked for.
    pub(super) fn listing(
        mut self,
        id: RefundId,
        amount: Money,
        cause: RefundCause,
        now: Timestamp,
    ) -> Self {
        let reason = match cause {
            RefundCause::Staff => RefundReason::Goodwill,
            RefundCause::Surplus => RefundReason::PaidTwice,
            RefundCause::Order | RefundCause::WrongAmount | RefundCause::Unknown => return self,
        };
        if self.refunds.iter().all(|refund| refund.id != id) {
            self.refunds.push(Refund::whole(id, amount, reason, now));
        }
        self
    }

    pub(super) fn with_failed_refund(mut self, refund: RefundId, failure: RefundFailure) -> Self {
        self.refunded.remove(&refund);
        self.unrefunded.insert(refund);
        self.becoming(refund, RefundState::Failed { failure })
    }

    fn becoming(mut self, refund: RefundId, state: RefundState) -> Self {
        if let Some(known) = self.refunds.iter_mut().find(|known| known.id == refund) {
            known.state = state;
        }
        self
    }
}

fn less(money: Money, other: Option<Money>) -> Option<Money> {
    other.map_or(Some(money), |other| money.checked_sub(other))
}

fn positive(money: Money) -> Option<Money> {
    money.is_positive().then_some(money)
}
