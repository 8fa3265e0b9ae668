//! A charge as the sandbox keeps it.

use std::time::Duration;

use contracts::payment::Failure;
use contracts::{AttemptId, Currency, Money, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

use super::SLOW;
use super::script::{Ends, Script};
use crate::domain::{CaptureMode, Method, Outcome, Reference};
use crate::provider::Charge;

/// How long an authorisation lasts.
const PROMISE: Duration = Duration::from_hours(24 * 7);

/// A charge in the sandbox's books. Its id is the key it was asked with, so there is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ChargeRow {
    #[serde(rename = "_id")]
    pub(super) id: AttemptId,
    /// What it was for; unknown, as all the rest, when it was called off before it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payment: Option<PaymentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<Method>,
    #[serde(default)]
    capture: CaptureMode,
    #[serde(flatten)]
    standing: Standing,
    at: Timestamp,
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

impl ChargeRow {
    /// A charge that arrives.
    pub(super) fn new(charge: &Charge, script: Script, now: Timestamp) -> Self {
        let standing = match script.ends {
            Ends::Succeeds => succeeded(charge.capture, script, now),
            Ends::TakesItsTime => Standing::Processing { until: now.plus(SLOW) },
            Ends::Asks => Standing::RequiresAction,
            Ends::Fails(failure) => Standing::Declined { failure },
        };
        Self {
            id: charge.attempt,
            payment: Some(charge.payment),
            amount: Some(charge.amount),
            method: Some(charge.method.clone()),
            capture: charge.capture,
            standing,
            at: now,
        }
    }

    /// A charge that was called off before it arrived: when it does, this is found in its place.
    pub(super) fn never_arrived(id: AttemptId, at: Timestamp) -> Self {
        let (payment, amount, method) = (None, None, None);
        let standing = Standing::Declined { failure: Failure::NeverArrived };
        Self { id, payment, amount, method, capture: CaptureMode::AtOnce, standing, at }
    }

    /// What is played with it.
    pub(super) fn script(&self) -> Option<Script> {
        self.method.as_ref().map(Script::of)
    }

    /// How it stands by now.
    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        match self.standing {
            Standing::Processing { until } if until <= now => self.when_confirmed(until),
            Standing::Authorized { until } if until <= now => {
                Standing::Declined { failure: Failure::AuthorizationEnded }
            }
            ref standing => standing.clone(),
        }
    }

    /// How it stands when nothing keeps it from succeeding.
    pub(super) fn when_confirmed(&self, now: Timestamp) -> Standing {
        match self.script() {
            Some(script) => succeeded(self.capture, script, now),
            None => self.standing.clone(),
        }
    }

    /// What the shop hears of it.
    pub(super) fn outcome(&self, now: Timestamp) -> Outcome {
        let reference = self.reference();
        match self.standing(now) {
            Standing::Captured => Outcome::Captured { reference, amount: self.collected() },
            Standing::Authorized { until } => Outcome::Authorized { reference, capture_by: until },
            Standing::Processing { .. } => Outcome::Processing { reference },
            Standing::RequiresAction => {
                let url = format!("/api/payments/sandbox/authorize/{}", self.id);
                Outcome::ActionRequired { reference, url }
            }
            Standing::Declined { failure } => Outcome::Declined { failure },
        }
    }

    pub(super) fn reference(&self) -> Reference {
        Reference(format!("ch_{}", self.id.uuid().simple()))
    }

    /// How much of it is captured: all, unless it is played otherwise.
    pub(super) fn collected(&self) -> Money {
        let asked = self.amount.unwrap_or(Money::zero(Currency::EUR));
        match self.script() {
            Some(script) if script.partly => Money::new(asked.amount / 2, asked.currency),
            Some(_) | None => asked,
        }
    }
}

/// The charge that a reference names.
pub(super) fn named(reference: &Reference) -> Option<AttemptId> {
    format!("att_{}", reference.0.strip_prefix("ch_")?).parse().ok()
}

fn succeeded(capture: CaptureMode, script: Script, now: Timestamp) -> Standing {
    match capture {
        CaptureMode::AtOnce => Standing::Captured,
        CaptureMode::Later => {
            let until = now.plus(if script.lapses { SLOW } else { PROMISE });
            Standing::Authorized { until }
        }
    }
}
