//! How staff give money back.

use axum::extract::State;
use common::http::{Cardless, IdempotencyKey, Json, Path, Problem, Problems, Worded};
use common::identity::{Shopper, Staff};
use common::store::{Answer, Saved};
use contracts::{OrderId, RefundId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pieces::{PiecesOf, goods};
use super::view::RefundView;
use crate::domain::{GivingBack, Note, Order, Refusal};
use crate::store::Orders;

/// What money is given back for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refunding {
    /// The pieces. May be left out when only the shipping goes back.
    #[serde(default)]
    lines: Vec<PiecesOf>,
    /// Whether the shipping goes back, too.
    #[serde(default)]
    shipping: bool,
    /// Whether pieces that had not been sent are for sale again, which they are unless this is false;
    /// what broke is not, even should the order end.
    #[serde(default = "yes")]
    #[schema(default = true)]
    restock: bool,
    /// Why; the shopper sees it.
    reason: Note,
}

/// Pieces that were not sent are still in the warehouse.
const fn yes() -> bool {
    true
}

impl Worded for Refunding {
    const NUMBERS: &'static [&'static str] = &["sku"];
}

/// Give money back for some of the goods; for staff.
///
/// The amount is the pieces' share of what was paid: discount and tax are spread over all lines, so
/// that all pieces together come to exactly the total less the shipping. Pieces that had not been
/// sent are taken first, and are no longer to be sent; when nothing of the order is left to be sent
/// and nothing was, it is cancelled and all of its money goes back. A refund that failed may be
/// asked for anew. A refund of nothing is refused with 409 `nothing-left`, unless it is of pieces
/// that cost nothing and are no longer to be sent.
#[utoipa::path(post, path = "/api/orders/{id}/refunds", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = Refunding,
    extensions(("x-problems" = json!({
        "409": ["order-unfit", "too-many-pieces", "nothing-left", "order-full"],
        "422": ["card-number", "money-unclear"]
    }))),
    responses((status = CREATED, body = RefundView,
        headers(("Location" = String, description = "the refund"))), Problems))]
pub(super) async fn refund_order(
    State(orders): State<Orders>,
    staff: Staff,
    Path(id): Path<OrderId>,
    key: IdempotencyKey,
    Cardless(refunding): Cardless<Refunding>,
) -> Result<Answer, Problem> {
    let receipt = key.by(staff.id, &refunding);
    let Refunding { lines, shipping, restock, reason: note } = refunding;
    let refund_id = RefundId::from_uuid(orders.clock().uuid());
    let back = GivingBack { id: refund_id, goods: goods(lines), shipping, restock, note };
    let refund = move |order: Order, now| order.refund(&back, now);
    let begun = move |order: &Saved<'_, Order>| {
        let location = format!("/api/orders/{id}/refunds/{refund_id}");
        Answer::new(201, &RefundView::find(order, refund_id)).located(location)
    };
    Ok(orders.update(id, receipt, refund, begun).await?)
}

/// See a refund.
#[utoipa::path(get, path = "/api/orders/{id}/refunds/{refund_id}", tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path), ("refund_id" = RefundId, Path)),
    responses((status = OK, body = RefundView), Problems))]
pub(super) async fn get_refund(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path((id, refund_id)): Path<(OrderId, RefundId)>,
) -> Result<Json<RefundView>, Problem> {
    let order = orders.get(id, &orders.person(&shopper).await?).await?;
    let order = order.ok_or_else(|| Refusal::unknown(id, orders.clock().now()))?;
    Ok(Json(RefundView::find(&order, refund_id).ok_or(Refusal::UnknownRefund)?))
}
