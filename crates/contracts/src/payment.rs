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

/// The money is promised: it is collected when the order is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::Authorized)]
pub struct Authorized {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it is for.
    pub order_id: OrderId,
    /// The try that succeeded.
    pub attempt_id: AttemptId,
    /// How much.
    pub amount: Money,
    /// The promise ends then.
    pub capture_by: Timestamp,
}

/// Money that was promised did not come, and will not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::CaptureFailed)]
pub struct CaptureFailed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it is for.
    pub order_id: OrderId,
    /// The try that had succeeded.
    pub attempt_id: AttemptId,
    /// Why.
    pub failure: Failure,
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
    /// The card is no longer valid.
    ExpiredCard,
    /// The card's check digits are wrong.
    IncorrectCvc,
    /// The bank or the provider could not process it; trying again may help.
    ProcessingError,
    /// The card was reported lost or stolen.
    LostOrStolen,
    /// The card does not allow this kind or amount of payment.
    NotPermitted,
    /// The bank or the provider suspects fraud.
    Suspicious,
    /// Another amount came than was asked for; it goes back.
    WrongAmount,
    /// The promise of the money ran out, or was withdrawn, before it was collected.
    AuthorizationEnded,
    /// It was given up: nobody confirmed it in time, or the order was given up.
    CalledOff,
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
    /// What asked for it.
    #[serde(default)]
    pub cause: RefundCause,
}

/// What asked for a refund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = payment::RefundCause)]
pub enum RefundCause {
    /// The order, by `refund_due`; the refund may be a part of what it asked for.
    Order,
    /// A member of staff, on the payment itself.
    Staff,
    /// A second capture of the same order.
    Surplus,
    /// A capture of another amount than was due.
    WrongAmount,
    /// A cause that this version does not know, or that was not named.
    #[default]
    #[serde(other)]
    Unknown,
}

/// Why money does not go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = payment::RefundFailure)]
pub enum RefundFailure {
    /// Nothing of what was captured is left.
    NothingLeft,
    /// The provider does not do it, such as to a closed account.
    Refused,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Money that was to go back does not, until a person sees to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::RefundFailed)]
pub struct RefundFailed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it was for.
    pub order_id: OrderId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much it was to be.
    pub amount: Money,
    /// Why.
    pub failure: RefundFailure,
    /// What asked for it.
    #[serde(default)]
    pub cause: RefundCause,
}

/// The shopper's bank takes money back until it is clear whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::Disputed)]
pub struct Disputed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it was for.
    pub order_id: OrderId,
    /// The try whose money is disputed.
    pub attempt_id: AttemptId,
    /// How much is disputed.
    pub amount: Money,
}

/// A dispute is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = payment::DisputeClosed)]
pub struct DisputeClosed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order it was for.
    pub order_id: OrderId,
    /// The try whose money was disputed.
    pub attempt_id: AttemptId,
    /// How much was disputed.
    pub amount: Money,
    /// Whether the shop has the money again.
    pub won: bool,
}

events! { "payment":
    AttemptStarted = "attempt_started" v 1 Fact of payment_id;
    Captured = "captured" v 1 Fact of payment_id;
    Failed = "failed" v 1 Fact of payment_id;
    ActionRequired = "action_required" v 1 Fact of payment_id;
    Refunded = "refunded" v 1 Fact of payment_id;
    Authorized = "authorized" v 1 Fact of payment_id;
    CaptureFailed = "capture_failed" v 1 Fact of payment_id;
    RefundFailed = "refund_failed" v 1 Fact of payment_id;
    Disputed = "disputed" v 1 Fact of payment_id;
    DisputeClosed = "dispute_closed" v 1 Fact of payment_id;
}

#[expect(non_snake_case, reason = "each sample bears the name of its event")]
mod samples {
    use super::{
        ActionRequired, AttemptStarted, Authorized, CaptureFailed, Captured, DisputeClosed,
        Disputed, Failed, Failure, RefundCause, RefundFailed, RefundFailure, Refunded,
    };
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
            cause: RefundCause::Order,
        }
    }
    pub(super) fn Authorized() -> Authorized {
        Authorized {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
            amount: example::eur(2500),
            capture_by: example::time(604_800),
        }
    }

    pub(super) fn CaptureFailed() -> CaptureFailed {
        CaptureFailed {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
            failure: Failure::AuthorizationEnded,
        }
    }

    pub(super) fn RefundFailed() -> RefundFailed {
        RefundFailed {
            payment_id: example::payment(),
            order_id: example::order(),
            refund_id: example::refund(),
            amount: example::eur(2500),
            failure: RefundFailure::Refused,
            cause: RefundCause::Order,
        }
    }

    pub(super) fn Disputed() -> Disputed {
        Disputed {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
            amount: example::eur(2500),
        }
    }

    pub(super) fn DisputeClosed() -> DisputeClosed {
        DisputeClosed {
            payment_id: example::payment(),
            order_id: example::order(),
            attempt_id: example::attempt(),
            amount: example::eur(2500),
            won: false,
        }
    }
}
