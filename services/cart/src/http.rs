//! What a shopper may do with their cart.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use common::http::{Cardless, IdempotencyKey, Path, Problem, Problems, Tagged, Worded};
use common::store::{Answer, Cause, One, Preconditions};
use contracts::{CartId, Money, OrderId, ProductId, Quantity, Sku, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{Cart, Line, Offers, Priced, PricedLine, Refusal, Trouble};
use crate::owner::Owner;
use crate::store::Carts;

/// Everything under `/api/cart`.
pub fn router() -> OpenApiRouter<Carts> {
    let routes = OpenApiRouter::new()
        .routes(routes!(get_cart, clear_cart))
        .routes(routes!(put_item, remove_item))
        .routes(routes!(check_out));
    common::openapi::documented(
        routes,
        "/api/cart",
        "Souk: cart",
        "What a shopper means to buy, at the prices of now, until it is checked out.",
    )
}

/// How many pieces are to be in the cart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// From 1 to 999.
    quantity: Quantity,
}

impl Worded for Wanted {}

/// What the shopper accepts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Accepted {
    /// The total that the shopper saw; another price is not charged.
    expected_total: Money,
}

impl Worded for Accepted {}

/// The order that comes of a cart.
#[derive(Debug, Serialize, ToSchema)]
struct CheckedOutView {
    /// Follow it at `/api/orders/{order_id}`.
    order_id: OrderId,
}

/// A cart as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cart)]
struct CartView {
    id: CartId,
    lines: Vec<LineView>,
    /// What a guest had and found no place among the account's 100 lines when the guest signed in;
    /// absent when there is none. At most 100 SKUs. Putting or removing a SKU takes it off this
    /// list, emptying the cart or checking it out takes all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_behind: Vec<LeftBehindView>,
    /// The sum of the lines that are for sale and not too expensive.
    subtotal: Money,
    /// What is taken off.
    discount: Money,
    /// What sending costs.
    shipping: Money,
    /// What is added as tax.
    tax: Money,
    /// What is to be paid; checkout asks for it as `expected_total`.
    total: Money,
    /// Grows with every change.
    version: i64,
}

/// What a merge found no place for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartLineLeftBehind)]
struct LeftBehindView {
    sku: Sku,
    quantity: Quantity,
}

/// A line of a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartLine)]
struct LineView {
    sku: Sku,
    quantity: Quantity,
    #[serde(flatten)]
    sold: Option<SoldView>,
    /// Why it cannot be bought as it is; empty when it can.
    problems: Vec<Trouble>,
}

/// What a line is and costs; absent when it is not for sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartLineSold)]
struct SoldView {
    product_id: ProductId,
    title: String,
    options: BTreeMap<String, String>,
    unit_price: Money,
    line_total: Money,
}

/// See the cart.
#[utoipa::path(get, path = "/api/cart", tag = "cart", security(("bearer" = [])),
    responses((status = OK, body = CartView), Problems))]
async fn get_cart(State(carts): State<Carts>, owner: Owner) -> Result<Tagged<CartView>, Problem> {
    show(&carts, owner.id).await
}

/// Take everything out of the cart.
#[utoipa::path(delete, path = "/api/cart", tag = "cart", security(("bearer" = [])),
    params(("If-Match" = Option<String>, Header)),
    responses((status = NO_CONTENT), Problems))]
async fn clear_cart(
    State(carts): State<Carts>,
    owner: Owner,
    cause: Cause,
    preconditions: Preconditions,
) -> Result<StatusCode, Problem> {
    carts.edit(owner, preconditions, cause, |cart| Ok(cart.clear())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set how many pieces of a SKU are in the cart.
#[utoipa::path(put, path = "/api/cart/items/{sku}", tag = "cart", security(("bearer" = [])),
    params(("sku" = Sku, Path), ("If-Match" = Option<String>, Header),
        ("If-None-Match" = Option<String>, Header)),
    request_body = Wanted,
    extensions(("x-problems" = json!({ "422": ["not-for-sale", "cart-full", "card-number"] }))),
    responses((status = OK, body = CartView, headers(("ETag" = String))), Problems))]
async fn put_item(
    State(carts): State<Carts>,
    owner: Owner,
    Path(sku): Path<Sku>,
    cause: Cause,
    preconditions: Preconditions,
    Cardless(wanted): Cardless<Wanted>,
) -> Result<Tagged<CartView>, Problem> {
    let offers = carts.offers_with(owner.id, &sku).await?;
    let only_new = preconditions.only_new();
    let put = move |cart: Cart| {
        if only_new && cart.holds(&sku, &offers) {
            return Err(Refusal::InCart { sku: sku.clone() });
        }
        cart.put(&sku, wanted.quantity, &offers)
    };
    carts.edit(owner, preconditions, cause, put).await?;
    show(&carts, owner.id).await
}

