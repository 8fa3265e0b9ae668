//! Moving money, which no transaction can hold: each movement is first noted, then sent under its
//! own key, then its outcome is noted.
//!
//! Whoever finds a movement open, whether a request, its repeat, a webhook or the reconciler after
//! a restart, brings it to the same end: what is sent twice bears the same key, and an outcome that
//! is noted twice changes nothing.

use std::time::Duration;

use axum::http::HeaderMap;
use common::Change;
use common::store::{Answer, Begun, One, Receipt, UpdateError};
use contracts::{AttemptId, Money, OrderId, PaymentId, RefundId, Timestamp};
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::domain::{
    Attempt, CaptureMode, Method, Outcome, Payment, People, RefundCause, RefundOutcome, Refusal,
};
use crate::provider::{About, Asked, Charge, GivingBack, Notice, ProviderError, Unread};
use crate::store::{Payments, Updated};

/// How long a request waits for an outcome that somebody else brings about.
const WAIT: Duration = Duration::from_secs(5);
/// It may be another replica that brings it about, so it is looked for at least this often.
const PAUSE: Duration = Duration::from_millis(200);

impl Payments {
    /// Pays for an order. A repeat sends nothing: it waits for what the first one began, and gives
    /// the same answer; that is kept as soon as it is known what became of the attempt.
    pub async fn pay(
        &self,
        order: OrderId,
        method: Method,
        people: People,
        receipt: Receipt,
        show: fn(&Payment, AttemptId) -> Answer,
    ) -> Updated<Answer> {
        let (id, fresh) = (PaymentId::of(order), AttemptId::from_uuid(self.clock().uuid()));
        let start = move |known: Option<Payment>, now| {
            let payment = known.ok_or(Refusal::NotKnown)?.of_people(&people)?;
            payment.start(fresh, method.clone(), now)
        };
        let named = move |_: &Payment| fresh.to_string();
        let attempt = match self.store.begin(One(id), receipt.clone(), start, named).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Running { attempt } => name(&attempt)?,
            Begun::New(begun) => {
                info!(attempt.id = %fresh, order.id = %order, "attempt started");
                let sent = self.send_attempt(&begun, fresh).await;
                if let Some(outcome) = sent.filter(Outcome::is_answer) {
                    let settle = move |payment: Payment, now| payment.settle(fresh, &outcome, now);
                    return self.finish(id, receipt, settle, move |paid| show(paid, fresh)).await;
                }
                fresh
            }
        };
        let is_answered = move |payment: &Payment| payment.is_answered(attempt);
        self.answer(id, receipt, is_answered, move |payment| show(payment, attempt)).await
    }

    /// Gives money back because a member of staff says so, all that is held when no amount is
    /// given. What cannot be sent now is sent later.
    pub async fn refund(
        &self,
        id: PaymentId,
        amount: Option<Money>,
        cause: RefundCause,
        receipt: Receipt,
        show: fn(&Payment, RefundId) -> Answer,
    ) -> Updated<Answer> {
        let fresh = RefundId::from_uuid(self.clock().uuid());
        let start = move |known: Option<Payment>, now| {
            known.ok_or(Refusal::NotKnown)?.refund(fresh, amount, cause.clone(), now)
        };
        let named = move |_: &Payment| fresh.to_string();
        let refund = match self.store.begin(One(id), receipt.clone(), start, named).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Running { attempt } => name(&attempt)?,
            Begun::New(begun) => {
                info!(refund.id = %fresh, payment.id = %id, "refund started");
                if self.send_refund(&begun, fresh).await {
                    let note = move |payment: Payment, now| payment.refunded(fresh, now);
                    return self.finish(id, receipt, note, move |paid| show(paid, fresh)).await;
                }
                fresh
            }
        };
        let is_done = move |payment: &Payment| payment.is_given_back(refund);
        self.answer(id, receipt, is_done, move |payment| show(payment, refund)).await
    }

    /// Gives money back because the order says so. What cannot be sent now is sent later.
    pub async fn refund_due(
        &self,
        order: OrderId,
        refund: RefundId,
        amount: Money,
        receipt: Receipt,
    ) -> Updated<()> {
        let id = PaymentId::of(order);
        let start = move |known: Option<Payment>, now| {
            known.ok_or(Refusal::NothingCaptured)?.refund_due(refund, amount, now)
        };
        let cause = receipt.cause().clone();
        let begun = self.store.apply(One(id), receipt, start).await?;
        let open = begun.filter(|payment| payment.refund_of(refund).is_some());
        if let Some(payment) = open
            && self.send_refund(&payment, refund).await
        {
            let note = move |payment: Payment, now| payment.refunded(refund, now);
            self.note(id, Receipt::none(cause), note).await?;
        }
        Ok(())
    }

    /// How long a request may take that moves money: the provider is asked, somebody else is waited
    /// for, and at the end of that the provider may be asked twice more.
    pub fn longest(&self) -> Duration {
        3 * self.patience + 2 * WAIT
    }

    /// What the provider says by itself, if it is the provider who says it.
    pub async fn read_notice(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<Notice>, Unread> {
        let read = timeout(self.patience, self.provider.read_notice(headers, body)).await;
        read.unwrap_or_else(|_| Err(ProviderError::Away("no answer in time".to_owned()).into()))
    }

    /// The provider says by itself what became of an attempt.
    pub async fn hear(&self, notice: Notice, receipt: Receipt) -> Updated<()> {
        let id = notice.payment();
        let settle = move |payment: Payment, now| match &notice.about {
            About::Attempt { attempt, outcome, .. } => payment.settle(*attempt, outcome, now),
            About::Refund { .. } | About::Dispute { .. } => Change::none(payment),
        };
        self.note(id, receipt, settle).await
    }

    /// Sends an attempt, or sends it again; `None` when it is not known what came of that.
    pub(crate) async fn send_attempt(&self, payment: &Payment, id: AttemptId) -> Option<Outcome> {
        let attempt = payment.attempt(id)?;
        self.answer_to("charge", self.provider.charge(&charge_of(payment, attempt))).await
    }

    /// Sends a refund unless it arrived before; false when it is not known whether it did.
    pub(crate) async fn send_refund(&self, payment: &Payment, id: RefundId) -> bool {
        let refund = payment.refund_of(id);
        let charge = refund.and_then(|refund| payment.attempt(refund.attempt)?.captured());
        let (Some(refund), Some(charge)) = (refund, charge) else { return false };
        let (charge, amount) = (charge.clone(), refund.amount);
        let back = GivingBack { refund: id, payment: payment.id, charge, amount };
        let looked = self.answer_to("look up refund", self.provider.look_up_refund(&back)).await;
        let outcome = match looked {
            None => return false,
            Some(Some(outcome)) => Some(outcome),
            Some(None) => self.answer_to("refund", self.provider.give_back(&back)).await,
        };
        outcome == Some(RefundOutcome::Done)
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
        self.wakeups.wake(id);
        Ok(())
    }

    /// The provider's answer, if it comes in time.
    pub(crate) async fn answer_to<T>(
        &self,
        asking: &'static str,
        asked: Asked<'_, T>,
    ) -> Option<T> {
        let (answer, came) = match timeout(self.patience, asked).await {
            Ok(Ok(answer)) => (Some(answer), "answered"),
            Ok(Err(error)) => {
                warn!(asking, %error, "provider failed");
                (None, "failed")
            }
            Err(_) => {
                warn!(asking, "provider did not answer in time");
                (None, "late")
            }
        };
        metrics::counter!("souk_provider_askings_total", "asking" => asking, "outcome" => came)
            .increment(1);
        answer
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

/// What the provider is asked about an attempt.
pub(crate) fn charge_of(payment: &Payment, attempt: &Attempt) -> Charge {
    Charge {
        attempt: attempt.id,
        payment: payment.id,
        order: payment.order_id,
        amount: attempt.amount,
        method: attempt.method.clone(),
        capture: CaptureMode::AtOnce,
        reference: attempt.reference().cloned(),
    }
}

/// What a receipt says was begun.
fn name<Id: std::str::FromStr>(begun: &str) -> Updated<Id> {
    begun.parse().map_err(|_| UpdateError::Refused(Refusal::NotKnown))
}
