//! What order tells: how far each order has come, and what others are to do about it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::events;
use crate::product::Pieces;
use crate::{Money, OrderId, PaymentId, Timestamp, UserId};

/// Why an order was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = order::CancelReason)]
pub enum CancelReason {
    /// The goods were not there.
    OutOfStock,
    /// The shopper did not want it any longer.
    Customer,
    /// Staff gave it up.
    Staff,
    /// The whole payment was given back.
    Refunded,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

/// An order wants its goods set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Placed)]
pub struct Placed {
    /// The order.
    pub order_id: OrderId,
    /// How often it has asked, from 1; it asks again when its money came late.
    pub round: u32,
    /// What it wants.
    pub lines: Vec<Pieces>,
}

/// The goods are set aside: now the money is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::PaymentDue)]
pub struct PaymentDue {
    /// The order.
    pub order_id: OrderId,
    /// Who pays.
    pub customer: UserId,
    /// How much.
    pub amount: Money,
    /// No attempt to pay starts after this.
    pub pay_by: Timestamp,
}

/// Somebody is paying: the order waits a little longer, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::PayByExtended)]
pub struct PayByExtended {
    /// The order.
    pub order_id: OrderId,
    /// No attempt to pay starts after this.
    pub pay_by: Timestamp,
}

/// The order is paid: its goods are sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Paid)]
pub struct Paid {
    /// The order.
    pub order_id: OrderId,
    /// By what.
    pub payment_id: PaymentId,
    /// What was sold.
    pub lines: Vec<Pieces>,
}

/// The order was given up for good; goods go back on sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Cancelled)]
pub struct Cancelled {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: CancelReason,
    /// What it had wanted.
    pub lines: Vec<Pieces>,
}

/// The order was not paid in time; goods go back on sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Expired)]
pub struct Expired {
    /// The order.
    pub order_id: OrderId,
    /// The asking for goods that is given up; a later one stands.
    pub round: u32,
    /// What it had wanted.
    pub lines: Vec<Pieces>,
}

/// The goods left the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Shipped)]
pub struct Shipped {
    /// The order.
    pub order_id: OrderId,
    /// Who carries them.
    pub carrier: String,
    /// Where they can be followed.
    pub tracking: String,
}

/// The goods arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Delivered)]
pub struct Delivered {
    /// The order.
    pub order_id: OrderId,
}

/// Money that was captured is to go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::RefundDue)]
pub struct RefundDue {
    /// The order.
    pub order_id: OrderId,
    /// The payment it was captured by.
    pub payment_id: PaymentId,
    /// How much is to go back.
    pub amount: Money,
}

/// Nothing more will happen to the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Completed)]
pub struct Completed {
    /// The order.
    pub order_id: OrderId,
}

events! { "order":
    Placed = "placed" v 1 Fact of order_id;
    PaymentDue = "payment_due" v 1 Fact of order_id;
    PayByExtended = "pay_by_extended" v 1 Fact of order_id;
    Paid = "paid" v 1 Fact of order_id;
    Cancelled = "cancelled" v 1 Fact of order_id;
    Expired = "expired" v 1 Fact of order_id;
    Shipped = "shipped" v 1 Fact of order_id;
    Delivered = "delivered" v 1 Fact of order_id;
    RefundDue = "refund_due" v 1 Fact of order_id;
    Completed = "completed" v 1 Fact of order_id;
}

#[expect(non_snake_case, reason = "each sample bears the name of its event")]
mod samples {
    use super::{
        CancelReason, Cancelled, Completed, Delivered, Expired, Paid, PayByExtended, PaymentDue,
        Placed, RefundDue, Shipped,
    };
    use crate::event::example;

    pub(super) fn Placed() -> Placed {
        Placed { order_id: example::order(), round: 1, lines: example::pieces() }
    }

    pub(super) fn PaymentDue() -> PaymentDue {
        PaymentDue {
            order_id: example::order(),
            customer: example::user(),
            amount: example::eur(2500),
            pay_by: example::time(900),
        }
    }

    pub(super) fn PayByExtended() -> PayByExtended {
        PayByExtended { order_id: example::order(), pay_by: example::time(1200) }
    }

    pub(super) fn Paid() -> Paid {
        Paid {
            order_id: example::order(),
            payment_id: example::payment(),
            lines: example::pieces(),
        }
    }

    pub(super) fn Cancelled() -> Cancelled {
        Cancelled {
            order_id: example::order(),
            reason: CancelReason::Customer,
            lines: example::pieces(),
        }
    }

    pub(super) fn Expired() -> Expired {
        Expired { order_id: example::order(), round: 1, lines: example::pieces() }
    }

    pub(super) fn Shipped() -> Shipped {
        Shipped {
            order_id: example::order(),
            carrier: "Hermes".into(),
            tracking: "H-123456".into(),
        }
    }

    pub(super) fn Delivered() -> Delivered {
        Delivered { order_id: example::order() }
    }

    pub(super) fn RefundDue() -> RefundDue {
        RefundDue {
            order_id: example::order(),
            payment_id: example::payment(),
            amount: example::eur(2500),
        }
    }

    pub(super) fn Completed() -> Completed {
        Completed { order_id: example::order() }
    }
}
