//! The shelves: which products a shopper gets to see, and in what order.

use std::collections::BTreeSet;

use common::Document as _;
use common::store::{Records, Store, StoreError, patiently, read_body, readable_page};
use contracts::text::fold;
use contracts::{Currency, ProductId};
use futures_util::TryStreamExt as _;
use mongodb::action::{Action as _, Aggregate};
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::{Collation, CollationStrength, IndexOptions};
use mongodb::{Collection, IndexModel};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Products;
use super::searches::{SearchError, WORK, failed};
use super::wanted::Wanted;
use crate::domain::{CatalogueEntry, Category, Product, StockItem};

/// There are no more categories than a person can read.
const CATEGORIES: i32 = 1000;

/// In what order products are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// What went on sale last comes first.
    #[default]
    Newest,
    /// By title, as a dictionary has it: case and accents matter only between equal letters.
    Title,
    /// The cheapest first; of a product its cheapest variant that fits counts.
    Price,
    /// The dearest first; of a product its cheapest variant that fits counts.
    PriceDesc,
}

/// Where the list goes on: after this product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShelfPlace {
    /// A place in one order means nothing in another.
    pub(crate) sort: Sort,
    key: Option<Key>,
    id: ProductId,
    /// What the key is an amount of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
}

/// What products are sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Text(String),
    Number(i64),
}

/// A product as it stands on its shelf.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Shelved {
    /// The product.
    pub(crate) product: Versioned,
    /// What there is of it.
    pub(crate) stock: Vec<StockItem>,
    sort_key: Option<Key>,
}

/// A product with how often it was changed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Versioned {
    /// The product.
    #[serde(flatten)]
    pub(crate) product: Product,
    /// How often.
    pub(crate) version: i64,
}

/// A category and how many products stand on its shelf.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Counted {
    /// Its name.
    #[serde(rename = "_id")]
    pub(crate) category: Category,
    /// How many.
    pub(crate) count: i64,
}

/// Makes sure that entries are found by what people look for.
pub(super) async fn index(store: &Store) -> Result<(), StoreError> {
    for keys in [
        doc! { "archived": 1, "_id": -1 },
        doc! { "archived": 1, "category": 1, "_id": -1 },
        doc! { "archived": 1, "currencies": 1 },
        doc! { "tags": 1, "_id": -1 },
        doc! { "words": 1 },
    ] {
        store.index::<CatalogueEntry>(keys, false).await?;
    }
    collated(store, doc! { "archived": 1, "title": 1, "_id": -1 }).await?;
    collated(store, doc! { "archived": 1, "category": 1, "title": 1, "_id": -1 }).await
}

async fn collated(store: &Store, keys: Document) -> Result<(), StoreError> {
    let options = IndexOptions::builder().collation(collation()).build();
    let index = IndexModel::builder().keys(keys).options(options).build();
    let create = async || {
        let entries = store.collection(CatalogueEntry::COLLECTION);
        let made = entries.create_index(index.clone()).await;
        made.map(drop).map_err(|error| StoreError::of(CatalogueEntry::COLLECTION, &error))
    };
    patiently(create).await
}

/// The order of titles: CLDR's root collation, which `en` does not tailor. Case and
/// accents count last, so that `Ähre` comes before `Zebra` (Unicode Technical Standard 10).
fn collation() -> Collation {
    Collation::builder().locale("en").strength(CollationStrength::Tertiary).build()
}

impl Products {
    /// What is wanted, with the currency in which its prices are compared.
    ///
    /// It is the shop's where it has one only; [`SearchError::SeveralCurrencies`] where it does not
    /// and the client named none.
    pub(crate) async fn comparable(&self, wanted: Wanted) -> Result<Wanted, SearchError> {
        if wanted.currency.is_some() || !wanted.compares_prices() {
            return Ok(wanted);
        }
        let _place = self.searches.enter().await?;
        let archived = wanted.archived;
        let any = self.currencies(doc! { "archived": archived, "currencies": { "$gte": "A" } });
        let Some(first) = any.await?.first().copied() else { return Ok(wanted) };
        let (below, above) = (doc! { "$gte": "A", "$lt": first.as_str() }, first.as_str());
        let other = doc! { "archived": archived, "$or": [
            { "currencies": below }, { "currencies": { "$gt": above } },
        ] };
        if self.currencies(other).await?.is_empty() {
            Ok(Wanted { currency: Some(first), ..wanted })
        } else {
            Err(SearchError::SeveralCurrencies)
        }
    }

    /// The products that a shopper looks for, with what there is of them, at most `limit`, without
    /// those that cannot be read.
    pub(crate) async fn shelved(
        &self,
        wanted: &Wanted,
        after: Option<ShelfPlace>,
        limit: i64,
    ) -> Result<Vec<Shelved>, SearchError> {
        let _place = self.searches.enter().await?;
        let found = |most| {
            let sorted = (wanted.sort == Sort::Title).then(collation);
            self.search(page_of(wanted, after.clone(), most), sorted)
        };
        readable_page(CatalogueEntry::COLLECTION, limit, found).await
    }

    /// The categories with products that shoppers see, by name.
    pub(crate) async fn categories(&self) -> Result<Vec<Counted>, SearchError> {
        let shown = doc! { "archived": false, "category": { "$ne": Bson::Null } };
        let pipeline = vec![
            doc! { "$match": shown },
            doc! { "$group": { "_id": "$category", "count": { "$sum": 1_i64 } } },
            doc! { "$sort": { "_id": 1 } },
            doc! { "$limit": CATEGORIES },
        ];
        let _place = self.searches.enter().await?;
        // Without a collation, so that they are told apart as a filter by category does it.
        let found = self.search(pipeline, None).await?.into_iter();
        let mut found = found.map(read::<Counted>).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_cached_key(|it| (fold(it.category.as_str()), it.category.clone()));
        Ok(found)
    }

