//! What shoppers see of the shop, and what staff may do to its shelves.

mod options;
mod shoppers;
mod staff;
mod views;

use std::time::Duration;

use common::http::{Problem, body_up_to};
use common::openapi::documented;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::domain::Refusal;
use crate::store::{Products, SearchError};

/// When to search again after too many others did.
const SOON: Duration = Duration::from_secs(1);

const ABOUT: &str = "What is for sale, how much of it there is, and for which orders it is set \
    aside. Reading is for anyone; changing is for staff.";

/// Bytes of a product as it is sent: its description has 10,000 characters, and it has 100 variants.
const PRODUCT: usize = 256 * 1024;

/// Every endpoint of the service.
pub(crate) fn router() -> OpenApiRouter<Products> {
    let routes = OpenApiRouter::new()
        .routes(routes!(shoppers::list_products, staff::create_product).layer(body_up_to(PRODUCT)))
        .routes(
            routes!(shoppers::get_product, staff::edit_product, staff::archive_product)
                .layer(body_up_to(PRODUCT)),
        )
        .routes(routes!(shoppers::list_categories))
        .routes(routes!(staff::free_names))
        .routes(routes!(staff::adjust_stock))
        .routes(routes!(staff::read_ledger));
    documented(routes, "/api/products", "Souk: products", ABOUT)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let in_variant = |at: &usize, field: &str| {
            Self::invalid().at(format!("/variants/{at}/{field}"), &refusal)
        };
        let problem = match &refusal {
            Refusal::NoProduct => Self::not_found(),
            Refusal::SlugTaken { .. } => Self::conflict("slug-taken").at("/slug", &refusal),
            Refusal::SkuTaken { at, .. } => {
                Self::conflict("sku-taken").at(format!("/variants/{at}/sku"), &refusal)
            }
            Refusal::SkuTwice { at, .. } | Refusal::NotThere { at, .. } => in_variant(at, "sku"),
            Refusal::SameOptions { at, .. } => in_variant(at, "options"),
            Refusal::NoPrice { at } => in_variant(at, "price"),
            Refusal::NotInitial { at, .. } => in_variant(at, "on_hand"),
            Refusal::NoVariants => Self::invalid().at("/variants", &refusal),
            Refusal::NoOption { .. } => Self::invalid().at("/options", &refusal),
            Refusal::TooLong { what, .. } => Self::invalid().at(format!("/{what}"), &refusal),
            Refusal::NoVariant { .. } => Self::invalid().at("/sku", &refusal),
            Refusal::NotArchived => Self::conflict("not-archived"),
            Refusal::StockLeft { sku, on_hand, reserved } => {
                let left = Self::conflict("stock-left").with("sku", sku);
                left.with("on_hand", on_hand).with("reserved", reserved)
            }
            Refusal::TooFew { available } => {
                Self::conflict("too-few-available").with("available", available)
            }
            Refusal::TooMany { on_hand } => {
                Self::conflict("too-many-on-hand").with("on_hand", on_hand)
            }
        };
        problem.because(refusal)
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Busy | SearchError::TooSlow => Self::unavailable(SOON).because(error),
            SearchError::SeveralCurrencies => Self::malformed().because(format!("query: {error}")),
            SearchError::Store(error) => error.into(),
        }
    }
}
