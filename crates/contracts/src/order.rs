//! What order tells: how far each order has come, and what others are to do about it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::events;
use crate::product::Pieces;
use crate::{Money, OrderId, PaymentId, RefundId, ReturnId, Timestamp, UserId};

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
    /// Its money was promised, but could not be collected when the goods were to be sent.
    NotCollected,
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
    /// Who buys; absent when told by a version that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<UserId>,
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
    /// What of it is not for sale again although it was never sent, such as what broke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Pieces>,
    /// Who bought; absent in events of a version that did not name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<UserId>,
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

/// The money that was authorised for the order is to be collected: its goods are ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::CaptureDue)]
pub struct CaptureDue {
    /// The order.
    pub order_id: OrderId,
    /// The payment that holds the authorisation.
    pub payment_id: PaymentId,
}

/// A parcel left the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Shipped)]
pub struct Shipped {
    /// The order.
    pub order_id: OrderId,
    /// Who carries them; empty when no carrier is named, such as for a letter or a collection.
    pub carrier: String,
    /// Where they can be followed; empty when they cannot.
    pub tracking: String,
    /// Which parcel of the order this is, from 1.
    #[serde(default = "first")]
    pub parcel: u32,
    /// What is in it; empty when told by a version that sent everything at once.
    #[serde(default)]
    pub lines: Vec<Pieces>,
    /// Whether more parcels are to follow.
    #[serde(default)]
    pub more_to_come: bool,
}

/// Carrier or tracking number of a parcel that left were corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::TrackingCorrected)]
pub struct TrackingCorrected {
    /// The order.
    pub order_id: OrderId,
    /// Which parcel of the order, from 1.
    pub parcel: u32,
    /// Who carries it; empty when no carrier is named.
    #[serde(default)]
    pub carrier: String,
    /// Where it can be followed; empty when it cannot.
    #[serde(default)]
    pub tracking: String,
}

/// Before there were several parcels there was one.
fn first() -> u32 {
    1
}

/// The goods arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Delivered)]
pub struct Delivered {
    /// The order.
    pub order_id: OrderId,
}

/// Why money goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = order::RefundReason)]
pub enum RefundReason {
    /// The order was given up before its goods were sent.
    Cancelled,
    /// The goods were gone.
    OutOfStock,
    /// The money came after the order had expired, or after it was given up.
    TooLate,
    /// Goods came back.
    Returned,
    /// Staff gave it for some of the goods.
    Goodwill,
    /// The order was paid twice.
    PaidTwice,
    /// A reason that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
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
    /// Names the refund, so that order knows it again when it is told; when absent, payment
    /// names it by the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
    /// Why.
    #[serde(default)]
    pub reason: RefundReason,
}

/// Money of the order went back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::Refunded)]
pub struct Refunded {
    /// The order.
    pub order_id: OrderId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much this time.
    pub amount: Money,
    /// Why.
    #[serde(default)]
    pub reason: RefundReason,
}

/// Pieces that were sold are for sale again: they came back whole, or were never sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::RestockDue)]
pub struct RestockDue {
    /// The order they were sold to.
    pub order_id: OrderId,
    /// What is for sale again.
    pub lines: Vec<Pieces>,
}

/// The shopper wants to send goods back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::ReturnRequested)]
pub struct ReturnRequested {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What is to come back.
    pub lines: Vec<Pieces>,
}

/// Staff agreed to a return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::ReturnApproved)]
pub struct ReturnApproved {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
}

/// Staff did not agree to a return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::ReturnRejected)]
pub struct ReturnRejected {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
}

/// The goods of a return arrived; a refund follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::ReturnReceived)]
pub struct ReturnReceived {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What came.
    pub lines: Vec<Pieces>,
}

/// The order goes somewhere else; where to is nobody else's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = order::AddressChanged)]
pub struct AddressChanged {
    /// The order.
    pub order_id: OrderId,
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
    TrackingCorrected = "tracking_corrected" v 1 Fact of order_id;
    Delivered = "delivered" v 1 Fact of order_id;
    RefundDue = "refund_due" v 1 Fact of order_id;
    Completed = "completed" v 1 Fact of order_id;
    CaptureDue = "capture_due" v 1 Fact of order_id;
    Refunded = "refunded" v 1 Fact of order_id;
    RestockDue = "restock_due" v 1 Fact of order_id;
    ReturnRequested = "return_requested" v 1 Fact of order_id;
    ReturnApproved = "return_approved" v 1 Fact of order_id;
    ReturnRejected = "return_rejected" v 1 Fact of order_id;
    ReturnReceived = "return_received" v 1 Fact of order_id;
    AddressChanged = "address_changed" v 1 Fact of order_id;
}

#[expect(non_snake_case, reason = "each sample bears the name of its event")]
mod samples;