    async fn search(
        &self,
        pipeline: Vec<Document>,
        collation: Option<Collation>,
    ) -> Result<Vec<Document>, SearchError> {
        let search = async move |entries: Collection<Document>| {
            let found = entries.aggregate(pipeline).max_time(WORK);
            let found = found.optional(collation, Aggregate::collation).await?;
            found.try_collect().await
        };
        self.entries().run(search).await?.map_err(|error| failed(&error))
    }

    /// The currencies of the first entry that fits.
    async fn currencies(&self, filter: Document) -> Result<BTreeSet<Currency>, SearchError> {
        /// Of an entry what it costs in.
        #[derive(Default, Deserialize)]
        struct Priced {
            currencies: BTreeSet<Currency>,
        }
        let search = async move |entries: Collection<Document>| {
            let found = entries.find_one(filter).projection(doc! { "currencies": 1 });
            found.max_time(WORK).await
        };
        let found = self.entries().run(search).await?.map_err(|error| failed(&error))?;
        let priced = found.map(read::<Priced>).transpose()?;
        Ok(priced.unwrap_or_default().currencies)
    }

    fn entries(&self) -> Records {
        self.store.records(CatalogueEntry::COLLECTION)
    }
}

/// The pipeline of a page: places in the order that is wanted, each with its product and stock.
fn page_of(wanted: &Wanted, after: Option<ShelfPlace>, limit: i64) -> Vec<Document> {
    let sort = wanted.sort;
    let mut shown = doc! { "_id": 1, "product_id": 1 };
    shown.extend(sort.key(wanted).map(|key| ("sort_key".to_owned(), key)));
    let shown = doc! { "$project": shown };
    // What is computed has to be so before it is compared; what is stored is read by an index.
    let (first, last) = if sort.is_computed() { (Some(shown), None) } else { (None, Some(shown)) };
    let mut pipeline = vec![doc! { "$match": wanted.filter() }];
    pipeline.extend(after.clone().map(|place| doc! { "$match": place.ahead() }));
    pipeline.extend(first);
    pipeline.extend(after.map(|place| doc! { "$match": place.beyond() }));
    pipeline.extend([doc! { "$sort": sort.order() }, doc! { "$limit": limit }]);
    pipeline.extend(last);
    pipeline.extend([
        joined(Product::COLLECTION, "_id", "product"),
        doc! { "$unwind": "$product" },
        joined(StockItem::COLLECTION, "product_id", "stock"),
    ]);
    pipeline
}

fn read<T: DeserializeOwned>(body: Document) -> Result<T, SearchError> {
    Ok(read_body(CatalogueEntry::COLLECTION, body)?)
}

impl Sort {
    /// What it sorts by beside the id, of which the latest comes first.
    fn key(self, wanted: &Wanted) -> Option<Bson> {
        match self {
            Self::Newest => None,
            Self::Title => Some("$title".into()),
            Self::Price | Self::PriceDesc => {
                let fitting = doc! { "input": "$variants", "cond": wanted.fits() };
                let amounts = doc! { "input": { "$filter": fitting }, "in": "$$this.amount" };
                Some(doc! { "$min": { "$map": amounts } }.into())
            }
        }
    }

    /// Whether its keys go up or down.
    fn direction(self) -> (i32, &'static str) {
        match self {
            Self::Newest | Self::Title | Self::Price => (1, "$gt"),
            Self::PriceDesc => (-1, "$lt"),
        }
    }

    fn order(self) -> Document {
        match self {
            Self::Newest => doc! { "_id": -1 },
            Self::Title => doc! { "title": 1, "_id": -1 },
            Self::Price | Self::PriceDesc => {
                doc! { "sort_key": self.direction().0, "_id": -1 }
            }
        }
    }

    const fn is_computed(self) -> bool {
        matches!(self, Self::Price | Self::PriceDesc)
    }

    /// The field with its key, where the list is sorted.
    const fn field(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Newest | Self::Price | Self::PriceDesc => "sort_key",
        }
    }
}

impl ShelfPlace {
    /// The place of a product in the list of what is wanted.
    pub(crate) fn of(shelved: &Shelved, wanted: &Wanted) -> Self {
        Self {
            sort: wanted.sort,
            key: shelved.sort_key.clone(),
            id: shelved.product.product.id,
            currency: wanted.currency,
        }
    }

    /// Whether it is a place in the list of what is wanted.
    pub(crate) fn is_of(&self, wanted: &Wanted) -> bool {
        self.sort == wanted.sort && self.currency == wanted.currency
    }

    /// What is not before it: a bound for an index, where its keys are stored.
    fn ahead(self) -> Document {
        match (self.sort, self.key) {
            (Sort::Title, Some(Key::Text(title))) => doc! { "title": { "$gte": title } },
            _ => Document::new(),
        }
    }

    /// What comes after it.
    fn beyond(self) -> Document {
        let later = doc! { "_id": { "$lt": CatalogueEntry::id_of(self.id) } };
        let key: Bson = match self.key {
            None => return later,
            Some(Key::Text(text)) => text.into(),
            Some(Key::Number(number)) => number.into(),
        };
        let field = self.sort.field();
        let further = doc! { field: { self.sort.direction().1: key.clone() } };
        let same = doc! { "$and": [{ field: key }, later] };
        doc! { "$or": [further, same] }
    }
}

/// Joins what is kept of an entry's product elsewhere.
fn joined(from: &str, by: &str, name: &str) -> Document {
    let how = doc! { "from": from, "localField": "product_id", "foreignField": by, "as": name };
    doc! { "$lookup": how }
}
