//! What shoppers may ask of their orders, and staff of everybody's.

mod addresses;
mod pieces;
mod refunds;
mod returns;
mod shipping;
mod stream;
mod timeline;
mod view;

use std::time::Duration;

use axum::extract::State;
use common::http::{
    Cardless, IdempotencyKey, IfNoneMatch, Json, Listed, Page, Path, Problem, Problems, Query,
    Until, Wait, Worded, body_up_to,
};
use common::identity::Shopper;
use common::openapi::documented;
use common::store::{Answer, Cause, Receipt, Saved, Stored};
use contracts::OrderId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::domain::{Note, Order, Refusal, Stage, Standing};
use crate::store::{Orders, Place, Wanted};
use view::{OrderView, SummaryView};

const ABOUT: &str = "What was bought, and how far it has come. An order can be followed from the \
    moment of its checkout.";

/// Bytes of a body that names lines of an order: merged carts made orders of hundreds.
const LINES: usize = 64 * 1024;

/// Everything under `/api/orders`.
pub(crate) fn router() -> OpenApiRouter<Orders> {
    let routes = OpenApiRouter::new()
        .routes(routes!(list_orders))
        .routes(routes!(get_order))
        .routes(routes!(timeline::get_timeline))
        .routes(routes!(stream::follow_order))
        .routes(routes!(cancel_order))
        .routes(routes!(addresses::get_address_format))
        .routes(routes!(shipping::put_address))
        .routes(routes!(shipping::ship_order).layer(body_up_to(LINES)))
        .routes(routes!(shipping::correct_tracking))
        .routes(routes!(shipping::deliver_order))
        .routes(routes!(refunds::refund_order).layer(body_up_to(LINES)))
        .routes(routes!(refunds::get_refund))
        .routes(routes!(returns::request_return).layer(body_up_to(LINES)))
        .routes(routes!(returns::get_return))
        .routes(routes!(returns::approve_return))
        .routes(routes!(returns::reject_return))
        .routes(routes!(returns::receive_return).layer(body_up_to(LINES)));
    documented(routes, "/api/orders", "Souk: orders", ABOUT)
}

/// Which orders are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Everybody's, not only one's own; for staff.
    all: bool,
    /// Only those that stand here.
    status: Option<Stage>,
}

/// What an order is cancelled for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancelling {
    /// Why; customer and staff see it.
    #[serde(default)]
    reason: Option<Note>,
}

impl Worded for Cancelling {}

/// A body that says nothing: any field is refused.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoFields {}

/// List one's orders, the newest first.
///
/// Each is a summary: read the order itself for its lines.
#[utoipa::path(get, path = "/api/orders", tag = "orders", security(("bearer" = [])),
    params(Which, Page), responses((status = OK, body = Listed<SummaryView>), Problems))]
async fn list_orders(
    State(orders): State<Orders>,
    shopper: Shopper,
    Query(which): Query<Which>,
    page: Page,
) -> Result<Json<Listed<SummaryView>>, Problem> {
    let of = match which.all {
        true if shopper.is_staff() => None,
        true => return Err(Problem::forbidden()),
        false => Some(orders.person(&shopper).await?),
    };
    let wanted = Wanted { of, stage: which.status };
    let found = orders.list(wanted, page.after()?, &page).await?;
    let listed = Listed::of(found, &page, Place::of);
    Ok(Json(listed.map(SummaryView::from)))
}

/// See an order, now or as soon as it changes.
///
/// With `wait` and `until` the answer comes when the order stands where `until` says, at once when it
/// does already, and also once it can no longer come to stand there by itself. With `wait` alone it
/// comes when the order is no longer what `If-None-Match` says, or else what it was when asked. In
/// any case it comes when the time is up. An order that was checked out a moment ago may not be
/// known yet; `wait` bridges that, too.
#[utoipa::path(get, path = "/api/orders/{id}", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), Wait,
        ("until" = Option<Vec<Stage>>, Query, style = Form, explode = false,
            description = "The statuses to wait for, such as `paid,cancelled,expired`.")),
    extensions(("x-problems" = json!({ "422": ["invalid"] }))),
    responses((status = OK, body = OrderView), Problems))]
