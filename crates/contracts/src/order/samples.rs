//! A sample of each event of an order.

use super::{
    AddressChanged, CancelReason, Cancelled, CaptureDue, Completed, Delivered, Expired, Paid,
    PayByExtended, PaymentDue, Placed, RefundDue, RefundReason, Refunded, RestockDue,
    ReturnApproved, ReturnReceived, ReturnRejected, ReturnRequested, Shipped, TrackingCorrected,
};
use crate::event::example;

pub(super) fn Placed() -> Placed {
    Placed {
        order_id: example::order(),
        round: 1,
        lines: example::pieces(),
        customer: Some(example::user()),
    }
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
    Paid { order_id: example::order(), payment_id: example::payment(), lines: example::pieces() }
}

pub(super) fn Cancelled() -> Cancelled {
    Cancelled {
        order_id: example::order(),
        reason: CancelReason::Customer,
        lines: example::pieces(),
        lost: example::pieces(),
        customer: Some(example::user()),
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
        parcel: 1,
        lines: example::pieces(),
        more_to_come: false,
    }
}

pub(super) fn TrackingCorrected() -> TrackingCorrected {
    TrackingCorrected {
        order_id: example::order(),
        parcel: 1,
        carrier: "Hermes".into(),
        tracking: "H-123457".into(),
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
        refund_id: Some(example::refund()),
        reason: RefundReason::Cancelled,
    }
}

pub(super) fn Completed() -> Completed {
    Completed { order_id: example::order() }
}
pub(super) fn CaptureDue() -> CaptureDue {
    CaptureDue { order_id: example::order(), payment_id: example::payment() }
}

pub(super) fn Refunded() -> Refunded {
    Refunded {
        order_id: example::order(),
        refund_id: example::refund(),
        amount: example::eur(2500),
        reason: RefundReason::Returned,
    }
}

pub(super) fn RestockDue() -> RestockDue {
    RestockDue { order_id: example::order(), lines: example::pieces() }
}

pub(super) fn ReturnRequested() -> ReturnRequested {
    ReturnRequested {
        order_id: example::order(),
        return_id: example::goods_back(),
        lines: example::pieces(),
    }
}

pub(super) fn ReturnApproved() -> ReturnApproved {
    ReturnApproved { order_id: example::order(), return_id: example::goods_back() }
}

pub(super) fn ReturnRejected() -> ReturnRejected {
    ReturnRejected { order_id: example::order(), return_id: example::goods_back() }
}

pub(super) fn ReturnReceived() -> ReturnReceived {
    ReturnReceived {
        order_id: example::order(),
        return_id: example::goods_back(),
        lines: example::pieces(),
    }
}

pub(super) fn AddressChanged() -> AddressChanged {
    AddressChanged { order_id: example::order() }
}
