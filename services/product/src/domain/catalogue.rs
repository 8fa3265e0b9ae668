//! What the catalogue is searched by: one entry per product, derived from it and from its stock.
//!
//! An entry is a document of its own, apart from the product's. It is written in the commit that
//! changes the product, and in one that makes a variant sell out or ends that: so a search needs no
//! stock, a sale makes no edit stale, and only the last piece of a SKU touches an entry.

use std::collections::{BTreeMap, BTreeSet};

use common::{Change, Document};
use contracts::{Currency, ProductId, Sku};
use serde::{Deserialize, Serialize};

use super::options::option_key;
use super::search::{endings_of, words_of};
use super::words::{Category, Tag, Title};
use super::{Address, Addresses, Obstacle, Product, Shelf, StockItem};

/// Entries by their ids, as far as a decision can see them.
pub type Entries = BTreeMap<String, CatalogueEntry>;

/// By how many words an entry is found; a description of 10,000 characters has fewer.
const WORDS: usize = 2000;

/// What a product is found by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Names it, as [`CatalogueEntry::id_of`] says: not the product's id, whose events are counted.
    #[serde(rename = "_id")]
    pub id: String,
    /// The product.
    pub product_id: ProductId,
    /// Whether only staff find it.
    pub archived: bool,
    /// Its name, by which it is sorted.
    pub title: Title,
    /// The shelf it stands on.
    pub category: Option<Category>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The folded words of title, tags and description.
    pub words: Vec<String>,
    /// The currencies of what is on sale.
    pub currencies: BTreeSet<Currency>,
    /// All its variants.
    pub variants: Vec<EntryVariant>,
}

/// What a variant is found by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryVariant {
    /// What the warehouse counts.
    pub sku: Sku,
    /// Its options, each as [`option_key`] writes it.
    pub options: Vec<String>,
    /// What one piece costs, in minor units.
    pub amount: i64,
    /// The currency of the price.
    pub currency: Currency,
    /// Whether it is on sale.
    pub on_sale: bool,
    /// Whether some pieces are available.
    pub in_stock: bool,
}

impl Document for CatalogueEntry {
    const COLLECTION: &'static str = "catalogue";
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }
}

impl CatalogueEntry {
    /// Names the entry of a product. Entries are in the order of their products' ids.
    pub fn id_of(product: ProductId) -> String {
        format!("entry:{product}")
    }

    /// The entry of a product. What is in stock is as `before` says where it knows the variant: only
    /// what moves stock changes that.
    pub fn of(product: &Product, stock: &Shelf, before: Option<&Self>) -> Self {
        let in_stock = |sku: &Sku| {
            let known = before.and_then(|before| before.variant(sku)).map(|it| it.in_stock);
            known.unwrap_or_else(|| stock.get(sku.as_str()).is_some_and(|it| it.available() > 0))
        };
        let variants = product.variants.iter().map(|variant| EntryVariant {
            sku: variant.sku.clone(),
            options: variant.options.iter().map(|(name, value)| option_key(name, value)).collect(),
            amount: variant.price.money().amount,
            currency: variant.price.money().currency,
            on_sale: !variant.off_sale,
            in_stock: in_stock(&variant.sku),
        });
        let variants: Vec<_> = variants.collect();
        Self {
            id: Self::id_of(product.id),
            product_id: product.id,
            archived: product.archived,
            title: product.title.clone(),
            category: product.category.clone(),
            tags: product.tags.clone(),
            words: words(product),
            currencies: variants.iter().filter(|it| it.on_sale).map(|it| it.currency).collect(),
            variants,
        }
    }

    /// The entry with what these items say; `None` when it says so already.
    pub(super) fn with_stock<'a>(
        &self,
        items: impl Iterator<Item = &'a StockItem>,
    ) -> Option<Self> {
        let mut entry = self.clone();
        for item in items {
            for variant in entry.variants.iter_mut().filter(|variant| variant.sku == item.sku) {
                variant.in_stock = item.available() > 0;
            }
        }
        (entry != *self).then_some(entry)
    }

    fn variant(&self, sku: &Sku) -> Option<&EntryVariant> {
        self.variants.iter().find(|variant| variant.sku == *sku)
    }
}

impl Product {
    /// What is derived from the product, where it is missing or says something else.
    pub fn renewed(
        &self,
        entry: Option<CatalogueEntry>,
        stock: &Shelf,
        addresses: &Addresses,
    ) -> Change<()> {
        let now = CatalogueEntry::of(self, stock, None);
        let mut change = Change::none(());
        if entry.is_none_or(|entry| entry != now) {
            change = change.with(&now);
        }
        let skus = self.variants.iter().map(|variant| &variant.sku);
        let unknown = skus.filter(|sku| !addresses.contains_key(&Address::of_sku(sku)));
        unknown.fold(change, |change, sku| change.with(&Address::bearing(sku, self.id)))
    }
}

/// Adds to a change of stock what it means for the catalogue. `loaded` are the products whose
/// entries were looked for; one that has none is left to the job that makes them.
pub fn relisted<T>(
    change: Change<T>,
    stock: &Shelf,
    entries: &Entries,
    loaded: &BTreeSet<ProductId>,
) -> Result<Change<T>, Obstacle> {
    let is_sold_out = |item: &StockItem| item.available() == 0;
    let turned: BTreeMap<Sku, StockItem> =
        change.writes::<StockItem>().into_iter().map(|item| (item.sku.clone(), item)).collect();
    let turned: Vec<_> = turned
        .into_values()
        .filter(|item| stock.get(item.sku.as_str()).map(is_sold_out) != Some(is_sold_out(item)))
        .collect();
    let products: BTreeSet<ProductId> = turned.iter().map(|item| item.product_id).collect();
    products.into_iter().try_fold(change, |change, product_id| {
        if !loaded.contains(&product_id) {
            return Err(Obstacle::NotLoaded { product_id });
        }
        let entry = entries.get(&CatalogueEntry::id_of(product_id));
        let entry = entry.and_then(|entry| entry.with_stock(turned.iter()));
        Ok(match entry {
            Some(entry) => change.with(&entry),
            None => change,
        })
    })
}

fn words(product: &Product) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut words = Vec::new();
    let mut add = |word: String| {
        if words.len() < WORDS && !word.is_empty() && seen.insert(word.clone()) {
            words.push(word);
        }
    };
    let short = std::iter::once(product.title.as_str()).chain(product.tags.iter().map(Tag::as_str));
    for text in short {
        words_of(text, &mut add);
        endings_of(text, &mut add);
    }
    words_of(product.description.as_str(), add);
    words
}
