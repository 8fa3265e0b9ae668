//! What shoppers, staff and providers may ask of payments.

mod pay;
mod read;
mod refund;
pub mod sandbox;
mod standing;
mod view;
mod webhook;

use std::time::Duration;

use axum::http::StatusCode;
use common::http::{Problem, body_up_to};
use common::openapi;
use contracts::order::CancelReason;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::domain::Refusal;
use crate::provider::{Forged, ProviderError, Unread};
use crate::store::Payments;

/// When to ask again for what is known or decided in a moment.
const SOON: Duration = Duration::from_secs(1);
/// Bytes of a provider's notice: Stripe's events hold whole objects.
const NOTICE: usize = 256 * 1024;

const DESCRIPTION: &str = include_str!("description.md");

/// Everything that is served, as documented.
pub fn router() -> OpenApiRouter<Payments> {
    let routes = OpenApiRouter::new()
        .routes(routes!(pay::start_payment, read::list_payments))
        .routes(routes!(read::get_payment))
        .routes(routes!(refund::start_refund))
        .routes(routes!(refund::get_refund))
        .routes(routes!(webhook::hear_provider).layer(body_up_to(NOTICE)));
    openapi::documented(routes, "/api/payments", "Souk payments", DESCRIPTION)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotKnown => Self::not_found(),
            Refusal::NotDueYet => Self::not_found().retry_after(SOON),
            Refusal::InProgress => Self::conflict("payment-in-progress").retry_after(SOON),
            Refusal::AlreadyPaid => Self::conflict("already-paid"),
            Refusal::NothingDue => not_payable("nothing_to_pay"),
            Refusal::Cancelled(CancelReason::OutOfStock) => not_payable("out_of_stock"),
            Refusal::Cancelled(_) => not_payable("cancelled"),
            Refusal::Closed | Refusal::TooLate => not_payable("expired"),
            Refusal::TooManyAttempts => Self::conflict("too-many-attempts"),
            Refusal::TooManyRefunds => Self::conflict("too-many-refunds"),
            Refusal::NothingPromised => Self::conflict("nothing-promised"),
            Refusal::Disputed => Self::conflict("payment-disputed"),
            Refusal::NothingCaptured => Self::conflict("nothing-to-refund"),
            Refusal::TooMuch(held) => Self::conflict("refund-too-large").with("refundable", held),
            Refusal::NoAmount => Self::invalid().at("/amount/amount", refusal),
            Refusal::OtherCurrency => Self::invalid().at("/amount/currency", refusal),
        }
        .because(refusal)
    }
}

/// No money is wanted for the order; `reason` is a code that never changes its meaning.
fn not_payable(reason: &'static str) -> Problem {
    Problem::conflict("order-not-payable").with("reason", reason)
}

impl From<Forged> for Problem {
    fn from(forged: Forged) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "webhook-not-trusted").because(forged)
    }
}

impl From<Unread> for Problem {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Forged(forged) => forged.into(),
            Unread::Provider(error) => error.into(),
        }
    }
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        tracing::warn!(%error, "provider failed");
        Self::unavailable(SOON)
    }
}
