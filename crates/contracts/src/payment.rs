//! What payment tells: what became of each try to move money.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::events;
use crate::{AttemptId, Money, OrderId, PaymentId, RefundId, Timestamp};

/// Somebody began to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::AttemptStarted)]
pub struct AttemptStarted {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it is for.
    pub order_id: OrderId,
    /// The try.
    pub attempt_id: AttemptId,
}

/// The money is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::Captured)]
pub struct Captured {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it is for.
    pub order_id: OrderId,
    /// The try that succeeded.
    pub attempt_id: AttemptId,
    /// How much.
    pub amount: Money,
    /// When.
    pub captured_at: Timestamp,
}

/// Why a try to pay came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = payment::Failure)]
pub enum Failure {
    /// The card's bank said no.
    Declined,
    /// There was not enough money.
    InsufficientFunds,
    /// The shopper did not confirm it.
    NotAuthenticated,
    /// The provider does not know the method.
    UnknownMethod,
    /// The provider never got it.
    NeverArrived,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A try to pay came to nothing; another may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::Failed)]
pub struct Failed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it is for.
    pub order_id: OrderId,
    /// The try.
    pub attempt_id: AttemptId,
    /// Why.
    pub failure: Failure,
}

/// The shopper has to do something before the money moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::ActionRequired)]
pub struct ActionRequired {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it is for.
    pub order_id: OrderId,
    /// The try.
    pub attempt_id: AttemptId,
}

/// Money went back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::Refunded)]
pub struct Refunded {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it was for.
    pub order_id: OrderId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much this time.
    pub amount: Money,
    /// How much of the capture is still with the shop.
    pub remaining: Money,
}

events! { "payment":
    AttemptStarted = "attempt_started" v 1 Fact of payment_id;
    Captured = "captured" v 1 Fact of payment_id;
    Failed = "failed" v 1 Fact of payment_id;
    ActionRequired = "action_required" v 1 Fact of payment_id;
    Refunded = "refunded" v 1 Fact of payment_id;
}

#[expect(non_snake_case, reason = "each sample bears the name of its event")]
mod samples {
    use super::{ActionRequired, AttemptStarted, Captured, Failed, Failure, Refunded};
    use crate::event::example;

    pub(super) fn AttemptStarted() -> AttemptStarted {
        AttemptStarted {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
        }
    }

    pub(super) fn Captured() -> Captured {
        Captured {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
            amount: example::eur(2500),
            captured_at: example::time(60),
        }
    }

    pub(super) fn Failed() -> Failed {
        Failed {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
            failure: Failure::Declined,
        }
    }

    pub(super) fn ActionRequired() -> ActionRequired {
        ActionRequired {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
        }
    }

    pub(super) fn Refunded() -> Refunded {
        Refunded {
            payment_id: example::payment(),
            order_id: example::order(),
            refund_id: example::refund(),
            amount: example::eur(2500),
            remaining: example::eur(0),
        }
    }
}