async fn get_order(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path(id): Path<OrderId>,
    Until(until): Until<Stage>,
    wait: Wait,
    known: IfNoneMatch,
) -> Result<Answer, Problem> {
    let person = orders.person(&shopper).await?;
    let mut changes = orders.watch(id);
    let mut order = orders.get(id, &person).await?;
    let known =
        known.or(|| order.as_ref().map(|it| IfNoneMatch::only(&shown(it))).unwrap_or_default());
    let is_awaited = |order: &Stored<Order>| match order.status.stage() {
        _ if until.is_empty() => !known.knows(&shown(order)),
        stage => is_over(stage, &until),
    };
    while let Some(pause) = wait.pause().filter(|_| !order.as_ref().is_some_and(is_awaited)) {
        changes.changed(pause).await;
        order = orders.get(id, &person).await?;
    }
    Ok(shown(&order.ok_or_else(|| Refusal::unknown(id, orders.clock().now()))?))
}

/// Whether the wait for one of these statuses is over: it came, or none of them will.
fn is_over(stage: Stage, until: &[Stage]) -> bool {
    until.contains(&stage) || !until.iter().any(|later| stage.leads_to(*later))
}

/// Give an order up; goods and money go back.
///
/// Possible until the first parcel is sent.
#[utoipa::path(post, path = "/api/orders/{id}/cancel", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<Cancelling>,
    extensions(("x-problems" = json!({ "409": ["order-unfit"], "422": ["card-number"] }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))), Problems))]
async fn cancel_order(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path(id): Path<OrderId>,
    key: Option<IdempotencyKey>,
    cause: Cause,
    cancelling: Option<Cardless<Cancelling>>,
) -> Result<Answer, Problem> {
    let note = cancelling.and_then(|Cardless(cancelling)| cancelling.reason);
    let person = orders.person(&shopper).await?;
    let receipt = receipt(key, &shopper, &note, cause);
    let cancel = move |order: Order, now| {
        let order = order.shown_to(&person, now)?;
        let reason = person.reason(&order);
        order.cancel(reason, note.as_ref(), now)
    };
    Ok(orders.update(id, receipt, cancel, done).await?)
}

/// Without a key none is needed: doing it again comes to nothing.
fn receipt(
    key: Option<IdempotencyKey>,
    by: &Shopper,
    body: &impl Serialize,
    cause: Cause,
) -> Receipt {
    key.map_or_else(|| Receipt::none(cause), |key| key.by(by.id, body))
}

/// It was done.
fn done(order: &Saved<'_, Order>) -> Answer {
    kept(200, order)
}

/// It was done, or waits for its money.
fn under_way(order: &Saved<'_, Order>) -> Answer {
    kept(if order.waiting.is_some() { 202 } else { 200 }, order)
}

/// An answer that is kept for repeats; an address is kept in the order only.
fn kept(status: u16, order: &Saved<'_, Order>) -> Answer {
    let view = OrderView::of(order, order.version_of(order.value)).without_address();
    Answer::new(status, &view).tagged(&order.tag_of(order.value))
}

/// An answer that nobody keeps.
fn shown_after(order: &Saved<'_, Order>) -> Answer {
    let view = OrderView::of(order, order.version_of(order.value));
    Answer::new(200, &view).tagged(&order.tag_of(order.value))
}

fn shown(order: &Stored<Order>) -> Answer {
    Answer::new(200, &OrderView::of(order, order.version())).tagged(&order.tag())
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = match &refusal {
            Refusal::HasAddress => Self::exists(),
            Refusal::NotYetKnown => Self::not_found().retry_after(Duration::from_secs(1)),
            Refusal::Unknown
            | Refusal::UnknownReturn
            | Refusal::UnknownRefund
            | Refusal::UnknownParcel => Self::not_found(),
            Refusal::Unfit { standing, .. } => conflict("order-unfit", standing),
            Refusal::UnfitReturn { stage, order, .. } => Self::conflict("return-unfit")
                .with("order_status", order)
                .with("return_status", stage)
                .with("allowed", stage.allows()),
            Refusal::TooMany { sku, left, standing, .. } => {
                conflict("too-many-pieces", standing).with("sku", sku).with("left", left)
            }
            Refusal::NoParcel { standing, .. } => conflict("no-such-parcel", standing),
            Refusal::SentAlready { number, standing } => {
                conflict("parcel-sent-already", standing).with("parcel", number)
            }
            Refusal::NothingLeft(standing) => conflict("nothing-left", standing),
            Refusal::Crowded { standing, .. } => conflict("order-full", standing),
            Refusal::NoPieces | Refusal::NotBought(_) => Self::invalid().at("/lines", &refusal),
            Refusal::DoesNotAddUp | Refusal::NotCaptured => Self::unprocessable("money-unclear"),
        };
        problem.because(refusal)
    }
}

/// As things stand it cannot be done; this can.
fn conflict(name: &'static str, standing: &Standing) -> Problem {
    let problem = Problem::conflict(name);
    problem.with("order_status", standing.stage).with("allowed", &standing.allowed)
}
