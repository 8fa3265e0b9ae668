//! What is looked for, as a query of the catalogue.

use contracts::Currency;
use mongodb::bson::{Document, doc};

use super::shelves::Sort;
use crate::domain::{Category, Search, Tag, searched};

/// More words do not make a search narrower.
const WORDS: usize = 8;

/// What a shopper looks for. What is asked of variants has to be met by one and the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Words that have to begin a word of the title, the description or the tags.
    pub(crate) search: Option<Search>,
    /// The shelf.
    pub(crate) category: Option<Category>,
    /// A word that has to be among the tags.
    pub(crate) tag: Option<Tag>,
    /// The currency of the variant's price; needed to compare prices of a shop with several.
    pub(crate) currency: Option<Currency>,
    /// The least that a variant may cost, in minor units.
    pub(crate) min_price: Option<i64>,
    /// The most that a variant may cost, in minor units.
    pub(crate) max_price: Option<i64>,
    /// Options of the variant, as `option_key` writes them.
    pub(crate) options: Vec<String>,
    /// Only what can be bought now.
    pub(crate) in_stock: bool,
    /// What is archived, instead of what shoppers see.
    pub(crate) archived: bool,
    /// In what order.
    pub(crate) sort: Sort,
}

impl Wanted {
    pub(super) fn filter(&self) -> Document {
        let mut filter = doc! { "archived": self.archived };
        if let Some(category) = &self.category {
            filter.insert("category", category.as_str());
        }
        if let Some(tag) = &self.tag {
            filter.insert("tags", tag.as_str());
        }
        let variant = self.variant();
        if !variant.is_empty() {
            filter.insert("variants", doc! { "$elemMatch": variant });
        }
        let words: Vec<Document> = self.words().map(|word| begun(&word)).collect();
        if !words.is_empty() {
            filter.insert("$and", words);
        }
        filter
    }

    /// What one variant has to meet; nothing when nothing is asked of it.
    fn variant(&self) -> Document {
        let mut variant = Document::new();
        if self.in_stock {
            variant.insert("in_stock", true);
        }
        if let Some(currency) = self.currency {
            variant.insert("currency", currency.as_str());
        }
        if self.min_price.is_some() || self.max_price.is_some() {
            let least = self.min_price.unwrap_or(0);
            let most = self.max_price.unwrap_or(i64::MAX);
            variant.insert("amount", doc! { "$gte": least, "$lte": most });
        }
        if !self.options.is_empty() {
            variant.insert("options", doc! { "$all": self.options.clone() });
        }
        if !variant.is_empty() {
            variant.insert("on_sale", true);
        }
        variant
    }

    /// The same as [`Self::variant`], as an expression about `$$this`.
    pub(super) fn fits(&self) -> Document {
        let mut all = vec![doc! { "$eq": ["$$this.on_sale", true] }];
        if self.in_stock {
            all.push(doc! { "$eq": ["$$this.in_stock", true] });
        }
        all.extend(self.currency.map(|it| doc! { "$eq": ["$$this.currency", it.as_str()] }));
        all.extend(self.min_price.map(|least| doc! { "$gte": ["$$this.amount", least] }));
        all.extend(self.max_price.map(|most| doc! { "$lte": ["$$this.amount", most] }));
        if !self.options.is_empty() {
            let asked: Vec<_> = self.options.iter().map(|it| doc! { "$literal": it }).collect();
            all.push(doc! { "$setIsSubset": [asked, "$$this.options"] });
        }
        doc! { "$and": all }
    }

    fn words(&self) -> impl Iterator<Item = String> {
        self.search.iter().flat_map(|text| searched(text.as_str())).take(WORDS)
    }

    pub(super) const fn compares_prices(&self) -> bool {
        let sorts = matches!(self.sort, Sort::Price | Sort::PriceDesc);
        sorts || self.min_price.is_some() || self.max_price.is_some()
    }
}

/// A word of the product begins with this.
fn begun(word: &str) -> Document {
    let literal: String = word.chars().flat_map(escaped).collect();
    doc! { "words": { "$regex": format!("^{literal}") } }
}

/// A character that stands for itself in a regular expression.
fn escaped(letter: char) -> impl Iterator<Item = char> {
    let special = letter.is_ascii() && !letter.is_ascii_alphanumeric();
    special.then_some('\\').into_iter().chain([letter])
}