/// Take a SKU out of the cart.
#[utoipa::path(delete, path = "/api/cart/items/{sku}", tag = "cart", security(("bearer" = [])),
    params(("sku" = Sku, Path), ("If-Match" = Option<String>, Header)),
    responses((status = OK, body = CartView, headers(("ETag" = String))), Problems))]
async fn remove_item(
    State(carts): State<Carts>,
    owner: Owner,
    Path(sku): Path<Sku>,
    cause: Cause,
    preconditions: Preconditions,
) -> Result<Tagged<CartView>, Problem> {
    let offers = carts.offers_with(owner.id, &sku).await?;
    carts.edit(owner, preconditions, cause, move |cart| Ok(cart.remove(&sku, &offers))).await?;
    show(&carts, owner.id).await
}

/// Buy what is in the cart.
///
/// The order goes on by itself from here: follow it at the `Location`.
#[utoipa::path(post, path = "/api/cart/checkout", tag = "cart", security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header)), request_body = Accepted,
    extensions(("x-problems" = json!({
        "409": ["cart-empty", "total-changed", "cart-has-problems"],
        "422": ["card-number"]
    }))),
    responses((status = ACCEPTED, body = CheckedOutView,
        headers(("Location" = String, description = "The order."))), Problems))]
async fn check_out(
    State(carts): State<Carts>,
    owner: Owner,
    key: IdempotencyKey,
    Cardless(accepted): Cardless<Accepted>,
) -> Result<Answer, Problem> {
    let currency = carts.currency;
    let cart = carts.of(owner.id).await?;
    let offers = carts.offers(cart.iter().flat_map(|cart| cart.skus())).await?;
    let order_id = OrderId::from_uuid(carts.clock().uuid());
    let receipt = key.by(owner.id, &accepted);
    let decide = move |cart: Option<Cart>, now| {
        let cart = owner.touches(cart, now)?;
        cart.check_out(order_id, accepted.expected_total, &offers, currency)
    };
    let bought =
        carts.store.update(One::<Cart>(Cart::id_of(owner.id)), receipt, decide, move |_| {
            Answer::new(202, &CheckedOutView { order_id })
                .located(format!("/api/orders/{order_id}"))
        });
    Ok(bought.await?)
}

async fn show(carts: &Carts, owner: UserId) -> Result<Tagged<CartView>, Problem> {
    let Some(cart) = carts.of(owner).await? else {
        let nothing = Cart::empty(owner);
        let priced = Priced::of(&[], &Offers::default(), carts.currency);
        return Ok(Tagged(common::store::ETag::absent(), CartView::of(&nothing, priced, 0)));
    };
    if cart.moved_to.is_some() {
        return Err(Refusal::Moved.into());
    }
    let offers = carts.offers(cart.skus()).await?;
    let renewed = cart.renewed(&offers);
    let priced = Priced::of(&renewed.lines, &offers, carts.currency);
    Ok(Tagged(cart.tag(), CartView::of(&renewed, priced, cart.version())))
}

impl CartView {
    fn of(cart: &Cart, priced: Priced, version: i64) -> Self {
        let Priced { lines, total } = priced;
        let nothing = Money::zero(total.currency);
        Self {
            id: cart.id,
            lines: lines.into_iter().map(LineView::from).collect(),
            left_behind: cart.left_behind.iter().map(LeftBehindView::from).collect(),
            subtotal: total,
            discount: nothing,
            shipping: nothing,
            tax: nothing,
            total,
            version,
        }
    }
}

impl From<&Line> for LeftBehindView {
    fn from(line: &Line) -> Self {
        Self { sku: line.sku.clone(), quantity: line.quantity }
    }
}

impl From<PricedLine> for LineView {
    fn from(line: PricedLine) -> Self {
        let sold = line.sold.map(|sold| SoldView {
            product_id: sold.product_id,
            title: sold.title,
            options: sold.options,
            unit_price: sold.unit_price,
            line_total: sold.line_total,
        });
        Self { sku: line.sku, quantity: line.quantity, sold, problems: line.troubles }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = match &refusal {
            Refusal::NotSold { .. } => Self::unprocessable("not-for-sale"),
            // As everywhere once the end of the guest's sign-in is known.
            Refusal::Moved => Self::unauthorized(),
            Refusal::InCart { .. } => Self::exists(),
            Refusal::Full => Self::unprocessable("cart-full"),
            Refusal::Empty => Self::conflict("cart-empty"),
            Refusal::OtherTotal { now, .. } => Self::conflict("total-changed").with("total", now),
            Refusal::NotForSale { sku, troubles } => {
                Self::conflict("cart-has-problems").with("sku", sku).with("problems", troubles)
            }
        };
        problem.because(refusal)
    }
}
