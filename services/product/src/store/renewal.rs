//! Makes what is derived from products and stock, where it is missing or out of date.
//!
//! Every change writes it. What an earlier version of the service stored lacks it, and what one
//! changes during a rolling upgrade leaves it behind.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use common::store::{Cause, Many, One, Receipt, StoreError, Stored, patiently};
use common::{Change, Document as _};
use contracts::Sku;
use futures_util::future::join_all;
use mongodb::bson::doc;
use tracing::{info, warn};

use super::Products;
use crate::domain::{Address, CatalogueEntry, Product, Shelf, StockItem};

/// So many products are compared at once.
const PAGE: i64 = 256;

impl Products {
    /// Makes the entries and addresses that are missing, so that a service whose database an earlier
    /// version filled does not serve an empty shop.
    pub(super) async fn renew_missing(&self) -> Result<(), StoreError> {
        let count = async |name: &str| {
            let found = self.store.collection(name).estimated_document_count().await;
            found.map_err(|error| StoreError::of(name, &error))
        };
        let products = patiently(async || count(Product::COLLECTION).await).await?;
        let entries = patiently(async || count(CatalogueEntry::COLLECTION).await).await?;
        if entries >= products {
            return Ok(());
        }
        info!(products, entries, "making the catalogue");
        patiently(async || self.renew().await).await
    }

    /// Compares all products with their entries and their SKUs' addresses, and renews those that
    /// differ. One that fails, or cannot be read, is left for the next round.
    pub(crate) async fn renew(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let next = doc! { "_id": { "$gt": &after } };
            let ids = self.store.ids::<Product>(next, doc! { "_id": 1 }, PAGE).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = last.to_string();
            let of_page = doc! { "$in": ids.iter().map(ToString::to_string).collect::<Vec<_>>() };
            let page = self.store.find_readable(doc! { "_id": of_page }, doc! {}).await?;
            let outdated = self.outdated(&page).await?;
            join_all(outdated.iter().map(|product| self.renew_one(product))).await;
        }
    }

    async fn outdated<'a>(
        &self,
        page: &'a [Stored<Product>],
    ) -> Result<Vec<&'a Stored<Product>>, StoreError> {
        let ids: Vec<_> = page.iter().map(|product| product.id.to_string()).collect();
        let named: Vec<_> = page.iter().map(|it| CatalogueEntry::id_of(it.id)).collect();
        let of_page = doc! { "product_id": { "$in": ids.clone() } };
        let bearing = doc! { "product_id": { "$in": ids }, "_id": { "$regex": "^sku:" } };
        let entries: Vec<Stored<CatalogueEntry>> =
            self.store.find_readable(doc! { "_id": { "$in": named } }, doc! {}).await?;
        let stock: Vec<Stored<StockItem>> = self.store.find_readable(of_page, doc! {}).await?;
        let addresses: Vec<Stored<Address>> = self.store.find_readable(bearing, doc! {}).await?;
        let entries: BTreeMap<_, _> =
            entries.iter().map(|entry| (entry.product_id, &entry.value)).collect();
        let stock: Shelf = stock.into_iter().map(|it| (it.sku.to_string(), it.value)).collect();
        let bearing: BTreeSet<_> = addresses.iter().map(|address| address.value.id()).collect();
        let is_outdated = |product: &&Stored<Product>| {
            let is_borne = |sku: &Sku| bearing.contains(&Address::of_sku(sku));
            entries.get(&product.id) != Some(&&CatalogueEntry::of(&product.value, &stock, None))
                || !product.variants.iter().all(|variant| is_borne(&variant.sku))
        };
        Ok(page.iter().filter(is_outdated).collect())
    }

    async fn renew_one(&self, product: &Stored<Product>) {
        let id = product.id;
        let skus: Vec<Sku> = product.variants.iter().map(|variant| variant.sku.clone()).collect();
        let scope = (
            One::<Product>(id),
            One::<CatalogueEntry>(CatalogueEntry::id_of(id)),
            Many::<StockItem>(skus.clone()),
            Many::<Address>(skus.iter().map(Address::of_sku)),
        );
        let receipt = Receipt::none(Cause::own("catalogue", self.clock()));
        let renew = move |(product, entry, stock, addresses): (Option<Product>, _, Shelf, _), _| {
            Ok::<_, Infallible>(match product {
                Some(product) => product.renewed(entry, &stock, &addresses),
                None => Change::none(()),
            })
        };
        if let Err(error) = self.store.apply(scope, receipt, renew).await {
            warn!(product.id = %id, %error, "the catalogue's entry was not renewed");
        }
    }
}
