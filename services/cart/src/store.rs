//! Where carts and the copies of the catalogue are kept.

use common::Service;
use common::store::{Cause, One, Preconditions, Receipt, Store, StoreError, Stored, UpdateError};
use common::{Change, Clock};
use contracts::{Currency, Sku, UserId};
use mongodb::bson::{Array, doc};

use crate::domain::{Cart, CopiedProduct, CopiedStock, Offers, Refusal};

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
        Ok(Self { store, currency })
    }

    /// A person's cart; `None` before anything was put into it.
    pub async fn of(&self, owner: UserId) -> Result<Option<Stored<Cart>>, StoreError> {
        self.store.get::<Cart>(&Cart::id_of(owner)).await
    }

    /// What these SKUs are sold for now.
    pub async fn offers(&self, skus: impl Iterator<Item = &Sku>) -> Result<Offers, StoreError> {
        let wanted: Array = skus.map(|sku| sku.as_str().into()).collect();
        if wanted.is_empty() {
            return Ok(Offers::default());
        }
        let limit = i64::try_from(wanted.len()).unwrap_or(i64::MAX);
        let sold = doc! { "variants.sku": { "$in": wanted.clone() } };
        let counted = doc! { "_id": { "$in": wanted } };
        let (products, stock) = tokio::try_join!(
            self.store.find::<CopiedProduct>(sold, doc! {}, limit),
            self.store.find::<CopiedStock>(counted, doc! {}, limit),
        )?;
        let products = products.into_iter().map(|stored| stored.value).collect();
        let stock: Vec<_> = stock.into_iter().map(|stored| stored.value).collect();
        Ok(Offers::of(products, &stock))
    }

    /// Changes a person's cart. Setting what is to be in it needs no receipt: doing it twice comes
    /// to the same.
    pub async fn edit(
        &self,
        owner: UserId,
        preconditions: Preconditions,
        cause: Cause,
        decide: impl Fn(Cart) -> Result<Change<Cart>, Refusal> + Send + 'static,
    ) -> Result<(), UpdateError<Refusal>> {
        let cart = One::<Cart>(Cart::id_of(owner)).matching(preconditions).or_new();
        let edited = self.store.apply(cart, Receipt::none(cause), move |cart, _| {
            decide(cart.unwrap_or_else(|| Cart::empty(owner)).in_use()?)
        });
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
        let merged = self.store.apply(both, Receipt::none(cause), move |(theirs, guests), _| {
            let theirs = theirs.unwrap_or_else(|| Cart::empty(account));
            Ok(theirs.take_in(guests.unwrap_or_else(|| Cart::empty(guest))))
        });
        merged.await.map(drop)
    }

    /// The service's clock.
    pub fn clock(&self) -> &Clock {
        self.store.clock()
    }
}
