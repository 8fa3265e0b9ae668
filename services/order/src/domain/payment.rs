//! The money of an order.

use contracts::{Money, PaymentId};
use serde::{Deserialize, Serialize};

use super::Refusal;

/// Money that was captured for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What captured it.
    pub id: PaymentId,
    /// How much came.
    pub captured: Money,
    /// How much of it is still with the shop.
    pub remaining: Money,
    /// Whether all of it goes back: payment was told so, and is told once.
    pub going_back: bool,
}

impl Payment {
    pub(super) fn captured(id: PaymentId, amount: Money) -> Self {
        Self { id, captured: amount, remaining: amount, going_back: false }
    }

    /// How much went back so far.
    pub fn refunded(&self) -> Money {
        Money::new(self.captured.amount - self.remaining.amount, self.captured.currency)
    }

    /// How much payment has yet to be told to send back, should the order end.
    pub(super) fn due(self) -> Option<Money> {
        (!self.going_back && self.remaining.is_positive()).then_some(self.remaining)
    }

    pub(super) fn going_back(self) -> Self {
        Self { going_back: true, ..self }
    }

    /// So much remains. It never grows: of two refunds the one heard last may be the earlier.
    pub(super) fn with(self, remaining: Money) -> Result<Self, Refusal> {
        let fits = remaining.currency == self.captured.currency && remaining.amount >= 0;
        let least =
            if remaining.amount < self.remaining.amount { remaining } else { self.remaining };
        if fits { Ok(Self { remaining: least, ..self }) } else { Err(Refusal::DoesNotAddUp) }
    }
}
