//! What providers say by themselves: each notice counts once, and none is lost before it can be
//! applied.

use std::time::Duration;

use axum::http::HeaderMap;
use common::crash::{Point, point};
use common::store::{Cause, One, Receipt, Store, StoreError};
use common::{Change, Document};
use contracts::Timestamp;
use futures_util::{StreamExt as _, stream};
use mongodb::bson::{DateTime, doc};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::warn;

use crate::domain::{Payment, Refusal};
use crate::provider::{About, Notice, Provider, ProviderError, Unread};
use crate::reconcile::because;
use crate::store::{Payments, Updated};

/// How long what is not known yet is waited for.
const PATIENCE: Duration = Duration::from_hours(72);
/// A notice that could not be applied is tried again after at least this,
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// and at most this.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// How long a notice is remembered after it was dealt with, so that its repeat is known.
const KEPT: Duration = Duration::from_hours(24 * 30);
/// How many waiting notices one round takes.
const BATCH: i64 = 200;
/// About how many of them are tried at once.
const AT_ONCE: usize = 16;

/// A notice, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Heard {
    /// Who said it, and their name for it.
    #[serde(rename = "_id")]
    id: String,
    notice: Notice,
    since: Timestamp,
    #[serde(flatten)]
    state: State,
    /// When it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime>,
}

/// How far a notice has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    /// What it is about is not known yet.
    Waiting { retry_at: Timestamp },
    /// It was applied, or was no news.
    Applied { at: Timestamp },
    /// It could not be applied: a person has to see to it.
    PutAside { at: Timestamp, why: String },
}

impl Document for Heard {
    const COLLECTION: &'static str = "webhooks";
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }
}

/// Prepares the place of the notices.
pub(crate) async fn prepare(store: &Store) -> Result<(), StoreError> {
    store.index::<Heard>(doc! { "retry_at": 1 }, false).await?;
    store.ends_by_itself(Heard::COLLECTION).await
}

impl Payments {
    /// What a provider says by itself, if it is that provider who says it.
    pub async fn read_notice(
        &self,
        provider: &dyn Provider,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<Notice>, Unread> {
        let read = timeout(self.patience, provider.read_notice(headers, body)).await;
        read.unwrap_or_else(|_| Err(ProviderError::Away("no answer in time".to_owned()).into()))
    }

    /// A provider says something by itself. It is kept and applied in one commit; what cannot be
    /// applied yet waits.
    pub async fn hear(&self, provider: &str, notice: Notice, cause: Cause) -> Updated<()> {
        point(Point::NoticeRead);
        let id = format!("{provider}:{}", notice.id);
        let payment = notice.payment();
        let cause = self.cause_of(&notice, cause).await?;
        let scope = (One::<Heard>(id.clone()), One::<Payment>(payment));
        let apply = move |(known, payment): (Option<Heard>, Option<Payment>), now| {
            let heard = known.unwrap_or_else(|| Heard::new(id.clone(), notice.clone(), now));
            Ok(heard.apply(payment, now))
        };
        let heard = self.store.apply(scope, Receipt::none(cause), apply).await?;
        point(Point::NoticeKept);
        self.wakeups.wake(payment);
        heard.iter().for_each(Heard::complain);
        Ok(())
    }

    /// Tries again to apply what waits.
    pub async fn hear_again(self) -> Updated<()> {
        let due = doc! { "retry_at": { "$lte": self.clock().now().to_string() } };
        let sort = doc! { "retry_at": 1 };
        let waiting = self.store.due::<Heard>(due, sort, BATCH, &self.resting).await?;
        let retried = waiting
            .into_iter()
            .map(async |id| self.unless_it_rests(&id, self.retry(id.clone()).await));
        let outcomes: Vec<_> = stream::iter(retried).buffer_unordered(AT_ONCE).collect().await;
        outcomes.into_iter().collect()
    }

    /// What led to what a notice says: of a refund, what asked for it.
    async fn cause_of(&self, notice: &Notice, otherwise: Cause) -> Updated<Cause> {
        let About::Refund { payment, refund, .. } = notice.about else { return Ok(otherwise) };
        let known = self.get(payment).await?;
        let refund = known.as_ref().and_then(|known| known.refund_of(refund));
        let asked_by = refund.and_then(|refund| refund.asked_by.as_ref());
        Ok(asked_by.map_or(otherwise, because))
    }

    async fn retry(&self, id: String) -> Updated<()> {
        let Some(waiting) = self.store.get::<Heard>(&id).await? else { return Ok(()) };
        point(Point::BeforeNoticeAgain);
        let payment = waiting.notice.payment();
        let own = Cause::own("webhook", self.clock());
        let own = Receipt::none(self.cause_of(&waiting.notice, own).await?);
        let scope = (One::<Heard>(id), One::<Payment>(payment));
        let apply = |(known, payment): (Option<Heard>, Option<Payment>), now| {
            let heard = known.ok_or(Refusal::NotKnown)?;
            Ok(if heard.is_waiting() { heard.apply(payment, now) } else { Change::none(heard) })
        };
        let heard = self.store.apply(scope, own, apply).await?;
        self.wakeups.wake(payment);
        heard.iter().for_each(Heard::complain);
        Ok(())
    }
}

impl Heard {
    fn new(id: String, notice: Notice, now: Timestamp) -> Self {
        let state = State::Waiting { retry_at: now };
        Self { id, notice, since: now, state, expires_at: None }
    }

