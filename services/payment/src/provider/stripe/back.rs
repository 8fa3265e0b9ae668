//! Giving money back.

use super::Stripe;
use super::amount::to_stripe;
use super::call::Call;
use super::client::Reply;
use super::error::CallError;
use super::refund::{Refund, Refunds};
use crate::domain::RefundOutcome;
use crate::provider::{GivingBack, ProviderError};

/// How many refunds are read at once, which is the most that Stripe gives.
const PAGE: usize = 100;

impl Stripe {
    pub(super) async fn refund(&self, back: &GivingBack) -> Result<RefundOutcome, ProviderError> {
        let Some(amount) = to_stripe(back.amount) else { return Ok(RefundOutcome::Refused) };
        let refund = Call::post("/v1/refunds")
            .with("payment_intent", &back.charge.0)
            .with("amount", &amount)
            .with("metadata[payment_id]", &back.payment)
            .with("metadata[refund_id]", &back.refund);
        let answer = match self.client.ask::<Refund>(refund.clone().key(&back.refund)).await {
            // What Stripe made of the key counts; if it made nothing, another one is tried, once.
            Err(CallError::Spent) => match self.find_refund(back).await? {
                Some(known) => return Ok(known),
                None => self.client.ask(refund.key(&format!("{}.again", back.refund))).await,
            },
            answer => answer,
        };
        match answer {
            Ok(Reply { value, replayed: false }) => Ok(value.outcome()),
            Ok(Reply { value, replayed: true }) => {
                let get = Call::get(format!("/v1/refunds/{}", value.id));
                Ok(self.client.ask::<Refund>(get).await?.value.outcome())
            }
            // A repeat that comes a day late is refused as well: what was done before counts.
            Err(CallError::Refused(refused)) if !refused.may_pass() => {
                let known = self.find_refund(back).await?;
                Ok(known.unwrap_or(RefundOutcome::Refused))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What became of a refund, among all of its payment.
    pub(super) async fn find_refund(
        &self,
        back: &GivingBack,
    ) -> Result<Option<RefundOutcome>, ProviderError> {
        let mut after = None;
        loop {
            let mut list = Call::get("/v1/refunds")
                .with("payment_intent", &back.charge.0)
                .with("limit", &PAGE);
            if let Some(after) = after {
                list = list.with("starting_after", &after);
            }
            let page = self.client.ask::<Refunds>(list).await?.value;
            let ours = |refund: &&Refund| refund.metadata.refund() == Some(back.refund);
            if let Some(refund) = page.data.iter().find(ours) {
                return Ok(Some(refund.outcome()));
            }
            after = page.data.last().filter(|_| page.has_more).map(|refund| refund.id.clone());
            if after.is_none() {
                return Ok(None);
            }
        }
    }
}
