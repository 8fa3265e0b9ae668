//! Where payments are kept.

use std::time::Duration;

use common::identity::Shopper;
use common::store::{
    MayBeAway as _, One, Receipt, Resting, Store, StoreError, Stored, UpdateError,
};
use common::{Change, Clock, Wakeups};
use contracts::order::CancelReason;
use contracts::{OrderId, PaymentId, Timestamp, UserId};
use mongodb::bson::doc;
use tracing::warn;

use crate::domain::{Due, Entry, Merged, Payment, People, Refusal};
use crate::inbox;
use crate::provider::Providers;

/// Whoever merged more guests than this is no longer known by the oldest of them.
const MOST_GUESTS: i64 = 500;

/// The payments of all orders, and the providers that move their money. Cheap to clone.
#[derive(Clone)]
pub struct Payments {
    pub(crate) store: Store,
    pub(crate) providers: Providers,
    /// How long the provider may take to answer.
    pub(crate) patience: Duration,
    pub(crate) wakeups: Wakeups,
    /// Payments and webhooks that a periodic job failed on.
    pub(crate) resting: Resting,
}

/// What came of a decision about a payment.
pub type Updated<T> = Result<T, UpdateError<Refusal>>;

impl Payments {
    /// Prepares the places of payments, merged guests and the ledger.
    pub async fn open(
        store: Store,
        providers: Providers,
        patience: Duration,
        wakeups: Wakeups,
    ) -> Result<Self, StoreError> {
        store.index::<Payment>(doc! { "look_at": 1 }, false).await?;
        store.index::<Merged>(doc! { "account": 1, "_id": -1 }, false).await?;
        store.index_rows::<Entry>(doc! { "payment_id": 1 }).await?;
        inbox::prepare(&store).await?;
        Ok(Self { store, providers, patience, wakeups, resting: Resting::default() })
    }

    /// A payment, as it is now.
    pub async fn get(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, StoreError> {
        self.store.get(&id).await
    }

    /// Everyone that a person is or was.
    pub async fn people(&self, person: &Shopper) -> Result<People, StoreError> {
        let guests = if person.is_guest() { vec![] } else { self.guests_of(person.id).await? };
        Ok(People::of([person.id].into_iter().chain(person.merged_from).chain(guests)))
    }

    async fn guests_of(&self, account: UserId) -> Result<Vec<UserId>, StoreError> {
        let theirs = doc! { "account": account.to_string() };
        let merged = self.store.find::<Merged>(theirs, doc! { "_id": -1 }, MOST_GUESTS).await?;
        Ok(merged.iter().map(|merged| merged.guest).collect())
    }

    /// Remembers which account a guest became part of: what was to be paid by the guest is to be
    /// paid by that.
    pub async fn merge(&self, merged: Merged, receipt: Receipt) -> Updated<()> {
        let remember = move |_, _| Ok(Change::to(merged));
        self.store.apply(One::<Merged>(merged.guest), receipt, remember).await.map(drop)
    }

    /// The order waits for its money.
    pub async fn ask(
        &self,
        order: OrderId,
        due: Due,
        pay_by: Timestamp,
        receipt: Receipt,
    ) -> Updated<()> {
        self.change(order, receipt, move |payment, _| payment.ask(due, pay_by)).await
    }

    /// The order waits longer.
    pub async fn wait_until(
        &self,
        order: OrderId,
        pay_by: Timestamp,
        receipt: Receipt,
    ) -> Updated<()> {
        self.change(order, receipt, move |payment, _| Ok(payment.wait_until(pay_by))).await
    }

    /// The order was given up for good.
    pub async fn cancel(
        &self,
        order: OrderId,
        reason: CancelReason,
        customer: Option<UserId>,
        receipt: Receipt,
    ) -> Updated<()> {
        let cancel = move |payment: Payment, now| Ok(payment.cancel_for(reason, customer, now));
        self.change(order, receipt, cancel).await
    }

    /// The order was given up, but may live on should its money come.
    pub async fn close(&self, order: OrderId, receipt: Receipt) -> Updated<()> {
        self.change(order, receipt, |payment, now| Ok(payment.close(now))).await
    }

    /// Those of which something is open that is due to be asked about, the longest due first.
    pub(crate) async fn neglected(&self, limit: i64) -> Result<Vec<PaymentId>, StoreError> {
        let due = doc! { "look_at": { "$lte": self.clock().now().to_string() } };
        self.store.due::<Payment>(due, doc! { "look_at": 1 }, limit, &self.resting).await
    }

    /// Passes on why an item of a job failed only if all others would fail as well. One that fails by
    /// itself, such as a document that cannot be read, rests for a while.
    pub(crate) fn unless_it_rests(&self, id: &impl ToString, outcome: Updated<()>) -> Updated<()> {
        match outcome {
            Err(error) if !error.is_away() => {
                let id = id.to_string();
                warn!(item.id = id, %error, "an item of a periodic job failed");
                self.resting.failed(&id, self.clock().now());
                Ok(())
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.resting.succeeded(id);
                Ok(())
            }
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.store.clock()
    }

    /// Changes the payment of an order, which begins with the first that is heard of it.
    async fn change(
        &self,
        order: OrderId,
        receipt: Receipt,
        decide: impl Fn(Payment, Timestamp) -> Result<Change<Payment>, Refusal> + Send + 'static,
    ) -> Updated<()> {
        let payment = One::<Payment>(PaymentId::of(order));
        let begin = move |known: Option<Payment>, now| {
            decide(known.unwrap_or_else(|| Payment::of(order)), now)
        };
        self.store.apply(payment, receipt, begin).await.map(drop)
    }
}
