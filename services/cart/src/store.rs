//! Where carts and the copies of the catalogue are kept.

use std::collections::BTreeSet;
use std::time::Duration;

use common::Service;
use common::store::{
    Cause, One, Preconditions, Receipt, Store, StoreError, Stored, UpdateError, patiently,
};
use common::{Change, Clock, Document as _};
use contracts::{CartId, Currency, Sku, UserId};
use futures_util::future::join_all;
use mongodb::bson::doc;
use tracing::warn;

use crate::domain::{Cart, CopiedProduct, CopiedStock, Offers, Refusal};
use crate::owner::Owner;

/// A guest's sign-in lasts 30 days and auth forgets a guest after 60: a cart that was not touched
/// for so long is of one that ended.
const ABANDONED_AFTER: Duration = Duration::from_hours(24 * 60);
/// So many carts are removed at once, and so many times in one round.
const PAGE: i64 = 500;
const MOST_PAGES: usize = 100;

/// All carts, and what they are priced by.
#[derive(Clone, Debug)]
pub struct Carts {
    /// The database, and the one way to change it.
    pub store: Store,
    /// What an empty cart costs nothing in.
    pub currency: Currency,
}

impl Carts {
    /// Opens the service's database.
    pub async fn open(service: &Service, currency: Currency) -> Result<Self, StoreError> {
        let store = service.store();
        store.collection_of::<Cart>().await?;
        store.collection_of::<CopiedStock>().await?;
        store.index::<CopiedProduct>(doc! { "variants.sku": 1 }, false).await?;
        store.index::<CopiedProduct>(doc! { "names": 1 }, false).await?;
        store.index::<Cart>(doc! { "touched_at": 1 }, false).await?;
        let carts = Self { store, currency };
        patiently(async || carts.name_copies().await).await?;
        Ok(carts)
    }

    /// Names the copies that an earlier version of the service stored.
    async fn name_copies(&self) -> Result<(), StoreError> {
        let skus = doc! { "$map": { "input": "$variants.sku", "in": { "$toLower": "$$this" } } };
        let named = vec![doc! { "$set": { "names": skus } }];
        let copies = self.store.collection(CopiedProduct::COLLECTION);
        let done = copies.update_many(doc! { "names": { "$exists": false } }, named).await;
        done.map(drop).map_err(|error| StoreError::of(CopiedProduct::COLLECTION, &error))
    }

    /// A person's cart; `None` before anything was put into it.
    pub async fn of(&self, owner: UserId) -> Result<Option<Stored<Cart>>, StoreError> {
        self.store.get::<Cart>(&Cart::id_of(owner)).await
    }

    /// What is in a person's cart, and this SKU, are sold for now.
    pub async fn offers_with(&self, owner: UserId, sku: &Sku) -> Result<Offers, StoreError> {
        let cart = self.of(owner).await?;
        self.offers(cart.iter().flat_map(|cart| cart.skus()).chain([sku])).await
    }

    /// What these SKUs are sold for now.
    pub async fn offers(&self, skus: impl Iterator<Item = &Sku>) -> Result<Offers, StoreError> {
        let (spelled, wanted): (Vec<&str>, BTreeSet<String>) =
            skus.map(|sku| (sku.as_str(), sku.folded())).unzip();
        if wanted.is_empty() {
            return Ok(Offers::default());
        }
        // A copy that an earlier version stored has no names yet.
        let named = doc! { "$or": [
            { "names": { "$in": wanted.iter().collect::<Vec<_>>() } },
            { "variants.sku": { "$in": spelled } },
        ] };
        let products = self.store.find_readable::<CopiedProduct>(named, doc! {}).await?;
        let products: Vec<_> = products.into_iter().map(|stored| stored.value).collect();
        let is_wanted = |sku: &&Sku| wanted.contains(&sku.folded());
        let meant = products.iter().flat_map(|product| &product.variants).filter(|variant| {
            std::iter::once(&variant.sku).chain(&variant.former_skus).any(|sku| is_wanted(&sku))
        });
        let counted: Vec<_> = meant.map(|variant| variant.sku.as_str()).collect();
        let counted = doc! { "_id": { "$in": counted } };
        let stock = self.store.find_readable::<CopiedStock>(counted, doc! {}).await?;
        let stock: Vec<_> = stock.into_iter().map(|stored| stored.value).collect();
        Ok(Offers::of(products, &stock))
    }

    /// Changes a person's cart. Setting what is to be in it needs no receipt: doing it twice comes
    /// to the same.
    pub(crate) async fn edit(
        &self,
        owner: Owner,
        preconditions: Preconditions,
        cause: Cause,
        decide: impl Fn(Cart) -> Result<Change<Cart>, Refusal> + Send + 'static,
    ) -> Result<(), UpdateError<Refusal>> {
        let cart = One::<Cart>(Cart::id_of(owner.id)).matching(preconditions).or_new();
        let edited = self
            .store
            .apply(cart, Receipt::none(cause), move |cart, now| decide(owner.touches(cart, now)?));
        edited.await.map(drop)
    }

    /// What a guest had comes to the account. It happens once, so it needs no receipt; the first of
    /// request and event to say so does it.
    pub async fn merge(
        &self,
        guest: UserId,
        account: UserId,
        cause: Cause,
    ) -> Result<(), UpdateError<Refusal>> {
        if self.of(guest).await?.is_some_and(|cart| cart.moved_to.is_some()) {
            return Ok(());
        }
        let both = (One::<Cart>(Cart::id_of(account)), One::<Cart>(Cart::id_of(guest)));
        let merged = self.store.apply(both, Receipt::none(cause), move |(theirs, guests), now| {
            let theirs = theirs.unwrap_or_else(|| Cart::empty(account)).touched(now);
            Ok(theirs.take_in(guests.unwrap_or_else(|| Cart::empty(guest)).touched(now)))
        });
        merged.await.map(drop)
    }

    /// Removes the carts of guests, and closed ones, that were not touched for so long that their
    /// guest has ended. One that fails is left for the next round.
    pub async fn remove_abandoned(&self) -> Result<(), StoreError> {
        let before = self.clock().now().minus(ABANDONED_AFTER).to_string();
        let abandoned = doc! { "touched_at": { "$lt": before }, "of_guest": true };
        for _ in 0..MOST_PAGES {
            let by_age = doc! { "touched_at": 1 };
            let page = self.store.ids::<Cart>(abandoned.clone(), by_age, PAGE).await?;
            let removed = join_all(page.iter().map(|id| self.remove_one(*id))).await;
            let failed = removed.iter().any(Result::is_err);
            if failed || i64::try_from(page.len()).unwrap_or(PAGE) < PAGE {
                break;
            }
        }
        Ok(())
    }

    async fn remove_one(&self, id: CartId) -> Result<(), UpdateError<Refusal>> {
        let receipt = Receipt::none(Cause::own("abandoned", self.clock()));
        let removed = self.store.apply(One::<Cart>(id), receipt, move |cart, now| {
            Ok(match cart.filter(|cart| cart.is_abandoned(ABANDONED_AFTER, now)) {
                Some(_) => Change::none(()).without::<Cart>(&id),
                None => Change::none(()),
            })
        });
        let removed = removed.await.map(drop);
        if let Err(error) = &removed {
            warn!(cart.id = %id, %error, "an abandoned cart was not removed");
        }
        removed
    }

    /// The service's clock.
    pub fn clock(&self) -> &Clock {
        self.store.clock()
    }
}
