//! How staff give money back.

use axum::extract::State;
use common::http::{Cardless, IdempotencyKey, Path, Problem, Problems, Worded};
use common::identity::Staff;
use common::store::Answer;
use contracts::{OrderId, RefundId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::begun;
use super::pieces::{PiecesOf, goods};
use super::view::OrderView;
use crate::domain::{GivingBack, Note, Order};
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
    /// Whether pieces that had not been sent are for sale again; what broke is not, even should the
    /// order end.
    #[serde(default)]
    restock: bool,
    /// Why; the shopper sees it.
    reason: Note,
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
/// asked for anew.
#[utoipa::path(post, path = "/api/orders/{id}/refunds", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = Refunding,
    extensions(("x-problems" = json!({
        "409": ["order-unfit", "too-many-pieces", "nothing-left", "order-full"],
        "422": ["card-number", "money-unclear"]
    }))),
    responses((status = CREATED, body = OrderView, headers(("ETag" = String)),
        description = "It is among the order's `refunds`, the last."), Problems))]
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
    Ok(orders.update(id, receipt, refund, begun).await?)
}
