//! What staff may do.

use axum::extract::State;
use common::Clock;
use common::http::{
    Cardless, IdempotencyKey, Json, Listed, Page, Path, Problem, Problems, Query, RequiredIfMatch,
    Worded,
};
use common::identity::Staff;
use common::store::{Answer, Cause, IfMatch, Many, One, Receipt, Saved, Stored};
use contracts::{ProductId, Sku};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::views::{MovementView, ProductView, StockView};
use crate::domain::{
    Address, Addresses, Adjustment, CatalogueEntry, Desk, Draft, Edit, Listing, Product, Refusal,
    Shelf, Slug, StockItem,
};
use crate::store::{LedgerPlace, Products};

/// What a change of a product is decided by.
type Known = ((Option<Product>, Option<CatalogueEntry>), Addresses, Shelf);

/// SKUs and the addresses of pictures may hold long numbers.
impl Worded for Draft {
    const NUMBERS: &'static [&'static str] = &["sku", "images"];
}

impl Worded for Edit {
    const NUMBERS: &'static [&'static str] = &["sku", "new_sku", "images"];
}

impl Worded for Adjustment {
    const NUMBERS: &'static [&'static str] = &["sku"];
}

/// Put a product on sale.
///
/// With the first stock of its variants. Its SKUs have to be free, and its slug if it is chosen.
#[utoipa::path(post, path = "/api/products", tag = "staff", request_body = Draft,
    params(("Idempotency-Key" = Option<String>, Header)), security(("bearer" = [])),
    extensions(("x-problems" = json!({
        "409": ["slug-taken", "sku-taken"],
        "422": ["card-number"]
    }))),
    responses((status = CREATED, body = ProductView, headers(("ETag" = String))), Problems))]
pub(super) async fn create_product(
    State(products): State<Products>,
    staff: Staff,
    key: Option<IdempotencyKey>,
    cause: Cause,
    Cardless(draft): Cardless<Draft>,
) -> Result<Answer, Problem> {
    let (id, actor) = (ProductId::from_uuid(products.clock().uuid()), staff.id);
    let receipt = once(key, &staff, &draft, cause, products.clock());
    let skus: Vec<Sku> = draft.variants.iter().map(|new| new.sku.clone().into()).collect();
    let slugs = draft.slugs(id);
    let addresses = slugs.iter().map(Address::of).chain(skus.iter().map(Address::of_sku));
    let begun = (One::<Product>(id), One::<CatalogueEntry>(CatalogueEntry::id_of(id)));
    let scope = (begun, Many::<Address>(addresses), Many::<StockItem>(skus));
    let create = move |(_, addresses, stock): (_, Addresses, Shelf), now| {
        Product::create(id, draft.clone(), &addresses, &stock, actor, now)
    };
    let created =
        move |saved: &Saved<'_, Listing>| shown(201, saved).located(format!("/api/products/{id}"));
    Ok(products.store().update(scope, receipt, create, created).await?)
}

/// Change a product.
///
/// What is absent stays. Variants that are named change or are added; the others stay. An edit
/// does not go stale by what is sold meanwhile.
#[utoipa::path(patch, path = "/api/products/{id}", tag = "staff", request_body = Edit,
    params(("id" = ProductId, Path), ("If-Match" = String, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!({
        "409": ["slug-taken", "sku-taken"],
        "422": ["card-number"]
    }))),
    responses((status = OK, body = ProductView, headers(("ETag" = String))), Problems))]
