//! Webhooks as they travel.

use contracts::payment::Failure;
use contracts::{AttemptId, Money, PaymentId, RefundId, Timestamp};
use serde::{Deserialize, Serialize};

use super::charge::ChargeRow;
use crate::domain::{DisputeState, Outcome, Reference, RefundOutcome};
use crate::provider::{About, Notice};

/// The body of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Webhook {
    pub(super) id: String,
    #[serde(rename = "type")]
    kind: Kind,
    attempt_id: AttemptId,
    payment_id: PaymentId,
    reference: Reference,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capture_by: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "charge.processing")]
    Processing,
    #[serde(rename = "charge.authorized")]
    Authorized,
    #[serde(rename = "charge.captured")]
    Captured,
    #[serde(rename = "charge.declined")]
    Declined,
    #[serde(rename = "refund.done")]
    RefundDone,
    #[serde(rename = "refund.refused")]
    RefundRefused,
    #[serde(rename = "dispute.opened")]
    DisputeOpened,
    #[serde(rename = "dispute.won")]
    DisputeWon,
    #[serde(rename = "dispute.lost")]
    DisputeLost,
    #[serde(other, rename = "unknown")]
    Unknown,
}

impl Webhook {
    /// What becomes of a charge; `None` while the shopper is to confirm it, and when it never
    /// arrived.
    pub(super) fn of_charge(id: String, charge: &ChargeRow, outcome: &Outcome) -> Option<Self> {
        let blank = Self::blank(id, charge)?;
        Some(match *outcome {
            Outcome::Processing { .. } => Self { kind: Kind::Processing, ..blank },
            Outcome::Authorized { capture_by, .. } => {
                Self { kind: Kind::Authorized, capture_by: Some(capture_by), ..blank }
            }
            Outcome::Captured { amount, .. } => {
                Self { kind: Kind::Captured, amount: Some(amount), ..blank }
            }
            Outcome::Declined { failure } => {
                Self { kind: Kind::Declined, failure: Some(failure), ..blank }
            }
            Outcome::ActionRequired { .. } => return None,
        })
    }

    /// That a refund which took its time is done.
    pub(super) fn of_refund(id: String, charge: &ChargeRow, refund: RefundId) -> Option<Self> {
        let blank = Self::blank(id, charge)?;
        Some(Self { kind: Kind::RefundDone, refund_id: Some(refund), ..blank })
    }

    /// How far the dispute of a charge has come.
    pub(super) fn of_dispute(id: String, charge: &ChargeRow, state: DisputeState) -> Option<Self> {
        let kind = match state {
            DisputeState::Opened => Kind::DisputeOpened,
            DisputeState::Won => Kind::DisputeWon,
            DisputeState::Lost => Kind::DisputeLost,
        };
        Some(Self { kind, amount: Some(charge.collected()), ..Self::blank(id, charge)? })
    }

    fn blank(id: String, charge: &ChargeRow) -> Option<Self> {
        Some(Self {
            id,
            kind: Kind::Unknown,
            attempt_id: charge.id,
            payment_id: charge.payment?,
            reference: charge.reference(),
            amount: None,
            capture_by: None,
            failure: None,
            refund_id: None,
        })
    }

    /// What it says; `None` when it says nothing that is understood.
    fn about(self) -> Option<About> {
        let (payment, attempt) = (self.payment_id, self.attempt_id);
        let reference = self.reference.clone();
        let outcome = match self.kind {
            Kind::Processing => Outcome::Processing { reference },
            Kind::Authorized => Outcome::Authorized { reference, capture_by: self.capture_by? },
            Kind::Captured => Outcome::Captured { reference, amount: self.amount? },
            Kind::Declined => {
                Outcome::Declined { failure: self.failure.unwrap_or(Failure::Declined) }
            }
            Kind::RefundDone => return self.about_refund(RefundOutcome::Done),
            Kind::RefundRefused => return self.about_refund(RefundOutcome::Refused),
            Kind::DisputeOpened => return self.about_dispute(DisputeState::Opened),
            Kind::DisputeWon => return self.about_dispute(DisputeState::Won),
            Kind::DisputeLost => return self.about_dispute(DisputeState::Lost),
            Kind::Unknown => return None,
        };
        Some(About::Attempt { payment, attempt, outcome })
    }

    fn about_refund(&self, outcome: RefundOutcome) -> Option<About> {
        Some(About::Refund { payment: self.payment_id, refund: self.refund_id?, outcome })
    }

    fn about_dispute(&self, state: DisputeState) -> Option<About> {
        let (payment, attempt) = (self.payment_id, self.attempt_id);
        // A charge is disputed once.
        Some(About::Dispute {
            payment,
            attempt,
            dispute: String::new(),
            amount: self.amount?,
            state,
        })
    }
}

/// What a webhook says; `None` when it says nothing that is understood.
pub(super) fn read(body: &[u8]) -> Option<Notice> {
    let webhook: Webhook = serde_json::from_slice(body).ok()?;
    Some(Notice { id: webhook.id.clone(), about: webhook.about()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use testkit::fuzz;

    use super::*;

    fn webhook(kind: &str) -> Value {
        json!({
            "id": "att_1:1", "type": kind, "reference": "ch_1",
            "attempt_id": "att_0190b0e1c7f67c3e9d1a2b3c4d5e6f71",
            "payment_id": "pay_0190b0e1c7f67c3e9d1a2b3c4d5e6f70",
            "refund_id": "ref_0190b0e1c7f67c3e9d1a2b3c4d5e6f72",
            "amount": { "amount": 2500, "currency": "EUR" },
            "capture_by": "2026-01-31T12:00:00.000Z", "failure": "declined",
        })
    }

    #[test]
    fn whatever_a_webhook_says_it_can_be_kept() {
        let kinds = ["charge.authorized", "charge.captured", "charge.declined", "dispute.won"];
        let webhooks = [kinds, ["charge.processing", "refund.done", "dispute.lost", "of.later"]];
        let webhooks: Vec<_> = webhooks.concat().into_iter().map(webhook).collect();
        let understood = webhooks.iter().filter_map(|it| read(it.to_string().as_bytes())).count();
        assert_eq!(understood, webhooks.len() - 1);

        fuzz::always(&fuzz::nearly_json(&webhooks), |body| {
            if let Some(notice) = read(&body) {
                prop_assert_eq!(notice.as_kept(), notice);
            }
            Ok(())
        });
    }
}
