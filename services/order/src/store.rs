//! Where orders are kept.

use common::http::Page;
use common::identity::Shopper;
use common::store::{
    Answer, One, Preconditions, Receipt, Saved, Store, StoreError, Stored, UpdateError,
};
use common::wakeups::Watch;
use common::{Change, Clock, Service, Wakeups};
use contracts::cart::CheckedOut;
use contracts::{OrderId, Timestamp, UserId};
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use crate::domain::{Merged, Order, Outcome, Person, Refusal, Stage, Terms};
use crate::timeline::Timelines;

/// Whoever was more guests than this is no longer known by the oldest of them.
const MOST_GUESTS: i64 = 500;
/// How many orders whose time is up are seen to in one round.
const ROUND: i64 = 1_000;

/// The orders of the shop. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Orders {
    store: Store,
    wakeups: Wakeups,
    timelines: Timelines,
    /// How much time the shop gives.
    pub(crate) terms: Terms,
}

/// Which orders are listed.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Whose; everybody's when nobody is named.
    pub(crate) of: Option<Person>,
    /// Where they stand; anywhere when no place is named.
    pub(crate) stage: Option<Stage>,
}

/// A place in a list of orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    at: Timestamp,
    id: OrderId,
}

impl Orders {
    /// Opens the service's database.
    pub(crate) async fn open(service: &Service, terms: Terms) -> Result<Self, StoreError> {
        let store = service.store();
        for keys in [
            doc! { "placed_at": -1, "_id": -1 },
            doc! { "customer": 1, "placed_at": -1, "_id": -1 },
            doc! { "status.state": 1, "placed_at": -1, "_id": -1 },
            doc! { "status.state": 1, "status.pay_by": 1 },
            doc! { "status.state": 1, "status.at": 1 },
            doc! { "status.state": 1, "asked_at": 1 },
        ] {
            store.index::<Order>(keys, false).await?;
        }
        store.index::<Merged>(doc! { "account": 1, "_id": -1 }, false).await?;
        let wakeups = service.wakeups();
        let timelines = Timelines::new(&store, wakeups.clone());
        Ok(Self { store, wakeups, timelines, terms })
    }

    /// A cart was checked out: its order begins, unless it has begun already.
    pub(crate) async fn begin(
        &self,
        bought: CheckedOut,
        receipt: Receipt,
    ) -> Result<(), UpdateError<Refusal>> {
        let order = One::<Order>(bought.order_id);
        let begin = move |order: Option<Order>, now| match order {
            Some(order) => Ok(Change::none(order)),
            None => Order::place(bought.clone(), now),
        };
        self.store.apply(order, receipt, begin).await.map(drop)
    }

    /// Takes an order one step further.
    pub(crate) async fn step(
        &self,
        id: OrderId,
        receipt: Receipt,
        step: impl Fn(Order, Timestamp) -> Outcome + Send + 'static,
    ) -> Result<(), UpdateError<Refusal>> {
        self.store.apply(One::<Order>(id), receipt, known(step)).await.map(drop)
    }

