//! Slugs: the names of products in URLs.

use common::Document;
use contracts::ProductId;
use serde::{Deserialize, Serialize};

use super::Slug;

/// A slug that leads to a product. It does so for ever, so that no link breaks when the product is
/// called something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    #[serde(rename = "_id")]
    id: String,
    /// The product it leads to.
    pub(crate) product_id: ProductId,
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
    pub(crate) fn of(slug: &Slug) -> String {
        format!("slug:{slug}")
    }

    /// From now on the slug leads to this product.
    pub(crate) fn leading(slug: &Slug, product_id: ProductId) -> Self {
        Self { id: Self::of(slug), product_id }
    }
}
