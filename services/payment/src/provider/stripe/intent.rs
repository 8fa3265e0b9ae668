//! A payment as Stripe keeps it, and what it comes to for the shop.

use std::time::Duration;

use contracts::payment::Failure;
use contracts::{AttemptId, Currency, PaymentId, RefundId, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::amount::{currency, from_stripe};
use super::failure;
use crate::domain::{Outcome, Reference};

/// The shortest time that a card's bank keeps a promise, where Stripe does not say how long.
const PROMISED: Duration = Duration::from_hours(4 * 24 + 18);

/// What Stripe calls a payment intent.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    status: Status,
    amount: i64,
    /// How much came; where that is not said, all of it did when it succeeded.
    amount_received: Option<i64>,
    #[serde(deserialize_with = "currency")]
    currency: Currency,
    /// In seconds since 1970.
    created: i64,
    next_action: Option<NextAction>,
    last_payment_error: Option<PaymentError>,
    latest_charge: Option<LatestCharge>,
    cancellation_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// It was tried and failed.
    RequiresPaymentMethod,
    /// It was not tried yet.
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
    /// One that a later version has.
    #[serde(other)]
    Unknown,
}

/// Our names, as they travel along; what else is there is somebody else's.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(rename = "payment_id")]
    payment: Option<String>,
    #[serde(rename = "attempt_id")]
    attempt: Option<String>,
    #[serde(rename = "refund_id")]
    refund: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct NextAction {
    redirect_to_url: Option<Redirect>,
}

#[derive(Clone, Debug, Deserialize)]
struct Redirect {
    url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct PaymentError {
    code: Option<String>,
    decline_code: Option<String>,
}

/// Its name alone, unless it was asked for whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum LatestCharge {
    Whole { payment_method_details: Option<Details> },
    Else(IgnoredAny),
}

#[derive(Clone, Debug, Deserialize)]
struct Details {
    card: Option<Card>,
}

#[derive(Clone, Debug, Deserialize)]
struct Card {
    /// In seconds since 1970.
    capture_before: Option<i64>,
}

impl Intent {
    /// What became of it; `None` while it was not tried, so that nothing can have moved.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let reference = self.reference();
        Some(match self.status {
            Status::RequiresConfirmation => return None,
            Status::RequiresPaymentMethod => Outcome::Declined { failure: self.failure() },
            Status::RequiresAction => match self.page() {
                Some(url) => Outcome::ActionRequired { reference, url },
                // Nothing that a shopper could be sent to: it will be given up.
                None => Outcome::Processing { reference },
            },
            Status::Processing | Status::Unknown => Outcome::Processing { reference },
            Status::RequiresCapture => {
                Outcome::Authorized { reference, capture_by: self.capture_by() }
            }
            Status::Succeeded => self.captured(self.amount_received.unwrap_or(self.amount)),
            Status::Canceled => match self.amount_received {
                Some(came) if came > 0 => self.captured(came),
                Some(_) | None => Outcome::Declined { failure: self.end() },
            },
        })
    }

    pub(super) fn reference(&self) -> Reference {
        Reference(self.id.clone())
    }

    /// Whether it was made, but not tried.
    pub(super) fn is_to_confirm(&self) -> bool {
        self.status == Status::RequiresConfirmation
    }

    /// Whether its money is promised, and not collected.
    pub(super) fn is_to_capture(&self) -> bool {
        self.status == Status::RequiresCapture
    }

    /// Whether it can still be given up.
    pub(super) fn can_be_given_up(&self) -> bool {
        match self.status {
            Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::Processing
            | Status::RequiresCapture
            | Status::Unknown => true,
            // What failed is tried again with another payment method only, and none is sent.
            Status::RequiresPaymentMethod | Status::Canceled | Status::Succeeded => false,
        }
    }

    fn captured(&self, amount: i64) -> Outcome {
        let amount = from_stripe(amount, self.currency);
        Outcome::Captured { reference: self.reference(), amount }
    }

    fn failure(&self) -> Failure {
        let error = self.last_payment_error.as_ref();
        error.map_or(Failure::Declined, |error| {
            failure::of_payment(error.code.as_deref(), error.decline_code.as_deref())
        })
    }

    /// Why it was given up: by the shop, or because the promise ran out.
    fn end(&self) -> Failure {
        match self.cancellation_reason.as_deref() {
            Some("automatic" | "expired") => Failure::AuthorizationEnded,
            Some(_) | None => Failure::CalledOff,
        }
    }

    fn page(&self) -> Option<String> {
        self.next_action.as_ref()?.redirect_to_url.as_ref()?.url.clone()
    }

    fn capture_by(&self) -> Timestamp {
        let told = match &self.latest_charge {
            Some(LatestCharge::Whole { payment_method_details: Some(details) }) => {
                details.card.as_ref().and_then(|card| card.capture_before).and_then(time)
            }
            Some(LatestCharge::Whole { .. } | LatestCharge::Else(_)) | None => None,
        };
        told.or_else(|| Some(time(self.created)?.plus(PROMISED))).unwrap_or_else(epoch)
    }
}

impl Metadata {
    pub(super) fn payment(&self) -> Option<PaymentId> {
        self.payment.as_ref()?.parse().ok()
    }

    pub(super) fn attempt(&self) -> Option<AttemptId> {
        self.attempt.as_ref()?.parse().ok()
    }

    pub(super) fn refund(&self) -> Option<RefundId> {
        self.refund.as_ref()?.parse().ok()
    }
}

fn time(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_millis(seconds.checked_mul(1000)?).ok()
}

fn epoch() -> Timestamp {
    Timestamp::from_millis(0).expect("1970 is a time")
}
