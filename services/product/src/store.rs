//! Where products, stock and reservations are kept and found.

mod ledger;
mod renewal;
mod searches;
mod shelves;
mod wanted;

use std::collections::BTreeSet;
use std::time::Duration;

use common::Service;
use common::store::{Many, One, Receipt, Resting, Retold, Store, StoreError, Stored, UpdateError};
use common::{Change, Clock};
use contracts::product::Pieces;
use contracts::{OrderId, ProductId, Sku, Timestamp, product};
use mongodb::bson::doc;

use crate::domain::{
    Address, CatalogueEntry, Entries, Obstacle, Product, Reservation, Shelf, Slug, StockItem,
    StockMovement, relisted,
};
use searches::Searches;

pub(crate) use ledger::LedgerPlace;
pub(crate) use searches::SearchError;
pub(crate) use shelves::{Counted, ShelfPlace, Shelved, Sort, Versioned};
pub(crate) use wanted::Wanted;

/// How many overdue reservations are asked about in one round; the rest is due in the next.
const OVERDUE: i64 = 500;

/// The catalogue, the stock and what is set aside of it.
#[derive(Clone)]
pub(crate) struct Products {
    store: Store,
    /// Reservations that a periodic job failed on.
    resting: Resting,
    searches: Searches,
}

impl Products {
    /// Makes sure that everything has its place.
    pub(crate) async fn open(service: &Service) -> Result<Self, StoreError> {
        let store = service.store();
        store.collection_of::<Product>().await?;
        store.index::<Address>(doc! { "product_id": 1 }, false).await?;
        shelves::index(&store).await?;
        store.index::<StockItem>(doc! { "product_id": 1 }, false).await?;
        store.index::<Reservation>(doc! { "state.quiet_since": 1 }, false).await?;
        store.index_rows::<StockMovement>(doc! { "product_id": 1, "at": -1, "_id": -1 }).await?;
        let (resting, searches) = (Resting::default(), Searches::default());
        let products = Self { store, resting, searches };
        products.renew_missing().await?;
        Ok(products)
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
        let mut listed = BTreeSet::<ProductId>::new();
        loop {
            let (decide, loaded) = (decide.clone(), listed.clone());
            let entries = Many::<CatalogueEntry>(listed.iter().copied().map(CatalogueEntry::id_of));
            let scope = (One::<Reservation>(order_id), Many::<StockItem>(skus.clone()), entries);
            let step = move |(known, stock, entries): (Option<Reservation>, Shelf, Entries),
                             now| {
                let known = known.unwrap_or_else(|| Reservation::unheard_of(order_id));
                relisted(decide(known, &stock, now)?, &stock, &entries, &loaded)
            };
            match self.store.apply(scope, receipt.clone(), step).await {
                // What is set aside are other lines than the event named: look at those, too.
                Err(UpdateError::Refused(Obstacle::OutOfSight { sku }))
                    if skus.insert(sku.clone()) => {}
                // Something sells out, or ceases to be.
                Err(UpdateError::Refused(Obstacle::NotLoaded { product_id }))
                    if listed.insert(product_id) => {}
                done => return done.map(drop),
            }
        }
    }

    /// The addresses that lead to a product.
    pub(crate) async fn addresses_of(&self, id: ProductId) -> Result<Vec<String>, StoreError> {
        let leading = doc! { "product_id": id.to_string() };
        self.store.ids::<Address>(leading, doc! { "_id": 1 }, 0).await
    }

    /// The orders for which goods are set aside and of which nothing was heard for so long.
    pub(crate) async fn overdue(&self, alarm: Duration) -> Result<Vec<OrderId>, StoreError> {
        let before = self.clock().now().minus(alarm).to_string();
        let quiet = doc! { "state.quiet_since": { "$lte": before } };
        let sort = doc! { "state.quiet_since": 1 };
        self.store.due::<Reservation>(quiet, sort, OVERDUE, &self.resting).await
    }

    /// Lets a reservation rest that a periodic job failed on.
    pub(crate) fn rests(&self, order: &OrderId) {
        self.resting.failed(order, self.clock().now());
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
