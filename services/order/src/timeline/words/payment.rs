//! What payment tells.

use contracts::payment::{
    ActionRequired, AttemptStarted, Authorized, CaptureFailed, Captured, DisputeClosed, Disputed,
    Failed, Failure, RefundFailed, RefundFailure, Refunded,
};
use contracts::{OrderId, Timestamp};

use super::{Worded, Words};
use crate::timeline::plain::time;

impl Worded for AttemptStarted {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("A payment was begun").detail("attempt_id", &self.attempt_id)
    }
}

impl Worded for ActionRequired {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("Your bank wants you to confirm the payment")
            .detail("attempt_id", &self.attempt_id)
    }
}

impl Worded for Failed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new(failed(self.failure))
            .detail("attempt_id", &self.attempt_id)
            .code("failure", &self.failure)
    }
}

impl Worded for Authorized {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, at: Timestamp) -> Words {
        let amount = self.amount;
        Words::new(format!("Your bank holds {amount} for the order until it is sent"))
            .detail("attempt_id", &self.attempt_id)
            .detail("capture_by", &time(self.capture_by, at))
    }
}

impl Worded for Captured {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new(format!("You paid {}", self.amount))
            .detail("attempt_id", &self.attempt_id)
            .detail("payment_id", &self.payment_id)
    }
}

impl Worded for CaptureFailed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The money that your bank held for the order could not be collected")
            .explains("the money could not be collected")
            .detail("attempt_id", &self.attempt_id)
            .code("failure", &self.failure)
    }
}

impl Worded for Refunded {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new(format!("{} went back to you", self.amount))
            .answers(&self.refund_id)
            .detail("refund_id", &self.refund_id)
            .detail("remaining", &self.remaining)
    }
}

impl Worded for RefundFailed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let amount = self.amount;
        let text = match self.failure {
            RefundFailure::NothingLeft => {
                format!("{amount} did not go back to you: all that you paid is back already")
            }
            RefundFailure::Refused => {
                format!("{amount} could not be sent back to you; the shop has to find another way")
            }
            RefundFailure::Unknown => format!("{amount} could not be sent back to you yet"),
        };
        Words::new(text)
            .answers(&self.refund_id)
            .detail("refund_id", &self.refund_id)
            .code("failure", &self.failure)
    }
}

impl Worded for Disputed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let amount = self.amount;
        Words::new(format!("Your bank took {amount} back until it is clear whose it is"))
            .detail("attempt_id", &self.attempt_id)
    }
}

impl Worded for DisputeClosed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let whose = if self.won { "stays with the shop" } else { "is yours" };
        Words::new(format!("Your bank decided that {} {whose}", self.amount))
            .detail("attempt_id", &self.attempt_id)
    }
}

/// Whoever holds a card that is not theirs is not told that it is known.
fn failed(failure: Failure) -> &'static str {
    match failure {
        Failure::Declined | Failure::LostOrStolen | Failure::Suspicious => "Your card was declined",
        Failure::InsufficientFunds => "Your card was declined: not enough money",
        Failure::ExpiredCard => "Your card was declined: it is no longer valid",
        Failure::IncorrectCvc => "Your card was declined: its check digits are wrong",
        Failure::NotPermitted => "Your card was declined: it does not allow such a payment",
        Failure::NotAuthenticated => "The payment was not confirmed, so no money moved",
        Failure::UnknownMethod => "The payment failed: this way to pay is not known",
        Failure::NeverArrived => "The payment never reached the bank, so no money moved",
        Failure::ProcessingError => "The payment could not be processed; trying again may help",
        Failure::WrongAmount => "Another amount came than was asked for; it goes back to you",
        Failure::AuthorizationEnded => "Your bank no longer holds the money for the order",
        Failure::CalledOff => "The payment was called off",
        Failure::Unknown => "The payment failed",
    }
}
