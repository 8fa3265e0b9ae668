//! Who moves the money: what the shop asks of any provider of payments.

mod notice;
mod sandbox;
mod set;
mod signature;
mod stripe;

use std::pin::Pin;

use axum::http::HeaderMap;
use common::store::MayBeAway;
use contracts::{AttemptId, Money, OrderId, PaymentId, RefundId};

use crate::domain::{CaptureMode, Method, Outcome, Reference, RefundOutcome};

pub use notice::{About, Forged, Notice, Unread};
pub use sandbox::{NOT_ALLOWED, Sandbox, SandboxConfig, Standing};
pub use set::{NotConfigured, Providers};
pub use stripe::{NO_ACCOUNT, Stripe, StripeConfig, StripeError};

/// The answer of a provider, on its way. Whoever waits for it bounds how long.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// What a webhook says, as soon as it is read.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Option<Notice>, Unread>> + Send + 'a>>;

/// A provider of payments.
///
/// Everything is asked with a key of ours, and asking again with it has the effect of one: so
/// whoever does not know what became of an asking asks again.
pub trait Provider: Send + Sync {
    /// What it is called in the paths of webhooks, and in what is stored of an attempt.
    fn name(&self) -> &'static str;

    /// Takes or authorises the money, unless the shopper has to confirm that first.
    fn charge<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome>;

    /// Collects what was authorised; its key is derived from the attempt's.
    fn capture<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome>;

    /// What became of an attempt; `None` when it never arrived, so that nothing can have moved.
    fn look_up<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Option<Outcome>>;

    /// Gives an attempt up, one that is authorised too, and says what became of it: its money may
    /// have moved before. Afterwards no money moves, even should the charge arrive only now.
    fn call_off<'a>(&'a self, charge: &'a Charge) -> Asked<'a, Outcome>;

    /// Gives money back.
    fn give_back<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, RefundOutcome>;

    /// What became of a refund; `None` when it never arrived.
    fn look_up_refund<'a>(&'a self, back: &'a GivingBack) -> Asked<'a, Option<RefundOutcome>>;

    /// What the provider has to say by itself, if it is the provider who says it: the signature is
    /// checked over the body as it came. `None` when it is of no interest. Where it bears only the
    /// provider's own names, the provider is asked for ours.
    fn read_notice<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Reading<'a>;
}

/// Money to be taken.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The key.
    pub attempt: AttemptId,
    /// What it is for; comes back in notices.
    pub payment: PaymentId,
    /// What is bought.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// From what.
    pub method: Method,
    /// When it is to be collected.
    pub capture: CaptureMode,
    /// The provider's own name for it, once that is known.
    pub reference: Option<Reference>,
}

/// Money to be given back.
#[derive(Clone, Debug)]
pub struct GivingBack {
    /// The key.
    pub refund: RefundId,
    /// The payment it belongs to; comes back in notices.
    pub payment: PaymentId,
    /// Which money, by the provider's own name.
    pub charge: Reference,
    /// How much.
    pub amount: Money,
}

/// The provider did not do what it was asked, or it is not known whether it did.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderError {
    /// It is not known whether it was done: it is asked again.
    #[error("the provider is away: {0}")]
    Away(String),
    /// It will not do this asking.
    #[error("the provider refused: {0}")]
    Refused(String),
}

impl MayBeAway for ProviderError {
    fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}
