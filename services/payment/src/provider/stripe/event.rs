//! What Stripe says by itself.

use contracts::{Currency, Money};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::warn;

use super::NAME;
use super::amount::{currency, from_stripe};
use super::intent::Intent;
use super::refund::{Refund, Refunds};
use crate::domain::{DisputeState, Reference};
use crate::provider::{About, Notice};

/// What a webhook says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// It bears our names.
    Ours(Notice),
    /// A dispute bears the name of the payment intent alone.
    Disputed { charge: Reference, dispute: Disputed },
    /// Nothing of interest.
    Else,
}

/// How far a dispute has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Disputed {
    /// The same for whatever says so.
    pub(super) id: String,
    /// Stripe's name for it.
    pub(super) name: String,
    pub(super) amount: Money,
    pub(super) state: DisputeState,
}

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

/// A charge names its refunds only in versions before 2022-11-15.
#[derive(Deserialize)]
struct Charge {
    refunds: Option<Refunds>,
}

#[derive(Deserialize)]
struct Dispute {
    id: String,
    amount: i64,
    #[serde(deserialize_with = "currency")]
    currency: Currency,
    status: String,
    payment_intent: Option<String>,
}

/// Reads a body that Stripe signed.
pub(super) fn read(body: &[u8]) -> Said {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(body) else {
        warn!(provider = NAME, "a webhook does not read");
        return Said::Else;
    };
    let object = event.data.object.get();
    let said = match event.kind.as_str() {
        "payment_intent.succeeded"
        | "payment_intent.payment_failed"
        | "payment_intent.canceled"
        | "payment_intent.requires_action"
        | "payment_intent.amount_capturable_updated"
        | "payment_intent.processing" => serde_json::from_str(object).map(|it| of_intent(&it)),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            serde_json::from_str(object).map(|refund| of_refund(&refund))
        }
        "charge.refunded" => serde_json::from_str(object).map(|charge| of_charge(&charge)),
        "charge.dispute.created" | "charge.dispute.funds_withdrawn" | "charge.dispute.closed" => {
            return serde_json::from_str(object).map_or_else(|_| unread(&event), of_dispute);
        }
        _ => return Said::Else,
    };
    match said {
        Ok(Some(about)) => Said::Ours(Notice { id: event.id, about }),
        Ok(None) => Said::Else,
        Err(_) => unread(&event),
    }
}

fn unread(event: &Event<'_>) -> Said {
    warn!(provider = NAME, event.id, event.kind, "a webhook does not read");
    Said::Else
}

fn of_intent(intent: &Intent) -> Option<About> {
    let (payment, attempt) = (intent.metadata.payment()?, intent.metadata.attempt()?);
    Some(About::Attempt { payment, attempt, outcome: intent.outcome()? })
}

fn of_refund(refund: &Refund) -> Option<About> {
    let (payment, name) = (refund.metadata.payment()?, refund.metadata.refund()?);
    Some(About::Refund { payment, refund: name, outcome: refund.outcome() })
}

/// The youngest refund is what it tells of.
fn of_charge(charge: &Charge) -> Option<About> {
    of_refund(charge.refunds.as_ref()?.data.first()?)
}

/// An inquiry, whose states begin with `warning_`, takes no money yet.
fn of_dispute(dispute: Dispute) -> Said {
    let state = match dispute.status.as_str() {
        "needs_response" | "under_review" => DisputeState::Opened,
        "won" => DisputeState::Won,
        "lost" => DisputeState::Lost,
        _ => return Said::Else,
    };
    let Some(charge) = dispute.payment_intent.map(Reference) else { return Said::Else };
    let end = match state {
        DisputeState::Opened => "opened",
        DisputeState::Won => "won",
        DisputeState::Lost => "lost",
    };
    let amount = from_stripe(dispute.amount, dispute.currency);
    Said::Disputed {
        charge,
        dispute: Disputed { id: format!("{}.{end}", dispute.id), name: dispute.id, amount, state },
    }
}