pub(super) async fn edit_product(
    State(products): State<Products>,
    staff: Staff,
    Path(id): Path<ProductId>,
    RequiredIfMatch(if_match): RequiredIfMatch,
    key: Option<IdempotencyKey>,
    cause: Cause,
    Cardless(edit): Cardless<Edit>,
) -> Result<Answer, Problem> {
    let seen = products.get(id).await?.ok_or_else(Problem::not_found)?;
    let actor = staff.id;
    let receipt = once(key, &staff, &edit, cause, products.clock());
    let product = One::<Product>(id).matching(Some(still(&seen, if_match)));
    let named = edit.skus();
    let skus = seen.variants.iter().map(|it| it.sku.clone()).chain(named.clone());
    let slug = edit.slug.clone().map(Slug::from);
    let addresses = named.iter().map(Address::of_sku).chain(slug.iter().map(Address::of));
    let known = (product, One::<CatalogueEntry>(CatalogueEntry::id_of(id)));
    let scope = (known, Many::<Address>(addresses), Many::<StockItem>(skus));
    let change = move |((product, entry), addresses, stock): Known, now| {
        let product: Product = product.ok_or(Refusal::NoProduct)?;
        let desk = Desk { addresses: &addresses, actor, now };
        product.edit(edit.clone(), entry.as_ref(), &stock, &desk)
    };
    Ok(products.store().update(scope, receipt, change, |saved| shown(200, saved)).await?)
}

/// Take a product off the shelves.
///
/// Shoppers no longer see it; what orders were promised of it stays promised. An edit puts it back.
#[utoipa::path(delete, path = "/api/products/{id}", tag = "staff",
    params(("id" = ProductId, Path), ("If-Match" = String, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    security(("bearer" = [])), responses((status = NO_CONTENT), Problems))]
pub(super) async fn archive_product(
    State(products): State<Products>,
    staff: Staff,
    Path(id): Path<ProductId>,
    RequiredIfMatch(if_match): RequiredIfMatch,
    key: Option<IdempotencyKey>,
    cause: Cause,
) -> Result<Answer, Problem> {
    let receipt = once(key, &staff, &(), cause, products.clock());
    let product = One::<Product>(id).matching(Some(if_match));
    let scope = (product, One::<CatalogueEntry>(CatalogueEntry::id_of(id)));
    let archive = |(product, entry): (Option<Product>, Option<CatalogueEntry>), _| {
        product.map(|product| product.archive(entry)).ok_or(Refusal::NoProduct)
    };
    Ok(products.store().update(scope, receipt, archive, |_| Answer::empty(204)).await?)
}

/// Free the names of an archived product.
///
/// Other products may bear its slugs and SKUs from then on. Its stock has to be counted out before.
/// The product keeps what is said of it, under a slug of its own, and has no variants any more; what
/// comes back of orders for it is not for sale again.
#[utoipa::path(post, path = "/api/products/{id}/free-names", tag = "staff",
    params(("id" = ProductId, Path), ("If-Match" = String, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!({ "409": ["not-archived", "stock-left"] }))),
    responses((status = OK, body = ProductView, headers(("ETag" = String))), Problems))]
pub(super) async fn free_names(
    State(products): State<Products>,
    staff: Staff,
    Path(id): Path<ProductId>,
    RequiredIfMatch(if_match): RequiredIfMatch,
    key: Option<IdempotencyKey>,
    cause: Cause,
) -> Result<Answer, Problem> {
    let seen = products.get(id).await?.ok_or_else(Problem::not_found)?;
    let receipt = once(key, &staff, &(), cause, products.clock());
    let product = One::<Product>(id).matching(Some(still(&seen, if_match)));
    let mut addresses = products.addresses_of(id).await?;
    addresses.push(Address::of(&Slug::told_apart(None, id)));
    let skus = seen.variants.iter().map(|variant| variant.sku.clone());
    let known = (product, One::<CatalogueEntry>(CatalogueEntry::id_of(id)));
    let scope = (known, Many::<Address>(addresses), Many::<StockItem>(skus));
    let free = move |((product, entry), addresses, stock): Known, _| {
        let product: Product = product.ok_or(Refusal::NoProduct)?;
        product.free(&addresses, &stock, entry.as_ref())
    };
    Ok(products.store().update(scope, receipt, free, |saved| shown(200, saved)).await?)
}

