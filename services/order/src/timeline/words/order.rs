//! What order tells.

use contracts::order::{
    AddressChanged, CancelReason, Cancelled, CaptureDue, Completed, Delivered, Expired, Paid,
    PayByExtended, PaymentDue, Placed, RefundDue, RefundReason, Refunded, RestockDue,
    ReturnApproved, ReturnReceived, ReturnRejected, ReturnRequested, Shipped, TrackingCorrected,
};
use contracts::{OrderId, Timestamp};

use super::{Worded, Words};
use crate::timeline::plain::{capital, goods, time};

impl Worded for Placed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let words = match self.round {
            0 | 1 => {
                let goods = goods(&self.lines);
                Words::new(format!("The warehouse is asked to set {goods} aside")).for_staff()
            }
            _ => Words::new("The shop looks whether the goods are still there"),
        };
        words.once().detail("round", &self.round)
    }
}

impl Worded for PaymentDue {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, at: Timestamp) -> Words {
        if !self.amount.is_positive() {
            return Words::new("Nothing is to be paid").for_staff();
        }
        let (amount, by) = (self.amount, time(self.pay_by, at));
        Words::new(format!("{amount} is to be paid by {by}"))
    }
}

impl Worded for PayByExtended {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, at: Timestamp) -> Words {
        Words::new(format!("There is more time to pay, until {}", time(self.pay_by, at)))
    }
}

impl Worded for Paid {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The shop has your order and will send it").once()
    }
}

impl Worded for Cancelled {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let given_up = Words::new("The order was cancelled");
        let words = match self.reason {
            CancelReason::OutOfStock => given_up.because(Some("the goods were not there")),
            CancelReason::Refunded => given_up.because(Some("all its money went back")),
            CancelReason::NotCollected => {
                given_up.because(Some("its money could not be collected"))
            }
            CancelReason::Customer => {
                Words::new("You cancelled the order").explains("you cancelled the order")
            }
            CancelReason::Staff => {
                Words::new("The shop cancelled the order").explains("the shop cancelled the order")
            }
            CancelReason::Unknown => given_up.explains("the order was cancelled"),
        };
        words.once().code("reason", &self.reason)
    }
}

impl Worded for Expired {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The order expired")
            .because(Some("it was not paid in time"))
            .explains("the time to pay was over")
            .once()
            .detail("round", &self.round)
    }
}

impl Worded for CaptureDue {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The goods are ready to be sent; your bank is asked for the money")
            .detail("payment_id", &self.payment_id)
    }
}

impl Worded for Shipped {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let goods = capital(&goods(&self.lines));
        let how = carried(&self.carrier, &self.tracking);
        let more = if self.more_to_come { "; more is to follow" } else { "" };
        Words::new(format!("{goods} left the warehouse{how}{more}")).detail("parcel", &self.parcel)
    }
}

impl Worded for TrackingCorrected {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let (parcel, how) = (self.parcel, carried(&self.carrier, &self.tracking));
        let how = if how.is_empty() { " without tracking" } else { &how };
        Words::new(format!("The tracking of parcel {parcel} was corrected: it travels{how}"))
            .detail("parcel", &parcel)
    }
}

impl Worded for Delivered {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The goods arrived")
    }
}

impl Worded for RefundDue {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let words = Words::new(format!("{} is to go back to you", self.amount));
        let words = match self.refund_id {
            Some(refund) => words.asks(&refund).detail("refund_id", &refund),
            None => words,
        };
        words.because(refunded(self.reason)).code("reason", &self.reason)
    }
}

/// The shopper hears of it from payment, which knows it first.
impl Worded for Refunded {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new(format!("The order knows that {} went back", self.amount))
            .because(refunded(self.reason))
            .for_staff()
            .detail("refund_id", &self.refund_id)
            .code("reason", &self.reason)
    }
}

impl Worded for RestockDue {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let goods = goods(&self.lines);
        Words::new(format!("The warehouse is asked to put {goods} back on sale")).for_staff()
    }
}

impl Worded for ReturnRequested {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new(format!("You want to send {} back", goods(&self.lines)))
            .detail("return_id", &self.return_id)
    }
}

impl Worded for ReturnApproved {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The shop agrees to your return: send the goods back")
            .detail("return_id", &self.return_id)
    }
}

impl Worded for ReturnRejected {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The shop does not agree to your return").detail("return_id", &self.return_id)
    }
}

impl Worded for ReturnReceived {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new(format!("{} came back to the shop", capital(&goods(&self.lines))))
            .explains("the goods came back")
            .detail("return_id", &self.return_id)
    }
}

impl Worded for AddressChanged {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The address for the goods was changed")
    }
}

impl Worded for Completed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The order is complete")
    }
}

/// How a parcel travels, such as ` with Hermes, tracking H-1`; nothing when neither is known.
fn carried(carrier: &str, tracking: &str) -> String {
    let named = |before: &str, name: &str| match name {
        "" => String::new(),
        name => format!("{before}{name}"),
    };
    format!("{}{}", named(" with ", carrier), named(", tracking ", tracking))
}

/// Why money goes back.
fn refunded(reason: RefundReason) -> Option<&'static str> {
    match reason {
        RefundReason::Cancelled => Some("the order was cancelled"),
        RefundReason::OutOfStock => Some("the goods were gone"),
        RefundReason::TooLate => Some("the money came too late"),
        RefundReason::Returned => Some("goods came back"),
        RefundReason::Goodwill => Some("the shop gives it back for some of the goods"),
        RefundReason::PaidTwice => Some("the order was paid twice"),
        RefundReason::Unknown => None,
    }
}
