//! What is told of an order.

use common::Change;
use contracts::order::{
    AddressChanged, CancelReason, Cancelled, CaptureDue, Completed, Delivered, Expired, Paid,
    PayByExtended, PaymentDue, Placed, RefundDue, RefundReason, Refunded, RestockDue,
    ReturnApproved, ReturnReceived, ReturnRejected, ReturnRequested, Shipped, TrackingCorrected,
};
use contracts::product::Pieces;
use contracts::{Event, Money, PaymentId, RefundId, ReturnId, Timestamp};

use super::{Goods, Label, Order, Parcel, Refund, Return};

pub(super) fn placed(order: &Order) -> Placed {
    Placed {
        order_id: order.id,
        round: order.round,
        lines: pieces(order),
        customer: Some(order.customer),
    }
}

pub(super) fn payment_due(order: &Order, pay_by: Timestamp) -> PaymentDue {
    PaymentDue { order_id: order.id, customer: order.customer, amount: order.sums.total, pay_by }
}

pub(super) fn pay_by_extended(order: &Order, pay_by: Timestamp) -> PayByExtended {
    PayByExtended { order_id: order.id, pay_by }
}

pub(super) fn paid(order: &Order) -> Paid {
    Paid { order_id: order.id, payment_id: PaymentId::of(order.id), lines: pieces(order) }
}

pub(super) fn cancelled(order: &Order, reason: CancelReason) -> Cancelled {
    Cancelled {
        order_id: order.id,
        reason,
        lines: pieces(order),
        lost: order.lost.pieces(),
        customer: Some(order.customer),
    }
}

pub(super) fn expired(order: &Order) -> Expired {
    Expired { order_id: order.id, round: order.round, lines: pieces(order) }
}

pub(super) fn capture_due(order: &Order) -> CaptureDue {
    CaptureDue { order_id: order.id, payment_id: PaymentId::of(order.id) }
}

pub(super) fn shipped(order: &Order, parcel: &Parcel) -> Shipped {
    Shipped {
        order_id: order.id,
        carrier: text(parcel.carrier.as_ref()),
        tracking: text(parcel.tracking.as_ref()),
        parcel: parcel.number,
        lines: parcel.lines.pieces(),
        more_to_come: !order.to_send().is_empty(),
    }
}

pub(super) fn tracking_corrected(order: &Order, parcel: &Parcel) -> TrackingCorrected {
    TrackingCorrected {
        order_id: order.id,
        parcel: parcel.number,
        carrier: text(parcel.carrier.as_ref()),
        tracking: text(parcel.tracking.as_ref()),
    }
}

pub(super) fn delivered(order: &Order) -> Delivered {
    Delivered { order_id: order.id }
}

pub(super) fn refund_due(order: &Order, refund: &Refund) -> RefundDue {
    RefundDue {
        order_id: order.id,
        payment_id: PaymentId::of(order.id),
        amount: refund.amount,
        refund_id: Some(refund.id),
        reason: refund.reason,
    }
}

/// Why, the order knows of what it asked for itself.
pub(super) fn refunded(order: &Order, refund_id: RefundId, amount: Money) -> Refunded {
    let asked = order.payment.refunds.iter().find(|refund| refund.id == refund_id);
    let reason = asked.map_or(RefundReason::Unknown, |refund| refund.reason);
    Refunded { order_id: order.id, refund_id, amount, reason }
}

/// Nothing is told of nothing.
pub(super) fn restock_due(order: &Order, goods: &Goods) -> Option<RestockDue> {
    let lines = goods.pieces();
    (!lines.is_empty()).then_some(RestockDue { order_id: order.id, lines })
}

pub(super) fn return_requested(order: &Order, asked: &Return) -> ReturnRequested {
    ReturnRequested { order_id: order.id, return_id: asked.id, lines: asked.lines.pieces() }
}

pub(super) fn return_approved(order: &Order, return_id: ReturnId) -> ReturnApproved {
    ReturnApproved { order_id: order.id, return_id }
}

pub(super) fn return_rejected(order: &Order, return_id: ReturnId) -> ReturnRejected {
    ReturnRejected { order_id: order.id, return_id }
}

pub(super) fn return_received(order: &Order, return_id: ReturnId, came: &Goods) -> ReturnReceived {
    ReturnReceived { order_id: order.id, return_id, lines: came.pieces() }
}

pub(super) fn address_changed(order: &Order) -> AddressChanged {
    AddressChanged { order_id: order.id }
}

pub(super) fn completed(order: &Order) -> Completed {
    Completed { order_id: order.id }
}

/// The change that tells this as well, if there is something to tell.
pub(super) fn also<E: Event>(change: Change<Order>, event: Option<&E>) -> Change<Order> {
    event.into_iter().fold(change, Change::telling)
}

/// A label as events bear it: empty when there is none.
fn text(label: Option<&Label>) -> String {
    label.cloned().map(String::from).unwrap_or_default()
}

/// What the warehouse needs to know of the lines.
fn pieces(order: &Order) -> Vec<Pieces> {
    let pieces = order.lines.iter();
    pieces.map(|line| Pieces { sku: line.sku.clone(), quantity: line.quantity }).collect()
}
