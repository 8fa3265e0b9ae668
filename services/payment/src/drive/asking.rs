//! Asking the provider of an attempt, who may not answer.

use std::sync::Arc;

use common::crash::{Point, point};
use contracts::RefundId;
use tokio::time::timeout;
use tracing::warn;

use crate::domain::{Attempt, Outcome, Payment, RefundOutcome, Step};
use crate::provider::{Asked, Charge, GivingBack, Provider, ProviderError};
use crate::store::Payments;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// It is not known whether it was done.
    Unknown,
    /// The provider will not do it.
    Refused,
}

/// What a provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Charge,
    Capture,
    LookUp,
    CallOff,
    Refund,
    LookUpRefund,
}

impl Asking {
    /// As metrics and logs name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Capture => "capture",
            Self::LookUp => "look up",
            Self::CallOff => "call off",
            Self::Refund => "refund",
            Self::LookUpRefund => "look up refund",
        }
    }

    /// Before it leaves.
    fn leaves(self) {
        match self {
            Self::Charge => point(Point::BeforeCharge),
            Self::Capture => point(Point::BeforeCapture),
            Self::CallOff => point(Point::BeforeCallOff),
            Self::Refund => point(Point::BeforeRefund),
            Self::LookUp | Self::LookUpRefund => {}
        }
    }

    /// When it is over, also without an answer.
    fn came_back(self) {
        point(match self {
            Self::Charge => Point::AfterCharge,
            Self::Capture => Point::AfterCapture,
            Self::CallOff => Point::AfterCallOff,
            Self::Refund => Point::AfterRefund,
            Self::LookUp | Self::LookUpRefund => Point::LookedUp,
        });
    }
}

impl Payments {
    /// Sends an attempt, or sends it again; `None` when it is not known what came of that.
    pub(crate) async fn send(&self, payment: &Payment, attempt: &Attempt) -> Option<Outcome> {
        let (provider, charge) = self.charge(payment, attempt)?;
        let answer = self.answer_to(Asking::Charge, provider.charge(&charge)).await;
        self.or_called_off(answer, provider, &charge).await
    }

    /// Collects the money that an attempt promised; `None` when it is not known what came of that.
    pub(crate) async fn collect(&self, payment: &Payment, attempt: &Attempt) -> Option<Outcome> {
        let (provider, charge) = self.charge(payment, attempt)?;
        let answer = self.answer_to(Asking::Capture, provider.capture(&charge)).await;
        self.or_called_off(answer, provider, &charge).await
    }

    /// What became of an attempt, or becomes of it now; `None` while that is not known.
    pub(crate) async fn find_out(&self, payment: &Payment, attempt: &Attempt) -> Option<Outcome> {
        let (provider, charge) = self.charge(payment, attempt)?;
        let found = self.answer_to(Asking::LookUp, provider.look_up(&charge)).await.ok()?;
        match payment.step(attempt, found, self.clock().now()) {
            Step::Settle(outcome) => Some(outcome),
            Step::Send => self.send(payment, attempt).await,
            Step::Capture => self.collect(payment, attempt).await,
            Step::CallOff => self.answer_to(Asking::CallOff, provider.call_off(&charge)).await.ok(),
            Step::Leave => None,
        }
    }

    /// Sends a refund for the first time; `None` when it is not known what came of that.
    pub(crate) async fn give_back(&self, payment: &Payment, id: RefundId) -> Option<RefundOutcome> {
        let (provider, back) = self.giving_back(payment, id)?;
        self.taken(provider, &back).await
    }

    /// What became of a refund, or becomes of it now; `None` while that is not known.
    pub(crate) async fn find_refund(
        &self,
        payment: &Payment,
        id: RefundId,
    ) -> Option<RefundOutcome> {
        let (provider, back) = self.giving_back(payment, id)?;
        match self.answer_to(Asking::LookUpRefund, provider.look_up_refund(&back)).await.ok()? {
            Some(outcome) => Some(outcome),
            None => self.taken(provider, &back).await,
        }
    }

    async fn taken(
        &self,
        provider: &Arc<dyn Provider>,
        back: &GivingBack,
    ) -> Option<RefundOutcome> {
        match self.answer_to(Asking::Refund, provider.give_back(back)).await {
            Ok(outcome) => Some(outcome),
            Err(Silence::Refused) => Some(RefundOutcome::Refused),
            Err(Silence::Unknown) => None,
        }
    }

    /// What the provider will never do is called off, so that it ends.
    async fn or_called_off(
        &self,
        answer: Result<Outcome, Silence>,
        provider: &Arc<dyn Provider>,
        charge: &Charge,
    ) -> Option<Outcome> {
        match answer {
            Ok(outcome) => Some(outcome),
            Err(Silence::Refused) => {
                self.answer_to(Asking::CallOff, provider.call_off(charge)).await.ok()
            }
            Err(Silence::Unknown) => None,
        }
    }

    /// The provider's answer, if it comes in time.
    async fn answer_to<T>(&self, asking: Asking, asked: Asked<'_, T>) -> Result<T, Silence> {
        asking.leaves();
        let name = asking.name();
        let (answer, came) = match timeout(self.patience, asked).await {
            Ok(Ok(answer)) => (Ok(answer), "answered"),
            Ok(Err(error @ ProviderError::Refused(_))) => {
                warn!(asking = name, %error, "provider refused");
                (Err(Silence::Refused), "refused")
            }
            Ok(Err(error @ ProviderError::Away(_))) => {
                warn!(asking = name, %error, "provider failed");
                (Err(Silence::Unknown), "failed")
            }
            Err(_) => {
                warn!(asking = name, "provider did not answer in time");
                (Err(Silence::Unknown), "late")
            }
        };
        metrics::counter!("souk_provider_askings_total", "asking" => name, "outcome" => came)
            .increment(1);
        asking.came_back();
        answer
    }

    /// Whom to ask about an attempt, and about what.
    fn charge(&self, payment: &Payment, attempt: &Attempt) -> Option<(&Arc<dyn Provider>, Charge)> {
        let charge = Charge {
            attempt: attempt.id,
            payment: payment.id,
            order: payment.order_id,
            amount: attempt.amount,
            method: attempt.method.clone(),
            capture: attempt.terms.capture,
            reference: attempt.reference().cloned(),
        };
        Some((self.provider_of(attempt)?, charge))
    }

    /// Whom to ask about a refund, and about what.
    fn giving_back(
        &self,
        payment: &Payment,
        id: RefundId,
    ) -> Option<(&Arc<dyn Provider>, GivingBack)> {
        let refund = payment.refund_of(id)?;
        let attempt = payment.attempt(refund.attempt)?;
        let (charge, amount) = (attempt.reference()?.clone(), refund.amount);
        let back = GivingBack { refund: refund.key(), payment: payment.id, charge, amount };
        Some((self.provider_of(attempt)?, back))
    }

    fn provider_of(&self, attempt: &Attempt) -> Option<&Arc<dyn Provider>> {
        let provider = self.providers.named(&attempt.terms.provider);
        if provider.is_none() {
            let name = &attempt.terms.provider;
            warn!(attempt.id = %attempt.id, provider = name, "provider not configured");
        }
        provider
    }
}
