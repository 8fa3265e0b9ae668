//! What is told of an order.

use contracts::order::{
    CancelReason, Cancelled, Completed, Delivered, Expired, Paid, PayByExtended, PaymentDue,
    Placed, RefundDue, RefundReason, Shipped,
};
use contracts::product::Pieces;
use contracts::{Money, PaymentId, Timestamp};

use super::{Order, Parcel};

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
    Cancelled { order_id: order.id, reason, lines: pieces(order) }
}

pub(super) fn expired(order: &Order) -> Expired {
    Expired { order_id: order.id, round: order.round, lines: pieces(order) }
}

pub(super) fn shipped(order: &Order, parcel: &Parcel) -> Shipped {
    Shipped {
        order_id: order.id,
        carrier: parcel.carrier.clone().into(),
        tracking: parcel.tracking.clone().into(),
        parcel: 1,
        lines: pieces(order),
        more_to_come: false,
    }
}

pub(super) fn delivered(order: &Order) -> Delivered {
    Delivered { order_id: order.id }
}

pub(super) fn refund_due(order: &Order, amount: Money) -> RefundDue {
    RefundDue {
        order_id: order.id,
        payment_id: PaymentId::of(order.id),
        amount,
        refund_id: None,
        reason: RefundReason::Unknown,
    }
}

pub(super) fn completed(order: &Order) -> Completed {
    Completed { order_id: order.id }
}

/// What the warehouse needs to know of the lines.
fn pieces(order: &Order) -> Vec<Pieces> {
    let pieces = order.lines.iter();
    pieces.map(|line| Pieces { sku: line.sku.clone(), quantity: line.quantity }).collect()
}
