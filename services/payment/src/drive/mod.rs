//! Moving money, which no transaction can hold: each movement is first noted, then sent under its
//! own key, then its outcome is noted.
//!
//! Whoever finds a movement open, whether a request, its repeat, a webhook or the reconciler after
//! a restart, brings it to the same end: what is sent twice bears the same key, and an outcome that
//! is noted twice changes nothing.

mod asking;
mod paying;
mod refunding;

use std::time::Duration;

use common::Change;
use common::crash::{Point, point};
use common::store::{Answer, One, Receipt, UpdateError};
use contracts::{PaymentId, Timestamp};
use tokio::time::Instant;

use crate::domain::{Payment, Refusal};
use crate::store::{Payments, Updated};

/// How long a request waits for an outcome that somebody else brings about.
const WAIT: Duration = Duration::from_secs(5);
/// It may be another replica that brings it about, so it is looked for at least this often.
const PAUSE: Duration = Duration::from_millis(200);

impl Payments {
    /// How long a request may take that moves money: the provider is asked, and told to give up what
    /// it refused; somebody else is waited for, and at the end of that the provider may be asked
    /// twice more.
    pub fn longest(&self) -> Duration {
        4 * self.patience + 2 * WAIT
    }

    /// Notes an outcome, whoever brings it.
    pub(crate) async fn note(
        &self,
        id: PaymentId,
        receipt: Receipt,
        note: impl Fn(Payment, Timestamp) -> Change<Payment> + Send + 'static,
    ) -> Updated<()> {
        let decide =
            move |known: Option<Payment>, now| Ok(note(known.ok_or(Refusal::NotKnown)?, now));
        self.store.apply(One(id), receipt, decide).await?;
        point(Point::OutcomeNoted);
        self.wakeups.wake(id);
        Ok(())
    }

    /// Notes an outcome and keeps the answer for every repeat of the request.
    async fn finish(
        &self,
        id: PaymentId,
        receipt: Receipt,
        note: impl Fn(Payment, Timestamp) -> Change<Payment> + Send + 'static,
        show: impl Fn(&Payment) -> Answer + Send + 'static,
    ) -> Updated<Answer> {
        let decide =
            move |known: Option<Payment>, now| Ok(note(known.ok_or(Refusal::NotKnown)?, now));
        let answer = self.store.finish(One(id), receipt, decide, move |saved| show(saved)).await?;
        point(Point::OutcomeNoted);
        self.wakeups.wake(id);
        Ok(answer)
    }

    /// Waits until somebody noted the outcome, then keeps the answer for every repeat; as long as
    /// it is not known, the answer is not kept.
    async fn answer(
        &self,
        id: PaymentId,
        receipt: Receipt,
        is_known: impl Fn(&Payment) -> bool,
        show: impl Fn(&Payment) -> Answer + Send + 'static,
    ) -> Updated<Answer> {
        if self.comes_true(id, is_known).await? {
            return self.finish(id, receipt, |payment, _| Change::none(payment), show).await;
        }
        let payment = self.get(id).await?.ok_or(UpdateError::Refused(Refusal::NotKnown))?;
        Ok(show(&payment))
    }

    /// Whether this becomes true of a payment before it is time to answer; sees to it, should
    /// everybody else be gone.
    async fn comes_true(&self, id: PaymentId, is_so: impl Fn(&Payment) -> bool) -> Updated<bool> {
        let until = Instant::now() + WAIT;
        let mut watch = self.wakeups.watch(id);
        loop {
            let payment = self.get(id).await?.ok_or(UpdateError::Refused(Refusal::NotKnown))?;
            if is_so(&payment) {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            if payment.look_at.is_some_and(|due| due <= self.clock().now()) {
                self.pursue(id).await?;
            } else {
                watch.changed(left.min(PAUSE)).await;
            }
        }
    }
}

/// What a receipt says was begun.
fn name<Id: std::str::FromStr>(begun: &str) -> Updated<Id> {
    begun.parse().map_err(|_| UpdateError::Refused(Refusal::NotKnown))
}
