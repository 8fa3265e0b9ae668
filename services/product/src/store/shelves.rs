//! The shelves: which products a shopper gets to see, and in what order.

use common::Document as _;
use common::store::StoreError;
use contracts::ProductId;
use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Products;
use crate::domain::{Category, Product, Search, StockItem, Tag};

/// More words do not make a search narrower.
const WORDS: usize = 8;
/// There are no more categories than a person can read.
const CATEGORIES: i32 = 1000;

/// What a shopper looks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Words that have to be in the title, the description or the tags.
    pub(crate) search: Option<Search>,
    /// The shelf.
    pub(crate) category: Option<Category>,
    /// A word that has to be among the tags.
    pub(crate) tag: Option<Tag>,
    /// The least that a variant may cost, in minor units.
    pub(crate) min_price: Option<i64>,
    /// The most that a variant may cost, in minor units.
    pub(crate) max_price: Option<i64>,
    /// Only what can be bought now.
    pub(crate) in_stock: bool,
    /// In what order.
    pub(crate) sort: Sort,
}

/// In what order products are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// What went on sale last comes first.
    #[default]
    Newest,
    /// By title.
    Title,
    /// The cheapest first; of a product its cheapest variant counts.
    Price,
    /// The dearest first; of a product its cheapest variant counts.
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
    #[serde(flatten)]
    pub(crate) product: Product,
    /// How often it was changed.
    pub(crate) version: i64,
    /// What there is of it.
    pub(crate) stock: Vec<StockItem>,
    sort_key: Option<Key>,
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

impl Products {
    /// The products that a shopper looks for, with what there is of them.
    pub(crate) async fn shelved(
        &self,
        wanted: &Wanted,
        after: Option<ShelfPlace>,
        limit: i64,
    ) -> Result<Vec<Shelved>, StoreError> {
        let sort = wanted.sort;
        let mut pipeline = vec![doc! { "$match": wanted.filter() }];
        pipeline.extend(sort.key().map(|key| doc! { "$set": { "sort_key": key } }));
        pipeline.extend(after.map(|place| doc! { "$match": place.beyond() }));
        pipeline.push(doc! { "$sort": sort.order() });
        if wanted.in_stock {
            pipeline.extend([stock(), doc! { "$match": { "$expr": available() } }]);
            pipeline.push(doc! { "$limit": limit });
        } else {
            pipeline.extend([doc! { "$limit": limit }, stock()]);
        }
        self.store.aggregate(Product::COLLECTION, pipeline).await
    }

    /// The categories with products that shoppers see, by name.
    pub(crate) async fn categories(&self) -> Result<Vec<Counted>, StoreError> {
        let shown = doc! { "archived": false, "category": { "$ne": Bson::Null } };
        let pipeline = vec![
            doc! { "$match": shown },
            doc! { "$group": { "_id": "$category", "count": { "$sum": 1_i64 } } },
            doc! { "$sort": { "_id": 1 } },
            doc! { "$limit": CATEGORIES },
        ];
        self.store.aggregate(Product::COLLECTION, pipeline).await
    }
}

impl Wanted {
    fn filter(&self) -> Document {
        let mut filter = doc! { "archived": false };
        if let Some(category) = &self.category {
            filter.insert("category", category.as_str());
        }
        if let Some(tag) = &self.tag {
            filter.insert("tags", tag.as_str());
        }
        let (least, most) = (self.min_price, self.max_price);
        if least.is_some() || most.is_some() {
            let bounds = doc! { "$gte": least.unwrap_or(0), "$lte": most.unwrap_or(i64::MAX) };
            filter.insert("variants", doc! { "$elemMatch": { "price.amount": bounds } });
        }
        let words: Vec<Document> = self.words().map(found).collect();
        if !words.is_empty() {
            filter.insert("$and", words);
        }
        filter
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.search.iter().flat_map(|text| text.as_str().split_whitespace()).take(WORDS)
    }
}

impl Sort {
    /// What it sorts by beside the id, of which the latest comes first.
    fn key(self) -> Option<Document> {
        match self {
            Self::Newest => None,
            Self::Title => Some(doc! { "$toLower": "$title" }),
            Self::Price | Self::PriceDesc => Some(doc! { "$min": "$variants.price.amount" }),
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
            Self::Title | Self::Price | Self::PriceDesc => {
                doc! { "sort_key": self.direction().0, "_id": -1 }
            }
        }
    }
}

impl ShelfPlace {
    /// The place of a product.
    pub(crate) fn of(shelved: &Shelved, sort: Sort) -> Self {
        Self { sort, key: shelved.sort_key.clone(), id: shelved.product.id }
    }

    /// What comes after it.
    fn beyond(self) -> Document {
        let later = doc! { "_id": { "$lt": self.id.to_string() } };
        let key: Bson = match self.key {
            None => return later,
            Some(Key::Text(text)) => text.into(),
            Some(Key::Number(number)) => number.into(),
        };
        let further = doc! { "sort_key": { self.sort.direction().1: key.clone() } };
        let same = doc! { "$and": [{ "sort_key": key }, later] };
        doc! { "$or": [further, same] }
    }
}

/// The word is in the title, the description or a tag, in whatever case.
fn found(word: &str) -> Document {
    let literal: String = word.chars().flat_map(escaped).collect();
    let here = |field: &str| doc! { field: { "$regex": &literal, "$options": "i" } };
    doc! { "$or": [here("title"), here("description"), here("tags")] }
}

/// A character that stands for itself in a regular expression.
fn escaped(letter: char) -> impl Iterator<Item = char> {
    let special = letter.is_ascii() && !letter.is_ascii_alphanumeric();
    special.then_some('\\').into_iter().chain([letter])
}

/// Joins what there is of a product.
fn stock() -> Document {
    let joined = doc! {
        "from": StockItem::COLLECTION,
        "localField": "_id",
        "foreignField": "product_id",
        "as": "stock",
    };
    doc! { "$lookup": joined }
}

/// Whether some variant can be bought now.
fn available() -> Document {
    let more = doc! { "$gt": ["$$this.on_hand", "$$this.reserved"] };
    doc! { "$anyElementTrue": [{ "$map": { "input": "$stock", "in": more } }] }
}
