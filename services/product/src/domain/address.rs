//! Slugs and SKUs: the names that lead to one product each.

use std::collections::BTreeMap;

use common::Document;
use contracts::{ProductId, Sku};
use serde::{Deserialize, Serialize};

use super::{Refusal, Slug};

/// Addresses by their ids, as far as a decision can see them.
pub type Addresses = BTreeMap<String, Address>;

/// A slug or a SKU that leads to a product. A slug does so for ever, so that no link breaks when the
/// product is called something else, unless the product is archived and its names are freed. A SKU
/// does so in whatever case it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    #[serde(rename = "_id")]
    id: String,
    /// The product it leads to.
    pub product_id: ProductId,
}

impl Document for Address {
    const COLLECTION: &'static str = "addresses";
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Address {
    /// Names the address of a slug. It can never be mistaken for a SKU, which may read like a slug.
    pub fn of(slug: &Slug) -> String {
        format!("slug:{slug}")
    }

    /// Names the address of a SKU: one for all spellings that differ in case.
    pub fn of_sku(sku: &Sku) -> String {
        format!("sku:{}", sku.folded())
    }

    /// The first of these slugs that leads to no product yet.
    pub(super) fn free(mut slugs: Vec<Slug>, known: &Addresses) -> Result<Slug, Refusal> {
        match slugs.iter().position(|slug| !known.contains_key(&Self::of(slug))) {
            Some(free) => Ok(slugs.swap_remove(free)),
            None => Err(Refusal::SlugTaken { slug: slugs.swap_remove(0) }),
        }
    }

    /// Whether the slug leads to no product yet; refused when it leads to another one.
    pub(super) fn is_new(
        slug: &Slug,
        product_id: ProductId,
        known: &Addresses,
    ) -> Result<bool, Refusal> {
        match known.get(&Self::of(slug)) {
            None => Ok(true),
            Some(address) if address.product_id == product_id => Ok(false),
            Some(_) => Err(Refusal::SlugTaken { slug: slug.clone() }),
        }
    }

    /// From now on the slug leads to this product.
    pub(super) fn leading(slug: &Slug, product_id: ProductId) -> Self {
        Self { id: Self::of(slug), product_id }
    }

    /// From now on the SKU leads to this product.
    pub(super) fn bearing(sku: &Sku, product_id: ProductId) -> Self {
        Self { id: Self::of_sku(sku), product_id }
    }
}
