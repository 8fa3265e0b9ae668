//! Where products, stock and reservations are kept and found.

mod ledger;
mod shelves;

use std::collections::BTreeSet;
use std::time::Duration;

use common::Service;
use common::store::{Many, One, Receipt, Retold, Store, StoreError, Stored, UpdateError};
use common::{Change, Clock};
use contracts::product::Pieces;
use contracts::{OrderId, ProductId, Sku, Timestamp, product};
use mongodb::bson::doc;

use crate::domain::{
    Address, Obstacle, Product, Reservation, Shelf, Slug, StockItem, StockMovement,
};

pub(crate) use ledger::LedgerPlace;
pub(crate) use shelves::{Counted, ShelfPlace, Shelved, Sort, Wanted};

/// How many overdue reservations are asked about in one round; the rest is due in the next.
const OVERDUE: i64 = 500;

/// The catalogue, the stock and what is set aside of it.
#[derive(Clone)]
pub(crate) struct Products {
    store: Store,
}

impl Products {
    /// Makes sure that everything has its place.
    pub(crate) async fn open(service: &Service) -> Result<Self, StoreError> {
        let store = service.store();
        store.index::<Product>(doc! { "archived": 1, "category": 1, "_id": -1 }, false).await?;
        store.collection_of::<Address>().await?;
        store.index::<StockItem>(doc! { "product_id": 1 }, false).await?;
        store.index::<Reservation>(doc! { "state.quiet_since": 1 }, false).await?;
        store.index_rows::<StockMovement>(doc! { "product_id": 1, "at": -1, "_id": -1 }).await?;
        Ok(Self { store })
    }

    /// The one way to change any of it.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Tells the time and draws ids.
    pub(crate) fn clock(&self) -> &Clock {
        self.store.clock()
    }

    /// A product, archived or not.
    pub(crate) async fn get(&self, id: ProductId) -> Result<Option<Stored<Product>>, StoreError> {
        self.store.get(&id).await
    }

    /// The product of this id, or that this slug leads to, be it an earlier one.
    pub(crate) async fn named(&self, name: String) -> Result<Option<Stored<Product>>, StoreError> {
        if let Ok(id) = name.parse() {
            return self.get(id).await;
        }
        let Ok(slug) = Slug::try_from(name) else { return Ok(None) };
        match self.store.get::<Address>(&Address::of(&slug)).await? {
            Some(address) => self.get(address.product_id).await,
            None => Ok(None),
        }
    }

    /// What there is of a product.
    pub(crate) async fn stock_of(&self, product: ProductId) -> Result<Shelf, StoreError> {
        let of_product = doc! { "product_id": product.to_string() };
        let found = self.store.find::<StockItem>(of_product, doc! {}, 0).await?;
        Ok(found.into_iter().map(|item| (item.sku.to_string(), item.value)).collect())
    }

    /// Takes a step of an order's reservation, once.
    pub(crate) async fn step(
        &self,
        receipt: Receipt,
        order_id: OrderId,
        lines: &[Pieces],
        decide: impl Fn(Reservation, &Shelf, Timestamp) -> Result<Change<Reservation>, Obstacle>
        + Clone
        + Send
        + 'static,
    ) -> Result<(), UpdateError<Obstacle>> {
        let mut skus: BTreeSet<Sku> = lines.iter().map(|line| line.sku.clone()).collect();
        loop {
            let decide = decide.clone();
            let scope = (One::<Reservation>(order_id), Many::<StockItem>(skus.clone()));
            let step = move |(known, stock): (Option<Reservation>, Shelf), now| {
                decide(known.unwrap_or_else(|| Reservation::unheard_of(order_id)), &stock, now)
            };
            match self.store.apply(scope, receipt.clone(), step).await {
                // What is set aside are other lines than the event named: look at those, too.
                Err(UpdateError::Refused(Obstacle::OutOfSight { sku }))
                    if skus.insert(sku.clone()) => {}
                done => return done.map(drop),
            }
        }
    }

    /// The orders for which goods are set aside and of which nothing was heard for so long.
    pub(crate) async fn overdue(&self, alarm: Duration) -> Result<Vec<OrderId>, StoreError> {
        let before = self.clock().now().minus(alarm).to_string();
        let quiet = doc! { "state.quiet_since": { "$lte": before } };
        self.store.ids::<Reservation>(quiet, doc! { "state.quiet_since": 1 }, OVERDUE).await
    }
}

impl Retold for Product {
    type State = product::State;

    fn state(&self) -> product::State {
        self.told()
    }
}

impl Retold for StockItem {
    type State = product::Stock;

    fn state(&self) -> product::Stock {
        self.told()
    }
}
