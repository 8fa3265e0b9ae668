//! Where orders are kept.

mod summary;

use common::http::Page;
use common::identity::Shopper;
use common::store::{
    Answer, Cause, One, Preconditions, Receipt, Resting, Saved, Store, StoreError, Stored,
    UpdateError,
};
use common::wakeups::Watch;
use common::{Change, Clock, Document as _, Service, Wakeups};
use contracts::cart::CheckedOut;
use contracts::{OrderId, Timestamp, UserId};
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use crate::domain::{Merged, Order, Outcome, Person, Refusal, Stage, Terms};
use crate::timeline::Timelines;
pub(crate) use summary::Summary;

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
    /// Orders that a periodic job failed on.
    pub(crate) resting: Resting,
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
        store.index::<Merged>(doc! { "followed": 1, "_id": 1 }, false).await?;
        let wakeups = service.wakeups();
        let timelines = Timelines::new(&store, wakeups.clone());
        Ok(Self { store, wakeups, timelines, resting: Resting::default(), terms })
    }

    /// A cart was checked out: its order begins, unless it has begun already.
    pub(crate) async fn begin(
        &self,
        bought: CheckedOut,
        receipt: Receipt,
    ) -> Result<(), UpdateError<Refusal>> {
        let guest = bought.customer;
        let scope = (One::<Order>(bought.order_id), One::<Merged>(guest));
        let begin = move |(order, merged): (Option<Order>, Option<Merged>), now| {
            if let Some(order) = order {
                return Ok(Change::none(order));
            }
            let customer = merged.map_or(guest, |merged| merged.account);
            Order::place(CheckedOut { customer, ..bought.clone() }, now)
        };
        self.store.apply(scope, receipt, begin).await?;
        // A merge that was committed meanwhile did not see the order: what is only read by a
        // decision is not checked against other writers.
        self.follow_guest(guest).await
    }

    /// Takes an order one step further.
    pub(crate) async fn step(
        &self,
        id: OrderId,
        receipt: Receipt,
        step: impl Fn(Order, Timestamp) -> Outcome + Send + 'static,
    ) -> Result<(), UpdateError<Refusal>> {
        self.store.apply(One::<Order>(id), receipt, self.known(id, step)).await.map(drop)
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
        self.store.update(order, receipt, self.known(id, step), answer).await
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

    /// Reads the summaries of orders, the newest first: one more than the page holds when another one
    /// follows. Lines are not read: 100 orders may have 10,000 of them.
    pub(crate) async fn list(
        &self,
        wanted: Wanted,
        after: Option<Place>,
        page: &Page,
    ) -> Result<Vec<Summary>, StoreError> {
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
        let pipeline = |limit| {
            vec![
                doc! { "$match": filter.clone() },
                doc! { "$sort": { "placed_at": -1, "_id": -1 } },
                doc! { "$limit": limit },
                doc! { "$project": Summary::projection() },
            ]
        };
        self.store.page(Order::COLLECTION, page.look_ahead(), pipeline).await
    }

    /// Those whose time to pay is over, the longest over first.
    pub(crate) async fn unpaid(&self) -> Result<Vec<OrderId>, StoreError> {
        let now = self.clock().now().to_string();
        let unpaid = doc! { "status.state": "reserved", "status.pay_by": { "$lte": now } };
        self.store.due::<Order>(unpaid, doc! { "status.pay_by": 1 }, ROUND, &self.resting).await
    }

    /// Those that nobody answered, the longest waiting first.
    pub(crate) async fn unanswered(&self) -> Result<Vec<OrderId>, StoreError> {
        let since = self.clock().now().minus(self.terms.to_answer).to_string();
        let unanswered = doc! { "status.state": "placed", "asked_at": { "$lte": since } };
        self.store.due::<Order>(unanswered, doc! { "asked_at": 1 }, ROUND, &self.resting).await
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
        self.store.due::<Order>(kept, doc! { "status.at": 1 }, ROUND, &self.resting).await
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

    /// Remembers which account a guest became part of, and makes the guest's orders the account's.
    pub(crate) async fn merge(
        &self,
        merged: &Merged,
        sequence: u64,
    ) -> Result<(), UpdateError<Refusal>> {
        self.store.keep_copy(merged, sequence).await?;
        self.follow(merged).await
    }

    /// Makes every order of a merged guest the account's.
    pub(crate) async fn follow(&self, merged: &Merged) -> Result<(), UpdateError<Refusal>> {
        let theirs = doc! { "customer": merged.guest.to_string() };
        loop {
            let orders = self.store.ids::<Order>(theirs.clone(), doc! { "_id": 1 }, ROUND).await?;
            let is_all = orders.is_empty();
            for order in orders {
                let cause = Receipt::none(Cause::own("merge", self.clock()));
                let merged = merged.clone();
                self.step(order, cause, move |order, _| Ok(order.follow(&merged))).await?;
            }
            if is_all {
                break;
            }
        }
        let followed = doc! { "$set": { "followed": true } };
        let known = doc! { "_id": merged.guest.to_string() };
        let guests = self.store.collection(Merged::COLLECTION);
        let noted = guests.update_one(known, followed).await;
        noted.map(drop).map_err(|error| StoreError::of(Merged::COLLECTION, &error).into())
    }

    /// Merged guests some of whose orders may not be the account's yet.
    pub(crate) async fn unfollowed(&self) -> Result<Vec<UserId>, StoreError> {
        let open = doc! { "followed": { "$ne": true } };
        self.store.due::<Merged>(open, doc! { "_id": 1 }, ROUND, &self.resting).await
    }

    /// Makes every order of this guest the account's that the guest became part of.
    pub(crate) async fn follow_guest(&self, guest: UserId) -> Result<(), UpdateError<Refusal>> {
        match self.store.get::<Merged>(&guest).await? {
            Some(merged) => self.follow(&merged).await,
            None => Ok(()),
        }
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

    /// A step of an order that is known.
    fn known(
        &self,
        id: OrderId,
        step: impl Fn(Order, Timestamp) -> Outcome + Send + 'static,
    ) -> impl Fn(Option<Order>, Timestamp) -> Outcome + Send + 'static {
        let terms = self.terms;
        move |order, now| {
            let order = order.ok_or_else(|| Refusal::unknown(id, now))?;
            step(order, now).map_err(|refusal| refusal.as_of(now, &terms))
        }
    }
}

impl Place {
    /// The place of an order.
    pub(crate) fn of(order: &Summary) -> Self {
        Self { at: order.placed_at, id: order.id }
    }
}

fn texts(ids: &[UserId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