    /// The same for somebody who waits for an answer.
    pub(crate) async fn update(
        &self,
        id: OrderId,
        receipt: Receipt,
        step: impl Fn(Order, Timestamp) -> Outcome + Send + 'static,
        answer: impl Fn(&Saved<'_, Order>) -> Answer + Send + 'static,
    ) -> Result<Answer, UpdateError<Refusal>> {
        self.update_matching(id, Preconditions::default(), receipt, step, answer).await
    }

    /// The same, if the order is still what the client saw.
    pub(crate) async fn update_matching(
        &self,
        id: OrderId,
        preconditions: impl Into<Preconditions>,
        receipt: Receipt,
        step: impl Fn(Order, Timestamp) -> Outcome + Send + 'static,
        answer: impl Fn(&Saved<'_, Order>) -> Answer + Send + 'static,
    ) -> Result<Answer, UpdateError<Refusal>> {
        let order = One::<Order>(id).matching(preconditions);
        self.store.update(order, receipt, known(step), answer).await
    }

    /// An order as it is now, if this person may see it.
    pub(crate) async fn get(
        &self,
        id: OrderId,
        person: &Person,
    ) -> Result<Option<Stored<Order>>, StoreError> {
        let order = self.store.get::<Order>(&id).await?;
        Ok(order.filter(|order| person.sees(order)))
    }

    /// Orders, the newest first: one more than the page holds when another one follows.
    pub(crate) async fn list(
        &self,
        wanted: Wanted,
        after: Option<Place>,
        page: &Page,
    ) -> Result<Vec<Stored<Order>>, StoreError> {
        let mut filter = Document::new();
        if let Some(person) = wanted.of {
            filter.insert("customer", doc! { "$in": texts(&person.ids) });
        }
        if let Some(stage) = wanted.stage {
            filter.insert("status.state", stage.as_str());
        }
        if let Some(Place { at, id }) = after {
            let (at, id) = (at.to_string(), id.to_string());
            // The first bound is what the index takes.
            filter.insert("placed_at", doc! { "$lte": &at });
            let earlier = doc! { "placed_at": { "$lt": at } };
            filter.insert("$or", vec![earlier, doc! { "_id": { "$lt": id } }]);
        }
        self.store.find(filter, doc! { "placed_at": -1, "_id": -1 }, page.look_ahead()).await
    }

    /// Those whose time to pay is over, the longest over first.
    pub(crate) async fn unpaid(&self) -> Result<Vec<OrderId>, StoreError> {
        let now = self.clock().now().to_string();
        let unpaid = doc! { "status.state": "reserved", "status.pay_by": { "$lte": now } };
        self.store.ids::<Order>(unpaid, doc! { "status.pay_by": 1 }, ROUND).await
    }

    /// Those that nobody answered, the longest waiting first.
    pub(crate) async fn unanswered(&self) -> Result<Vec<OrderId>, StoreError> {
        let since = self.clock().now().minus(self.terms.to_answer).to_string();
        let unanswered = doc! { "status.state": "placed", "asked_at": { "$lte": since } };
        self.store.ids::<Order>(unanswered, doc! { "asked_at": 1 }, ROUND).await
    }

    /// Those whose goods can no longer be sent back and of which nothing is open, the longest kept
    /// first.
    pub(crate) async fn kept(&self) -> Result<Vec<OrderId>, StoreError> {
        let since = self.clock().now().minus(self.terms.to_return).to_string();
        let kept = doc! {
            "status.state": "delivered",
            "status.at": { "$lte": since },
            "returns.state.is": { "$nin": ["requested", "approved", "received"] },
            "payment.refunds.state.is": { "$ne": "asked" },
        };
        self.store.ids::<Order>(kept, doc! { "status.at": 1 }, ROUND).await
    }

    /// Somebody who is signed in, under all the ids that they have.
    pub(crate) async fn person(&self, shopper: &Shopper) -> Result<Person, StoreError> {
        let guests = if shopper.is_guest() { vec![] } else { self.guests_of(shopper.id).await? };
        let ids = guests.into_iter().chain(shopper.merged_from).chain([shopper.id]).collect();
        Ok(Person { ids, is_staff: shopper.is_staff() })
    }

    async fn guests_of(&self, account: UserId) -> Result<Vec<UserId>, StoreError> {
        let theirs = doc! { "account": account.to_string() };
        let merged = self.store.find::<Merged>(theirs, doc! { "_id": -1 }, MOST_GUESTS).await?;
        Ok(merged.iter().map(|merged| merged.guest).collect())
    }

    /// Remembers which account a guest became part of.
    pub(crate) async fn merge(&self, merged: &Merged, sequence: u64) -> Result<(), StoreError> {
        self.store.keep_copy(merged, sequence).await.map(drop)
    }

    /// What happened to each of them.
    pub(crate) fn timelines(&self) -> Timelines {
        self.timelines.clone()
    }

    /// Sees the order change.
    pub(crate) fn watch(&self, id: OrderId) -> Watch {
        self.wakeups.watch(id)
    }

    /// Wakes those who watch this order.
    pub(crate) fn wake(&self, id: &str) {
        self.wakeups.wake(id);
    }

    /// The service's clock.
    pub(crate) fn clock(&self) -> &Clock {
        self.store.clock()
    }
}

impl Place {
    /// The place of an order.
    pub(crate) fn of(order: &Order) -> Self {
        Self { at: order.placed_at, id: order.id }
    }
}

/// A step of an order that is known.
fn known(
    step: impl Fn(Order, Timestamp) -> Outcome + Send + 'static,
) -> impl Fn(Option<Order>, Timestamp) -> Outcome + Send + 'static {
    move |order, now| step(order.ok_or(Refusal::Unknown)?, now)
}

fn texts(ids: &[UserId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
