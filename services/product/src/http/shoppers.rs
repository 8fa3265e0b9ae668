//! What anyone may see.

use axum::extract::State;
use common::http::{Json, Listed, Page, Path, Problem, Problems, Query, Tagged};
use common::identity::Staff;
use contracts::Currency;
use serde::Deserialize;
use utoipa::IntoParams;

use super::options::Options;
use super::views::{CategoryView, ProductView};
use crate::domain::{Category, Search, Tag};
use crate::store::{Products, ShelfPlace, Sort, Wanted};

/// What is looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Looking {
    /// Words with which words of the title, the description or the tags begin, all of them; case,
    /// accents and kinds of apostrophes make no difference. At most 100 characters, of which the
    /// first eight words count. In titles and tags they are found within words, too.
    #[param(value_type = Option<String>, max_length = 100, example = "blue mug")]
    q: Option<Search>,
    /// The shelf.
    #[param(value_type = Option<String>)]
    category: Option<Category>,
    /// A word that has to be among the tags.
    #[param(value_type = Option<String>)]
    tag: Option<Tag>,
    /// Only variants with a price in this currency (ISO 4217). To compare prices (`min_price`,
    /// `max_price`, `sort` by price) it is needed where the shop has prices in several currencies.
    #[param(value_type = Option<Currency>)]
    currency: Option<Currency>,
    /// The least that a variant may cost, in minor units.
    min_price: Option<i64>,
    /// The most that a variant may cost, in minor units.
    max_price: Option<i64>,
    /// Options that a variant has, as `name:value` parted by commas; a backslash before `:`, `,` or
    /// a backslash takes it literally. Case and accents make no difference.
    #[param(value_type = Option<String>, max_length = 400, example = "colour:blue,size:M")]
    options: Options,
    /// Only what can be bought now. Price, currency and options have to be those of one and the same
    /// variant that can be.
    #[param(value_type = Option<bool>)]
    in_stock: bool,
    /// What is archived, instead of what shoppers see; for staff.
    #[param(value_type = Option<bool>)]
    archived: bool,
    /// In what order.
    #[param(value_type = Option<Sort>, inline)]
    sort: Sort,
}

/// List products.
///
/// What stands on the shelves, with how many pieces of each variant can be bought now. In order of
/// price are those only that have a price in the currency. Too many searches at once are answered
/// with 503 and `Retry-After`.
#[utoipa::path(get, path = "/api/products", tag = "products", params(Looking, Page),
    security((), ("bearer" = [])),
    responses((status = OK, body = Listed<ProductView>), Problems))]
pub(super) async fn list_products(
    State(products): State<Products>,
    staff: Result<Staff, Problem>,
    Query(looking): Query<Looking>,
    page: Page,
) -> Result<Json<Listed<ProductView>>, Problem> {
    if looking.archived {
        staff?;
    }
    let after = page.after::<ShelfPlace>()?;
    let wanted = products.comparable(Wanted::from(looking)).await?;
    if after.as_ref().is_some_and(|place| !place.is_of(&wanted)) {
        return Err(Problem::malformed().because("cursor is one of another order"));
    }
    let shelved = products.shelved(&wanted, after, page.look_ahead()).await?;
    let listed = Listed::of(shelved, &page, |product| ShelfPlace::of(product, &wanted));
    Ok(Json(listed.map(ProductView::from)))
}

/// Read a product.
///
/// By its id or by a slug that leads to it. What is archived is shown to staff only.
#[utoipa::path(get, path = "/api/products/{id}", tag = "products",
    params(("id" = String, Path, description = "its id or its slug", example = "enamel-mug")),
    responses((status = OK, body = ProductView), Problems))]
pub(super) async fn get_product(
    State(products): State<Products>,
    staff: Result<Staff, Problem>,
    Path(name): Path<String>,
) -> Result<Tagged<ProductView>, Problem> {
    let found = products.named(name).await?.filter(|it| !it.archived || staff.is_ok());
    let product = found.ok_or_else(Problem::not_found)?;
    let stock = products.stock_of(product.id).await?;
    let view = ProductView::of(&product, product.version(), stock.values());
    Ok(Tagged(product.tag(), view))
}

/// List categories.
///
/// All that have products on their shelf, by name.
#[utoipa::path(get, path = "/api/categories", tag = "products",
    responses((status = OK, body = Listed<CategoryView>), Problems))]
pub(super) async fn list_categories(
    State(products): State<Products>,
) -> Result<Json<Listed<CategoryView>>, Problem> {
    let items = products.categories().await?.into_iter().map(CategoryView::from).collect();
    Ok(Json(Listed { items, next_cursor: None }))
}

impl From<Looking> for Wanted {
    fn from(looking: Looking) -> Self {
        let Looking { q, category, tag, currency, min_price, max_price, options, .. } = looking;
        let Looking { in_stock, archived, sort, .. } = looking;
        let (search, options) = (q, options.keys());
        Self {
            search,
            category,
            tag,
            currency,
            min_price,
            max_price,
            options,
            in_stock,
            archived,
            sort,
        }
    }
}
