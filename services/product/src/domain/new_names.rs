//! Names that staff choose: stricter than those that were stored by earlier rules.

use contracts::{OrderId, ProductId, Sku};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::{Invalid, Slug};

/// Words that stand where a slug does in the paths of the API, or are kept for that.
const RESERVED: [&str; 41] = [
    "all",
    "api",
    "archive",
    "archived",
    "archives",
    "bulk",
    "categories",
    "category",
    "count",
    "docs",
    "draft",
    "drafts",
    "edit",
    "events",
    "export",
    "facets",
    "feed",
    "filters",
    "free",
    "free-names",
    "health",
    "images",
    "import",
    "imports",
    "index",
    "ledger",
    "media",
    "new",
    "openapi",
    "openapi-json",
    "pictures",
    "prices",
    "products",
    "reviews",
    "search",
    "sitemap",
    "stock",
    "suggest",
    "suggestions",
    "tags",
    "variants",
];

/// The slug of a new name: any but the reserved words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Slug", into = "Slug")]
pub struct NewSlug(Slug);

impl TryFrom<Slug> for NewSlug {
    type Error = Invalid;

    fn try_from(slug: Slug) -> Result<Self, Invalid> {
        if slug.is_reserved() {
            let rule = "a slug is none of the words that name a part of the API, such as import";
            Err(Invalid::Bounds(rule))
        } else {
            Ok(Self(slug))
        }
    }
}

impl From<NewSlug> for Slug {
    fn from(slug: NewSlug) -> Self {
        slug.0
    }
}

impl Slug {
    /// Whether it names a part of the API, or may come to.
    pub fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.as_str())
    }
}

/// The SKU of a new variant: any but those that read like the id of something else, as the two
/// would be mistaken for each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Sku", into = "Sku")]
#[schema(value_type = Sku)]
pub struct NewSku(Sku);

impl TryFrom<Sku> for NewSku {
    type Error = Invalid;

    fn try_from(sku: Sku) -> Result<Self, Invalid> {
        let text = sku.as_str();
        let is_id = text.parse::<ProductId>().is_ok() || text.parse::<OrderId>().is_ok();
        if is_id { Err(Invalid::Bounds("a SKU does not read like an id")) } else { Ok(Self(sku)) }
    }
}

impl From<NewSku> for Sku {
    fn from(sku: NewSku) -> Self {
        sku.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_that_reads_like_an_id_is_refused() {
        for (text, fits) in [
            ("ord_00000000000000000000000000000007", false),
            ("prd_00000000000000000000000000000007", false),
            ("ord_7", true),
        ] {
            assert_eq!(serde_json::from_value::<NewSku>(text.into()).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn reserved_words_are_no_new_slugs() {
        for word in ["docs", "import", "facets", "free-names", "images", "stock", "openapi", "new"]
        {
            assert!(serde_json::from_value::<NewSlug>(word.into()).is_err(), "{word}");
        }
        assert!(serde_json::from_value::<NewSlug>("stock-pot".into()).is_ok());
        let stored = serde_json::from_value::<Slug>("images".into());
        assert!(stored.is_ok(), "an earlier one stays readable");
    }
}
