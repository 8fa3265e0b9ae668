//! Nothing stays open: what nobody brought to its end is found, and the provider is asked about it.

use common::store::{Cause, Receipt};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tracing::info;

use crate::domain::{Attempt, Outcome, Payment, Step};
use crate::store::{Payments, Updated};

/// How many payments are read at once.
const BATCH: i64 = 200;
/// About how many payments the provider is asked at once.
const AT_ONCE: usize = 16;

impl Payments {
    /// Brings what is open, and due to be asked about, closer to its end.
    pub async fn reconcile(self) -> Updated<()> {
        loop {
            let neglected = self.neglected(BATCH).await?;
            let last = i64::try_from(neglected.len()).is_ok_and(|found| found < BATCH);
            let pursued = neglected.into_iter().map(|payment| self.pursue(payment));
            stream::iter(pursued).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            if last {
                return Ok(());
            }
        }
    }

    async fn pursue(&self, payment: Payment) -> Updated<()> {
        let own = || Receipt::none(Cause::own("reconcile", self.clock()));
        for attempt in payment.open_attempts() {
            if let Some(outcome) = self.find_out(&payment, attempt).await {
                let id = attempt.id;
                info!(attempt.id = %id, payment.id = %payment.id, "attempt reconciled");
                self.note(payment.id, own(), move |payment, now| payment.settle(id, &outcome, now))
                    .await?;
            }
        }
        for refund in payment.open_refunds() {
            if self.send_refund(&payment, refund.id).await {
                let id = refund.id;
                info!(refund.id = %id, payment.id = %payment.id, "refund reconciled");
                self.note(payment.id, own(), move |payment, now| payment.refunded(id, now)).await?;
            }
        }
        self.note(payment.id, own(), Payment::look_later).await
    }

    /// What became of an attempt, or becomes of it now; `None` while that is not known.
    async fn find_out(&self, payment: &Payment, attempt: &Attempt) -> Option<Outcome> {
        let found = self.answer_to("look up", self.provider.look_up(attempt.id)).await?;
        match payment.step(attempt, found, self.clock().now()) {
            Step::Settle(outcome) => Some(outcome),
            Step::Send => self.send_attempt(payment, attempt.id).await,
            Step::CallOff => self.answer_to("call off", self.provider.call_off(attempt.id)).await,
            Step::Leave => None,
        }
    }
}
