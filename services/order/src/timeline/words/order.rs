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
            // The event may stand before the refunds that it speaks of, and before they fail.
            CancelReason::Refunded => {
                Words::new("The shop cancelled the order and gives your money back")
                    .explains("the shop cancelled the order")
            }
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
        let (parcel, how) = (self.parcel, travels(&self.carrier, &self.tracking));
        Words::new(format!("The tracking of parcel {parcel} was corrected: {how}"))
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
        let words = if self.lines.is_empty() {
            Words::new("Nothing of your return came to the shop")
        } else {
            Words::new(format!("{} came back to the shop", capital(&goods(&self.lines))))
                .explains("the goods came back")
        };
        words.detail("return_id", &self.return_id)
    }
}

impl Worded for AddressChanged {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        // The event does not say whether there was an address before.
        Words::new("The shop has an address for the goods from you")
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

/// How a parcel left, such as ` with Hermes, tracking H-1`; nothing when neither is known.
fn carried(carrier: &str, tracking: &str) -> String {
    match (label(carrier), label(tracking)) {
        (None, None) => String::new(),
        (Some(carrier), None) => format!(" with {carrier}"),
        (None, Some(tracking)) => format!(", tracking {tracking}"),
        (Some(carrier), Some(tracking)) => format!(" with {carrier}, tracking {tracking}"),
    }
}

/// How a parcel travels, as a sentence of its own.
fn travels(carrier: &str, tracking: &str) -> String {
    match (label(carrier), label(tracking)) {
        (None, None) => "it travels without tracking".to_owned(),
        (Some(carrier), None) => format!("it travels with {carrier}, without tracking"),
        (None, Some(tracking)) => format!("its tracking number is {tracking}"),
        (Some(carrier), Some(tracking)) => {
            format!("it travels with {carrier}, tracking {tracking}")
        }
    }
}

/// A label that says something: in events of earlier versions `-` stands for none, too.
fn label(text: &str) -> Option<&str> {
    Some(text).filter(|text| !matches!(*text, "" | "-"))
}

/// Why money goes back.
fn refunded(reason: RefundReason) -> Option<&'static str> {
    match reason {
        RefundReason::Cancelled => Some("the order was cancelled"),
        RefundReason::OutOfStock => Some("the goods were gone"),
        RefundReason::TooLate => Some("the money came too late"),
        RefundReason::Returned => Some("goods came back"),
        RefundReason::Goodwill => Some("the shop gives it back"),
        RefundReason::PaidTwice => Some("the order was paid twice"),
        RefundReason::Unknown => None,
    }
}
