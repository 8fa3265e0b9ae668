//! A charge as the sandbox keeps it, and as its webhooks tell it.

use contracts::payment::Failure;
use contracts::{AttemptId, Currency, Money, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{Outcome, Reference};
use crate::provider::{About, Charge, Notice};

/// A charge in the sandbox's books. Its id is the key it was asked with, so there is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ChargeRow {
    #[serde(rename = "_id")]
    pub(super) id: AttemptId,
    /// What it was for; unknown when it was called off before it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(flatten)]
    standing: Standing,
    at: Timestamp,
    /// The webhook that is still to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

/// How a charge stands at the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// The money moved.
    Captured,
    /// It is promised until then.
    Authorized {
        /// When the promise ends.
        until: Timestamp,
    },
    /// It moves at this time.
    Processing {
        /// When.
        until: Timestamp,
    },
    /// The shopper is to confirm it.
    RequiresAction,
    /// It does not move.
    Declined {
        /// Why.
        failure: Failure,
    },
}

/// A webhook as it travels.
#[derive(Debug, Serialize, Deserialize)]
struct Webhook {
    id: String,
    #[serde(rename = "type")]
    kind: Kind,
    attempt_id: AttemptId,
    payment_id: PaymentId,
    reference: Reference,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "charge.captured")]
    Captured,
    #[serde(rename = "charge.declined")]
    Declined,
    #[serde(other, rename = "unknown")]
    Unknown,
}

impl ChargeRow {
    pub(super) fn new(charge: &Charge, standing: Standing, at: Timestamp) -> Self {
        Self {
            id: charge.attempt,
            payment: Some(charge.payment),
            amount: Some(charge.amount),
            standing,
            at,
            notice: None,
        }
    }

    /// A charge that was called off before it arrived: when it does, this is found in its place.
    pub(super) fn never_arrived(id: AttemptId, at: Timestamp) -> Self {
        let standing = Standing::Declined { failure: Failure::NeverArrived };
        Self { id, payment: None, amount: None, standing, at, notice: None }
    }

    /// How it stands by now.
    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        match &self.standing {
            Standing::Processing { until } if *until <= now => Standing::Captured,
            standing => standing.clone(),
        }
    }

    /// What the shop hears of it.
    pub(super) fn outcome(&self, now: Timestamp) -> Outcome {
        let reference = self.reference();
        match self.standing(now) {
            Standing::Captured => {
                let amount = self.amount.unwrap_or(Money::zero(Currency::EUR));
                Outcome::Captured { reference, amount }
            }
            Standing::Authorized { until } => Outcome::Authorized { reference, capture_by: until },
            Standing::Processing { .. } => Outcome::Processing { reference },
            Standing::RequiresAction => {
                let url = format!("/api/payments/sandbox/authorize/{}", self.id);
                Outcome::ActionRequired { reference, url }
            }
            Standing::Declined { failure } => Outcome::Declined { failure },
        }
    }

    /// The body of the webhook that is still to be sent.
    pub(super) fn notice(&self) -> Option<String> {
        let (kind, failure) = match &self.standing {
            Standing::Captured => (Kind::Captured, None),
            Standing::Declined { failure } => (Kind::Declined, Some(*failure)),
            Standing::Authorized { .. }
            | Standing::Processing { .. }
            | Standing::RequiresAction => {
                return None;
            }
        };
        let webhook = Webhook {
            id: self.notice.clone()?,
            kind,
            attempt_id: self.id,
            payment_id: self.payment?,
            reference: self.reference(),
            amount: self.amount,
            failure,
        };
        serde_json::to_string(&webhook).ok()
    }

    fn reference(&self) -> Reference {
        Reference(format!("ch_{}", self.id.uuid().simple()))
    }
}

/// What a webhook says; `None` when it says nothing that is understood.
pub(super) fn read_notice(body: &[u8]) -> Option<Notice> {
    let webhook: Webhook = serde_json::from_slice(body).ok()?;
    let outcome = match webhook.kind {
        Kind::Captured => {
            Outcome::Captured { reference: webhook.reference, amount: webhook.amount? }
        }
        Kind::Declined => {
            Outcome::Declined { failure: webhook.failure.unwrap_or(Failure::Declined) }
        }
        Kind::Unknown => return None,
    };
    let (payment, attempt) = (webhook.payment_id, webhook.attempt_id);
    Some(Notice { id: webhook.id, about: About::Attempt { payment, attempt, outcome } })
}