    fn provider(&self) -> &str {
        self.id.split_once(':').map_or("", |(provider, _)| provider)
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Applies it to its payment, unless that was done before.
    fn apply(self, payment: Option<Payment>, now: Timestamp) -> Change<Self> {
        if !self.is_waiting() {
            return Change::none(self);
        }
        let known = payment.ok_or(Refusal::NotKnown);
        match known.and_then(|payment| payment.hear(self.provider(), &self.notice.about, now)) {
            Ok(change) => Change::to(self.ended(State::Applied { at: now }, now)).and(change),
            Err(Refusal::NotKnown | Refusal::NothingCaptured)
                if now.since(self.since) < PATIENCE =>
            {
                let pause = (now.since(self.since) / 5).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                Change::to(Self { state: State::Waiting { retry_at: now.plus(pause) }, ..self })
            }
            Err(refusal) => {
                let why = refusal.to_string();
                Change::to(self.ended(State::PutAside { at: now, why }, now))
            }
        }
    }

    fn ended(self, state: State, now: Timestamp) -> Self {
        let expires_at = DateTime::from_millis(now.plus(KEPT).as_millis());
        Self { state, expires_at: Some(expires_at), ..self }
    }

    /// Says so when it was put aside.
    fn complain(&self) {
        if let State::PutAside { why, .. } = &self.state {
            let payment = self.notice.payment();
            warn!(webhook.id = self.id, payment.id = %payment, why, "webhook put aside");
            metrics::counter!("souk_webhooks_put_aside_total").increment(1);
        }
    }
}

impl Payment {
    /// A provider says by itself what became of something: of what another one moves it knows
    /// nothing.
    fn hear(self, provider: &str, about: &About, now: Timestamp) -> Result<Change<Self>, Refusal> {
        let id = match *about {
            About::Attempt { attempt, .. } | About::Dispute { attempt, .. } => Some(attempt),
            About::Refund { refund, .. } => self.refund_of(refund).map(|refund| refund.attempt),
        };
        let attempt = id.and_then(|id| self.attempt(id)).ok_or(Refusal::NotKnown)?;
        if attempt.terms.provider != provider {
            return Err(Refusal::NotKnown);
        }
        match *about {
            About::Attempt { attempt, ref outcome, .. } => Ok(self.settle(attempt, outcome, now)),
            About::Refund { refund, outcome, .. } => Ok(self.settle_refund(refund, outcome, now)),
            About::Dispute { attempt, ref dispute, amount, state, .. } => {
                self.dispute(attempt, dispute, amount, state, now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{AttemptId, Currency, Money, OrderId, RefundId, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        CaptureMode, DisputeState, Due, Method, Outcome, Reference, RefundCause, RefundOutcome,
        Terms,
    };

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    /// A payment with one attempt at Stripe.
    fn at_stripe() -> Payment {
        let due = Due { customer: UserId::from_uuid(Uuid::from_u128(2)), amount: eur(2500) };
        let payment = Payment::of(OrderId::from_uuid(Uuid::from_u128(1)));
        let method = Method::try_from("pm_card_visa".to_owned()).unwrap();
        let terms = Terms { provider: "stripe".to_owned(), capture: CaptureMode::AtOnce };
        let due = payment.ask(due, noon()).unwrap().value;
        due.start(attempt(), method, terms, noon()).unwrap().value
    }

    fn attempt() -> AttemptId {
        AttemptId::from_uuid(Uuid::from_u128(3))
    }

    fn captured() -> Outcome {
        Outcome::Captured { reference: Reference("pi_1".to_owned()), amount: eur(2500) }
    }

    #[test]
    fn a_provider_is_heard_about_its_own_movements_only() {
        let refund = RefundId::from_uuid(Uuid::from_u128(4));
        let started = at_stripe();
        let payment = started.id;
        let paid = started.clone().settle(attempt(), &captured(), noon()).value;
        let back = paid.clone().refund(refund, None, RefundCause::Order, noon()).unwrap().value;
        let (dispute, state, amount) = ("dp_1".to_owned(), DisputeState::Lost, eur(2500));
        let said = [
            (started, About::Attempt { payment, attempt: attempt(), outcome: captured() }),
            (back, About::Refund { payment, refund, outcome: RefundOutcome::Done }),
            (paid, About::Dispute { payment, attempt: attempt(), dispute, amount, state }),
        ];

        for (payment, about) in said {
            let heard = payment.clone().hear("sandbox", &about, noon());
            assert_eq!(heard.err(), Some(Refusal::NotKnown), "{about:?}");
            assert!(!payment.hear("stripe", &about, noon()).unwrap().is_none(), "{about:?}");
        }
    }
}
