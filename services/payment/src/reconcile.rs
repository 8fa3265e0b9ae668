//! Nothing stays open: what nobody brought to its end is found, and the provider is asked about it.

use common::crash::{Point, point};
use common::store::{Cause, One, Receipt};
use contracts::PaymentId;
use futures_util::{StreamExt as _, stream};
use tracing::info;

use crate::domain::{AskedBy, Payment, Refusal};
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
            let pursued = neglected
                .into_iter()
                .map(async |id| self.unless_it_rests(&id, self.pursue(id).await));
            // All are tried, whatever becomes of one.
            let outcomes: Vec<_> = stream::iter(pursued).buffer_unordered(AT_ONCE).collect().await;
            outcomes.into_iter().collect::<Updated<()>>()?;
            if last {
                return Ok(());
            }
        }
    }

    /// Asks the provider about what is open, if that is due and nobody else does so.
    pub(crate) async fn pursue(&self, id: PaymentId) -> Updated<()> {
        let own = || Receipt::none(Cause::own("reconcile", self.clock()));
        let look = |known: Option<Payment>, now| Ok(known.ok_or(Refusal::NotKnown)?.look(now));
        let Some(payment) = self.store.apply(One(id), own(), look).await?.flatten() else {
            return Ok(());
        };
        point(Point::BeforePursuit);
        for attempt in payment.open_attempts() {
            if let Some(outcome) = self.find_out(&payment, attempt).await {
                let attempt = attempt.id;
                info!(attempt.id = %attempt, payment.id = %id, "attempt reconciled");
                let settle = move |payment: Payment, now| payment.answered(attempt, &outcome, now);
                self.note(id, own(), settle).await?;
            }
        }
        for refund in payment.open_refunds() {
            if let Some(outcome) = self.find_refund(&payment, refund.id).await {
                info!(refund.id = %refund.id, payment.id = %id, "refund reconciled");
                let asked_by = refund.asked_by.as_ref().map(because);
                let receipt = asked_by.map_or_else(own, Receipt::none);
                let key = refund.key();
                let note = move |payment: Payment, now| payment.settle_refund(key, outcome, now);
                self.note(id, receipt, note).await?;
            }
        }
        Ok(())
    }
}

/// What comes of a refund comes of what asked for it, whoever finds it out.
pub(crate) fn because(asked_by: &AskedBy) -> Cause {
    let AskedBy { event, conversation, trace } = asked_by.clone();
    Cause { correlation_id: conversation, causation_id: event, traceparent: trace }
}
