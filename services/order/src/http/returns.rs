//! How shoppers send goods back, and staff take them.

use axum::extract::State;
use common::http::{Cardless, IdempotencyKey, Json, Path, Problem, Problems, Worded};
use common::identity::{Shopper, Staff};
use common::store::{Answer, Cause, Saved};
use contracts::{OrderId, ReturnId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pieces::{PiecesOf, goods};
use super::view::{OrderView, ReturnView};
use super::{NoFields, done, receipt};
use crate::domain::{Note, Order, Refusal};
use crate::store::Orders;

/// What is to be sent back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendingBack {
    /// The pieces.
    lines: Vec<PiecesOf>,
    /// Why.
    reason: Note,
}

impl Worded for SendingBack {
    const NUMBERS: &'static [&'static str] = &["sku"];
}

/// What came back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Received {
    /// What really came: all of the return when it is not said, nothing when it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<PiecesOf>>,
    /// Whether it is for sale again.
    #[serde(default)]
    restock: bool,
}

/// Ask to send goods back.
///
/// Possible from when they were sent until the days of return after the delivery have passed, for
/// pieces that were sent and whose money did not go back. Staff have to agree.
#[utoipa::path(post, path = "/api/orders/{id}/returns", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)),
    request_body = SendingBack,
    extensions(("x-problems" = json!({
        "409": ["order-unfit", "too-many-pieces", "order-full"],
        "422": ["card-number"]
    }))),
    responses((status = CREATED, body = ReturnView,
        headers(("Location" = String, description = "the return"))), Problems))]
pub(super) async fn request_return(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path(id): Path<OrderId>,
    key: IdempotencyKey,
    Cardless(sending): Cardless<SendingBack>,
) -> Result<Answer, Problem> {
    let (person, terms) = (orders.person(&shopper).await?, orders.terms);
    let receipt = key.by(shopper.id, &sending);
    let return_id = ReturnId::from_uuid(orders.clock().uuid());
    let (goods, reason) = (goods(sending.lines), sending.reason);
    let request = move |order: Order, now| {
        let order = order.shown_to(&person, now)?;
        order.request_return(return_id, &goods, reason.clone(), now, &terms)
    };
    let begun = move |order: &Saved<'_, Order>| {
        let location = format!("/api/orders/{id}/returns/{return_id}");
        Answer::new(201, &ReturnView::find(order, return_id)).located(location)
    };
    Ok(orders.update(id, receipt, request, begun).await?)
}

/// See a return.
#[utoipa::path(get, path = "/api/orders/{id}/returns/{return_id}", tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path), ("return_id" = ReturnId, Path)),
    responses((status = OK, body = ReturnView), Problems))]
pub(super) async fn get_return(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path((id, return_id)): Path<(OrderId, ReturnId)>,
) -> Result<Json<ReturnView>, Problem> {
    let order = orders.get(id, &orders.person(&shopper).await?).await?;
    let order = order.ok_or_else(|| Refusal::unknown(id, orders.clock().now()))?;
    Ok(Json(ReturnView::find(&order, return_id).ok_or(Refusal::UnknownReturn)?))
}

/// Agree to a return; for staff.
#[utoipa::path(post, path = "/api/orders/{id}/returns/{return_id}/approve", tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path), ("return_id" = ReturnId, Path),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<NoFields>,
    extensions(("x-problems" = json!({ "409": ["return-unfit"] }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))), Problems))]
pub(super) async fn approve_return(
    State(orders): State<Orders>,
    staff: Staff,
    Path((id, return_id)): Path<(OrderId, ReturnId)>,
    key: Option<IdempotencyKey>,
    cause: Cause,
    _: Option<Json<NoFields>>,
) -> Result<Answer, Problem> {
    let approve = move |order: Order, now| order.approve_return(return_id, now);
    Ok(orders.update(id, receipt(key, &staff, &(), cause), approve, done).await?)
}

/// Do not agree to a return; for staff.
#[utoipa::path(post, path = "/api/orders/{id}/returns/{return_id}/reject", tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path), ("return_id" = ReturnId, Path),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<NoFields>,
    extensions(("x-problems" = json!({ "409": ["return-unfit"] }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))), Problems))]
pub(super) async fn reject_return(
    State(orders): State<Orders>,
    staff: Staff,
    Path((id, return_id)): Path<(OrderId, ReturnId)>,
    key: Option<IdempotencyKey>,
    cause: Cause,
    _: Option<Json<NoFields>>,
) -> Result<Answer, Problem> {
    let reject = move |order: Order, now| order.reject_return(return_id, now);
    Ok(orders.update(id, receipt(key, &staff, &(), cause), reject, done).await?)
}

/// Note that the goods of a return came; for staff.
///
/// The money for what came goes back, as far as it did not already.
#[utoipa::path(post, path = "/api/orders/{id}/returns/{return_id}/receive", tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path), ("return_id" = ReturnId, Path),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<Received>,
    extensions(("x-problems" = json!({ "409": ["return-unfit", "too-many-pieces"] }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))), Problems))]
pub(super) async fn receive_return(
    State(orders): State<Orders>,
    staff: Staff,
    Path((id, return_id)): Path<(OrderId, ReturnId)>,
    key: Option<IdempotencyKey>,
    cause: Cause,
    received: Option<Json<Received>>,
) -> Result<Answer, Problem> {
    let received = received.map(|Json(received)| received).unwrap_or_default();
    let receipt = receipt(key, &staff, &received, cause);
    let (came, restock) = (received.lines.map(goods), received.restock);
    let receive =
        move |order: Order, now| order.receive_return(return_id, came.clone(), restock, now);
    Ok(orders.update(id, receipt, receive, done).await?)
}
