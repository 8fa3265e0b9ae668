//! Who moves the money: what the shop asks of any provider of payments.

mod sandbox;

use std::pin::Pin;

use axum::http::HeaderMap;
use contracts::{AttemptId, Money, PaymentId, RefundId};

use crate::domain::{Method, Outcome, Reference};

pub use sandbox::{Forged, Sandbox, SandboxConfig, Standing};

/// The answer of a provider, on its way. Whoever waits for it bounds how long.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// A provider of payments.
///
/// Everything is asked with a key of ours, and asking again with it has the effect of one: so
/// whoever does not know what became of an asking asks again.
pub trait Provider: Send + Sync {
    /// Takes the money, unless the shopper has to confirm that first.
    fn charge(&self, charge: Charge) -> Asked<'_, Outcome>;

    /// What became of an attempt; `None` when it never arrived.
    fn look_up(&self, attempt: AttemptId) -> Asked<'_, Option<Outcome>>;

    /// Gives an attempt up, and says what became of it: its money may have moved before. Once it
    /// was given up no money moves any more, even should it arrive only now.
    fn call_off(&self, attempt: AttemptId) -> Asked<'_, Outcome>;

    /// Gives money back.
    fn give_back(&self, back: GivingBack) -> Asked<'_, ()>;

    /// Whether the money of a refund went back.
    fn look_up_refund(&self, refund: RefundId) -> Asked<'_, bool>;

    /// What the provider has to say by itself, if it is the provider who says it; `None` when it is
    /// of no interest.
    fn read_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Option<Notice>, Forged>;
}

/// Money to be taken.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The key.
    pub attempt: AttemptId,
    /// What it is for; comes back in notices.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// From what.
    pub method: Method,
}

/// Money to be given back.
#[derive(Clone, Debug)]
pub struct GivingBack {
    /// The key.
    pub refund: RefundId,
    /// Which money, by the provider's own name.
    pub charge: Reference,
    /// How much.
    pub amount: Money,
}

/// What a provider says by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The same for every repeat.
    pub id: String,
    /// The payment it is about.
    pub payment: PaymentId,
    /// The attempt it is about.
    pub attempt: AttemptId,
    /// What became of it.
    pub outcome: Outcome,
}

/// The provider did not do what it was asked, or it is not known whether it did.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderError {
    /// No answer came.
    #[error("the provider is away: {0}")]
    Away(String),
    /// It will not do it.
    #[error("the provider refused: {0}")]
    Refused(String),
}
