//! What the demo shop sells.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::Context as _;
use contracts::{Money, Sku};
use serde::{Deserialize, Serialize};

/// The demo catalogue as it is in the repository.
pub(crate) const DEMO: &str = include_str!("../catalogue.json");

/// Products, each as it is sent to the shop.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Catalogue {
    /// In the order in which they are shown.
    pub(crate) products: Vec<Product>,
}

/// Something to sell.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Product {
    title: String,
    pub(crate) slug: String,
    description: String,
    category: String,
    tags: Vec<String>,
    options: Vec<String>,
    variants: Vec<Variant>,
}

/// One form in which it is sold.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    sku: Sku,
    options: BTreeMap<String, String>,
    price: Money,
    on_hand: u32,
}

impl Catalogue {
    /// The demo catalogue.
    pub(crate) fn demo() -> anyhow::Result<Self> {
        serde_json::from_str(DEMO).context("the demo catalogue")
    }
}

impl Product {
    /// Names the request that sells exactly this, so that repeating it does nothing.
    pub(crate) fn key(&self) -> anyhow::Result<String> {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(self)?.hash(&mut hasher);
        Ok(format!("demo-{}-{:016x}", self.slug, hasher.finish()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use contracts::Currency;

    use super::*;
    fn demo() -> Vec<Product> {
        Catalogue::demo().unwrap().products
    }

    #[test]
    fn the_demo_has_something_for_everybody() {
        let products = demo();

        let categories: HashSet<_> = products.iter().map(|it| &it.category).collect();
        assert!(products.len() >= 40, "{}", products.len());
        assert!(categories.len() >= 8, "{categories:?}");
        assert!(products.iter().all(|it| it.description.len() > 100 && !it.tags.is_empty()));
    }

    #[test]
    fn every_slug_and_every_sku_is_there_once() {
        let products = demo();

        let slugs: HashSet<_> = products.iter().map(|it| &it.slug).collect();
        let skus: Vec<_> = products.iter().flat_map(|it| &it.variants).map(|it| &it.sku).collect();
        assert_eq!(slugs.len(), products.len());
        assert_eq!(skus.iter().collect::<HashSet<_>>().len(), skus.len());
    }

    #[test]
    fn every_variant_says_what_tells_it_from_the_others_and_costs_euros() {
        for product in demo() {
            let options: HashSet<_> = product.options.iter().collect();
            let forms: HashSet<_> = product.variants.iter().map(|it| &it.options).collect();

            assert_eq!(forms.len(), product.variants.len(), "{}", product.slug);
            for variant in &product.variants {
                assert_eq!(variant.options.keys().collect::<HashSet<_>>(), options);
                assert_eq!(variant.price.currency, Currency::EUR);
                assert!(variant.price.amount > 0, "{}", variant.sku);
            }
        }
    }
}