/// Count pieces in or out.
///
/// Never more out than are available: what is promised to orders stays.
#[utoipa::path(post, path = "/api/products/{id}/stock", tag = "staff", request_body = Adjustment,
    params(("id" = ProductId, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!({
        "409": ["too-few-available", "too-many-on-hand"],
        "422": ["card-number"]
    }))),
    responses((status = OK, body = StockView), Problems))]
pub(super) async fn adjust_stock(
    State(products): State<Products>,
    staff: Staff,
    Path(id): Path<ProductId>,
    key: IdempotencyKey,
    Cardless(counted): Cardless<Adjustment>,
) -> Result<Answer, Problem> {
    let (receipt, actor) = (key.by(staff.id, &counted), staff.id);
    let seen = products.get(id).await?.ok_or_else(Problem::not_found)?;
    let sku = seen.borne(&counted.sku).unwrap_or_else(|| counted.sku.clone());
    let counted = Adjustment { sku: sku.clone(), ..counted };
    let scope = (
        One::<Product>(id),
        Many::<StockItem>([sku]),
        One::<CatalogueEntry>(CatalogueEntry::id_of(id)),
    );
    let adjust = move |(product, stock, entry): (Option<Product>, Shelf, _), now| {
        product.ok_or(Refusal::NoProduct)?.count(counted.clone(), &stock, entry, actor, now)
    };
    let adjusted = |saved: &Saved<'_, StockItem>| Answer::new(200, &StockView::from(saved.value));
    Ok(products.store().update(scope, receipt, adjust, adjusted).await?)
}

/// Which part of a ledger is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Movements {
    /// Of this variant alone.
    #[param(value_type = Option<Sku>)]
    sku: Option<Sku>,
}

/// Read the stock ledger.
///
/// Every change of the product's stock and why it came about, the latest first.
#[utoipa::path(get, path = "/api/products/{id}/stock/ledger", tag = "staff",
    params(("id" = ProductId, Path), Movements, Page), security(("bearer" = [])),
    responses((status = OK, body = Listed<MovementView>), Problems))]
pub(super) async fn read_ledger(
    State(products): State<Products>,
    _: Staff,
    Path(id): Path<ProductId>,
    Query(of): Query<Movements>,
    page: Page,
) -> Result<Json<Listed<MovementView>>, Problem> {
    let product = products.get(id).await?.ok_or_else(Problem::not_found)?;
    let after = page.after::<LedgerPlace>()?;
    let sku = of.sku.map(|sku| product.borne(&sku).unwrap_or(sku));
    let read = products.ledger(id, sku.as_ref(), after, page.look_ahead()).await?;
    Ok(Json(Listed::of(read, &page, LedgerPlace::of).map(MovementView::from)))
}

/// The receipt of a change. Without a key of the client's one is drawn, so that a commit whose
/// result is unknown is not taken for another's.
fn once(
    key: Option<IdempotencyKey>,
    staff: &Staff,
    body: &impl Serialize,
    cause: Cause,
    clock: &Clock,
) -> Receipt {
    match key {
        Some(key) => key.by(staff.id, body),
        None => Receipt::generated(cause, clock),
    }
}

/// What the product must still be: the version that was seen, if that is one the client named. So
/// the stock that was looked up beside it is that of its variants.
fn still(seen: &Stored<Product>, if_match: IfMatch) -> IfMatch {
    match IfMatch::parse(&seen.tag().to_string()) {
        Ok(exactly) if if_match.matches(&seen.tag()) => exactly,
        Ok(_) | Err(_) => if_match,
    }
}

/// A product as it will be stored.
fn shown(status: u16, saved: &Saved<'_, Listing>) -> Answer {
    let Listing { product, stock } = saved.value;
    let view = ProductView::of(product, saved.version_of(product), stock.values());
    Answer::new(status, &view).tagged(&saved.tag_of(product))
}
