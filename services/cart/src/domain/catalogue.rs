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
    /// Its SKUs and former SKUs in lower case, by which it is found.
    #[serde(default)]
    pub names: Vec<String>,
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
        let skus = variants.iter().flat_map(|it| std::iter::once(&it.sku).chain(&it.former_skus));
        let names = skus.map(Sku::folded).collect();
        Self { id: product_id, title, variants, archived, names }
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
    /// The SKU as the shop spells it now.
    pub sku: Sku,
    /// The SKUs that it bore before they were corrected.
    pub former_skus: Vec<Sku>,
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

/// What is for sale, of the SKUs that were asked for, by SKU in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers(BTreeMap<String, Offer>);

impl Offers {
    /// What these copies offer. What is archived or off sale is not for sale.
    pub fn of(products: Vec<CopiedProduct>, stock: &[CopiedStock]) -> Self {
        let sold = products.into_iter().filter(|product| !product.archived);
        let offers = sold.flat_map(|product| {
            let CopiedProduct { id, title, variants, .. } = product;
            let on_sale = variants.into_iter().filter(|variant| !variant.off_sale);
            on_sale.map(move |variant| {
                let Variant { sku, options, price, former_skus, off_sale: _ } = variant;
                let (available, title) = (available(&sku, stock), title.clone());
                let name = sku.folded();
                (name, Offer { sku, former_skus, product_id: id, title, options, price, available })
            })
        });
        Self(offers.collect())
    }

    /// What this SKU is sold for, in whatever case it is written. A former SKU leads to what bears
    /// another one now, unless something else bears it.
    pub fn find(&self, sku: &Sku) -> Option<&Offer> {
        let present = self.0.get(&sku.folded());
        let by_former =
            |offer: &&Offer| offer.former_skus.iter().any(|former| former.is_same_as(sku));
        present.or_else(|| self.0.values().find(by_former))
    }
}

fn available(sku: &Sku, stock: &[CopiedStock]) -> u32 {
    stock.iter().find(|stock| stock.sku == *sku).map_or(0, |stock| stock.available)
}
