//! Taking money, collecting what was promised, and giving either up.

use std::time::Duration;

use contracts::Timestamp;
use contracts::payment::Failure;
use serde::Deserialize;

use super::Stripe;
use super::amount::to_stripe;
use super::call::Call;
use super::client::Reply;
use super::error::CallError;
use super::failure;
use super::intent::Intent;
use crate::domain::{CaptureMode, Outcome};
use crate::provider::{Charge, ProviderError};

/// Keys are good for a day; who asks close to its end may arrive after it.
const KEYS_LAST: Duration = Duration::from_hours(23);

/// What is found of an attempt.
pub(super) enum Found {
    There(Box<Intent>),
    /// It is not there and never will be.
    Never(Failure),
}

#[derive(Deserialize)]
struct Matches {
    data: Vec<Intent>,
}

impl Stripe {
    pub(super) async fn take(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let confirm = |id: &str| {
            Call::post(format!("/v1/payment_intents/{id}/confirm"))
                .key(&format!("{}.confirm", charge.attempt))
                .with("return_url", &self.account.return_url(charge.order))
                .with("expand[]", "latest_charge")
        };
        self.go_on(charge, Intent::is_to_confirm, confirm).await
    }

    pub(super) async fn collect(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let capture = |id: &str| {
            Call::post(format!("/v1/payment_intents/{id}/capture"))
                .key(&format!("{}.capture", charge.attempt))
                .with("expand[]", "latest_charge")
        };
        self.go_on(charge, Intent::is_to_capture, capture).await
    }

    pub(super) async fn give_up(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let cancel = |id: &str| Call::post(format!("/v1/payment_intents/{id}/cancel"));
        self.go_on(charge, Intent::can_be_given_up, cancel).await
    }

    /// Has something done to the intent of an attempt, if it is one to do that to, and says what
    /// became of it.
    async fn go_on(
        &self,
        charge: &Charge,
        worth: fn(&Intent) -> bool,
        call: impl Fn(&str) -> Call,
    ) -> Result<Outcome, ProviderError> {
        let id = match &charge.reference {
            Some(reference) => reference.0.clone(),
            None => match self.find(charge).await? {
                Found::There(intent) if worth(&intent) => intent.id,
                Found::There(intent) => return settled(&intent),
                Found::Never(failure) => return Ok(Outcome::Declined { failure }),
            },
        };
        settled(&self.act(&id, call(&id)).await?)
    }

    /// Has something done to an intent, and says how it is then: done or refused, Stripe knows best.
    async fn act(&self, id: &str, call: Call) -> Result<Intent, ProviderError> {
        let keyless = call.clone().without_key();
        let answer = match self.client.ask(call).await {
            // An intent is confirmed and captured once, with or without a key.
            Err(CallError::Spent) => self.client.ask(keyless).await,
            answer => answer,
        };
        match answer {
            Ok(Reply { value, replayed: false }) => Ok(value),
            Ok(Reply { replayed: true, .. }) | Err(CallError::Refused(_)) => self.read(id).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The intent of an attempt as it is now, which is made if it is not there.
    pub(super) async fn find(&self, charge: &Charge) -> Result<Found, ProviderError> {
        match &charge.reference {
            Some(reference) => Ok(Found::There(Box::new(self.read(&reference.0).await?))),
            None if self.is_old(charge) => self.search(charge).await,
            None => self.make(charge).await,
        }
    }

    async fn make(&self, charge: &Charge) -> Result<Found, ProviderError> {
        let Some(making) = making(charge) else {
            return Ok(Found::Never(Failure::NotPermitted));
        };
        match self.client.ask::<Intent>(making).await {
            Ok(Reply { value, replayed: false }) => Ok(Found::There(Box::new(value))),
            Ok(Reply { value, replayed: true }) => {
                Ok(Found::There(Box::new(self.read(&value.id).await?)))
            }
            // Whoever comes with this key is told so: nobody ever got an intent to confirm.
            Err(CallError::Spent) => Ok(Found::Never(Failure::ProcessingError)),
            Err(CallError::Refused(refused)) if refused.is_other_use_of_key() => {
                self.search(charge).await
            }
            Err(CallError::Refused(refused)) => Ok(Found::Never(failure::of_request(&refused))),
            Err(error) => Err(error.into()),
        }
    }

    async fn read(&self, id: &str) -> Result<Intent, ProviderError> {
        let get = Call::get(format!("/v1/payment_intents/{id}")).with("expand[]", "latest_charge");
        Ok(self.client.ask(get).await?.value)
    }

    /// Looks for the intent of an attempt that began so long ago that all of it can be found.
    async fn search(&self, charge: &Charge) -> Result<Found, ProviderError> {
        let ours = format!("metadata['attempt_id']:'{}'", charge.attempt);
        let search = Call::get("/v1/payment_intents/search")
            .with("query", &ours)
            .with("expand[]", "data.latest_charge");
        let found = self.client.ask::<Matches>(search).await?.value.data.pop();
        match found {
            Some(intent) => Ok(Found::There(Box::new(intent))),
            None if self.is_old(charge) => Ok(Found::Never(Failure::NeverArrived)),
            None => Err(ProviderError::Away("the attempt is not to be found yet".to_owned())),
        }
    }

    /// Whether Stripe may have forgotten the key of an attempt: its id says when it began.
    fn is_old(&self, charge: &Charge) -> bool {
        let began = charge.attempt.uuid().get_timestamp().and_then(|time| {
            let millis = i64::try_from(time.to_unix().0).ok()?.checked_mul(1000)?;
            Timestamp::from_millis(millis).ok()
        });
        began.is_some_and(|began| self.clock.now().since(began) > KEYS_LAST)
    }
}

/// Asks for the intent of an attempt, which moves no money yet; `None` when there is no such amount.
fn making(charge: &Charge) -> Option<Call> {
    let amount = to_stripe(charge.amount)?;
    let capture = match charge.capture {
        CaptureMode::AtOnce => "automatic",
        CaptureMode::Later => "manual",
    };
    let call = Call::post("/v1/payment_intents")
        .key(&charge.attempt)
        .with("amount", &amount)
        .with("currency", &charge.amount.currency.as_str().to_ascii_lowercase())
        .with("capture_method", &capture)
        .with("payment_method", &charge.method.as_str())
        .with("payment_method_types[]", "card")
        .with("metadata[payment_id]", &charge.payment)
        .with("metadata[attempt_id]", &charge.attempt)
        .with("metadata[order_id]", &charge.order);
    Some(call)
}

/// What became of an intent that something was done to.
fn settled(intent: &Intent) -> Result<Outcome, ProviderError> {
    let undone = || ProviderError::Away("it is not known whether it was confirmed".to_owned());
    intent.outcome().ok_or_else(undone)
}
