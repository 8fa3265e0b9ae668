//! What cart knows of the catalogue: its own copies of what product tells.

use std::collections::{BTreeMap, BTreeSet};

use common::Document;
use contracts::product::{State, Stock, Variant};
use contracts::{Money, ProductId, Sku};
use serde::{Deserialize, Serialize};

use super::Line;

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

/// What is for sale, of the SKUs that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    variants: Vec<CopiedVariant>,
    /// The places of the variants that bear a SKU, by SKU in lower case.
    present: Places,
    /// The places of those that bore it before it was corrected.
    former: Places,
}

type Places = BTreeMap<String, BTreeSet<usize>>;

/// A variant as it would be sold. One that is not on sale still bears its SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CopiedVariant {
    on_sale: bool,
    offer: Offer,
}

impl Offers {
    /// What these copies offer. What is archived or off sale is not for sale.
    pub fn of(products: Vec<CopiedProduct>, stock: &[CopiedStock]) -> Self {
        let copied = products.into_iter().flat_map(|product| {
            let CopiedProduct { id, title, variants, archived, .. } = product;
            variants.into_iter().map(move |variant| {
                let Variant { sku, options, price, former_skus, off_sale } = variant;
                let (available, title) = (available(&sku, stock), title.clone());
                let offer =
                    Offer { sku, former_skus, product_id: id, title, options, price, available };
                CopiedVariant { on_sale: !archived && !off_sale, offer }
            })
        });
        let mut variants: Vec<_> = copied.collect();
        variants.sort_by_cached_key(|variant| variant.offer.sku.folded());
        let (mut present, mut former) = (Places::new(), Places::new());
        for (place, CopiedVariant { offer, .. }) in variants.iter().enumerate() {
            present.entry(offer.sku.folded()).or_default().insert(place);
            for sku in &offer.former_skus {
                former.entry(sku.folded()).or_default().insert(place);
            }
        }
        Self { variants, present, former }
    }

    /// What this SKU is sold for, in whatever case it is written. A former SKU leads to what bears
    /// another one now, unless something else bears it.
    pub fn find(&self, sku: &Sku) -> Option<&Offer> {
        let name = sku.folded();
        let bearers = self.present.get(&name).or_else(|| self.former.get(&name))?;
        bearers.iter().find_map(|place| self.variants[*place].sold())
    }

    /// What a line is sold for: the variant of its product that bears or bore its SKU. When several
    /// of them do, it is the one with the line's options. A line of an earlier version names no
    /// product, and means what its SKU leads to.
    pub fn for_line(&self, line: &Line) -> Option<&Offer> {
        let Some(product_id) = line.product_id else { return self.find(&line.sku) };
        let name = line.sku.folded();
        let bearers = [self.present.get(&name), self.former.get(&name)];
        let places: BTreeSet<_> = bearers.into_iter().flatten().flatten().collect();
        let variants = places.into_iter().map(|place| &self.variants[*place]);
        let own: Vec<_> = variants.filter(|it| it.offer.product_id == product_id).collect();
        match own[..] {
            [only] => only.sold(),
            _ => own.iter().filter_map(|it| it.sold()).find(|it| it.options == line.options),
        }
    }
}

impl CopiedVariant {
    fn sold(&self) -> Option<&Offer> {
        self.on_sale.then_some(&self.offer)
    }
}

fn available(sku: &Sku, stock: &[CopiedStock]) -> u32 {
    stock.iter().find(|stock| stock.sku == *sku).map_or(0, |stock| stock.available)
}
