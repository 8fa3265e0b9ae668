//! What cart knows of the catalogue: its own copies of what product tells.

use std::collections::BTreeMap;

use common::Document;
use contracts::product::{State, Stock, Variant};
use contracts::{Money, ProductId, Sku};
use serde::{Deserialize, Serialize};

/// A product, as product told it last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopiedProduct {
    /// The product.
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// Its name for people.
    pub title: String,
    /// What can be bought of it.
    pub variants: Vec<Variant>,
    /// Whether it is no longer sold.
    pub archived: bool,
}

/// How many pieces of a SKU can be sold, as product told it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedStock {
    /// What.
    #[serde(rename = "_id")]
    pub sku: Sku,
    /// How many.
    pub available: u32,
}

impl Document for CopiedProduct {
    const COLLECTION: &'static str = "catalogue";
    type Id = ProductId;

    fn id(&self) -> ProductId {
        self.id
    }
}

impl Document for CopiedStock {
    const COLLECTION: &'static str = "stock";
    type Id = Sku;

    fn id(&self) -> Sku {
        self.sku.clone()
    }
}

impl From<State> for CopiedProduct {
    fn from(told: State) -> Self {
        let State { product_id, title, variants, archived, slug: _ } = told;
        Self { id: product_id, title, variants, archived }
    }
}

impl From<Stock> for CopiedStock {
    fn from(told: Stock) -> Self {
        Self { sku: told.sku, available: told.available }
    }
}

/// What one SKU is sold for now, and how much of it there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Of which product.
    pub product_id: ProductId,
    /// The product's name.
    pub title: String,
    /// What tells the variant from the others.
    pub options: BTreeMap<String, String>,
    /// What one piece costs.
    pub price: Money,
    /// How many pieces can be sold; the order has the last word.
    pub available: u32,
}

/// What is for sale, of the SKUs that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers(BTreeMap<Sku, Offer>);

impl Offers {
    /// What these copies offer. What is archived is not for sale.
    pub fn of(products: Vec<CopiedProduct>, stock: &[CopiedStock]) -> Self {
        let sold = products.into_iter().filter(|product| !product.archived);
        let offers = sold.flat_map(|product| {
            let CopiedProduct { id, title, variants, .. } = product;
            variants.into_iter().map(move |variant| {
                let Variant { sku, options, price } = variant;
                let available = available(&sku, stock);
                (sku, Offer { product_id: id, title: title.clone(), options, price, available })
            })
        });
        Self(offers.collect())
    }

    /// What this SKU is sold for.
    pub fn find(&self, sku: &Sku) -> Option<&Offer> {
        self.0.get(sku)
    }
}

fn available(sku: &Sku, stock: &[CopiedStock]) -> u32 {
    stock.iter().find(|stock| stock.sku == *sku).map_or(0, |stock| stock.available)
}
