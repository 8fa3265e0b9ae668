//! How staff send orders, and shoppers say where to.

use axum::extract::State;
use common::http::{Cardless, IdempotencyKey, Json, Path, Problem, Problems, Worded};
use common::identity::{Shopper, Staff};
use common::store::{Answer, Cause, Preconditions, Receipt};
use contracts::OrderId;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::addresses::misfitting;
use super::pieces::{PiecesOf, goods};
use super::view::OrderView;
use super::{done, receipt, shown_after, under_way};
use crate::domain::{AddressForm, Label, Order, Refusal, Shipment, TrackingChange};
use crate::store::Orders;

/// What is sent, and how.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sending {
    /// Who carries it; left out, or `-`, for a letter, a courier of the shop, or a collection there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    carrier: Option<Label>,
    /// Where it can be followed; left out, or `-`, when it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracking: Option<Label>,
    /// What is in the parcel; everything that is left when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<PiecesOf>>,
}

impl Worded for Sending {
    const NUMBERS: &'static [&'static str] = &["sku", "tracking"];
}

impl Worded for AddressForm {}

/// What is corrected on a parcel; what is left out stays as it is, and null or `-` takes it off.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "null is another value than an absent field")]
pub(super) struct Correction {
    /// Who carries it.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Label>)]
    carrier: Option<Option<Label>>,
    /// Where it can be followed.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Label>)]
    tracking: Option<Option<Label>>,
}

impl Worded for Correction {
    const NUMBERS: &'static [&'static str] = &["tracking"];
}

/// Keeps a field that is null apart from one that is left out.
#[expect(clippy::option_option, reason = "null is another value than an absent field")]
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Label>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// What arrived.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arrived {
    /// Which parcel of the order; all that were sent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, example = 1)]
    parcel: Option<u32>,
}

/// Note that goods of a paid order were sent, all or some; for staff.
///
/// Goods may go in several parcels; the order is shipped when the last piece left. Money that is
/// only promised is collected first: then the answer is 202, the parcel waits in `waiting_parcel`
/// and is sent when the money is here. Without it the order is cancelled. The same parcel again,
/// by carrier, tracking and content, comes to nothing; under another key, and while what is left would
/// fill a second one like it, it is refused with 409 `parcel-sent-already`. Of parcels without a
/// tracking number each key is another one.
#[utoipa::path(post, path = "/api/orders/{id}/ship", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = Sending,
    extensions(("x-problems" = json!({
        "409": ["order-unfit", "too-many-pieces", "parcel-sent-already", "order-full"],
        "422": ["card-number"]
    }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))),
        (status = ACCEPTED, body = OrderView, headers(("ETag" = String)),
            description = "The parcel waits for its money."), Problems))]
pub(super) async fn ship_order(
    State(orders): State<Orders>,
    staff: Staff,
    Path(id): Path<OrderId>,
    key: IdempotencyKey,
    Cardless(sending): Cardless<Sending>,
) -> Result<Answer, Problem> {
    let receipt = key.by(staff.id, &sending);
    let Sending { carrier, tracking, lines } = sending;
    let (carrier, tracking) = (Label::given(carrier), Label::given(tracking));
    let shipment = Shipment { carrier, tracking, goods: lines.map(goods) };
    let ship = move |order: Order, now| order.ship(shipment.clone(), now);
    Ok(orders.update(id, receipt, ship, under_way).await?)
}

/// Correct carrier or tracking number of a parcel; for staff.
///
/// The shopper is mailed again when the parcel left already. One that still waits for its money has
/// the number that follows the last parcel's.
#[utoipa::path(patch, path = "/api/orders/{id}/parcels/{number}", tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path), ("number" = u32, Path, minimum = 1),
        ("Idempotency-Key" = Option<String>, Header),
        ("If-Match" = Option<String>, Header,
            description = "The version of the order that is known: 412 when it is no longer that.")),
    request_body = Correction,
    extensions(("x-problems" = json!({ "422": ["card-number"] }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))), Problems))]
pub(super) async fn correct_tracking(
    State(orders): State<Orders>,
    staff: Staff,
    Path((id, number)): Path<(OrderId, u32)>,
    key: Option<IdempotencyKey>,
    if_match: Preconditions,
    cause: Cause,
    Cardless(correction): Cardless<Correction>,
) -> Result<Answer, Problem> {
    let receipt = receipt(key, &staff, &correction, cause);
    let Correction { carrier, tracking } = correction;
    let change =
        TrackingChange { carrier: carrier.map(Label::given), tracking: tracking.map(Label::given) };
    let correct = move |order: Order, _| order.correct_tracking(number, &change);
    Ok(orders.update_matching(id, if_match, receipt, correct, done).await?)
}

/// Note that goods of a sent order arrived; for staff.
///
/// All parcels that were sent, or the one that is named. The order is delivered when nothing is
/// left to be sent and every parcel arrived.
#[utoipa::path(post, path = "/api/orders/{id}/deliver", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<Arrived>,
    extensions(("x-problems" = json!({ "409": ["order-unfit", "no-such-parcel"] }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))), Problems))]
pub(super) async fn deliver_order(
    State(orders): State<Orders>,
    staff: Staff,
    Path(id): Path<OrderId>,
    key: Option<IdempotencyKey>,
    cause: Cause,
    arrived: Option<Json<Arrived>>,
) -> Result<Answer, Problem> {
    let arrived = arrived.map(|Json(arrived)| arrived);
    let receipt = receipt(key, &staff, &arrived, cause);
    let parcel = arrived.and_then(|arrived| arrived.parcel);
    let deliver = move |order: Order, now| order.deliver(parcel, now);
    Ok(orders.update(id, receipt, deliver, done).await?)
}

/// Say where the goods go.
///
/// Possible until the first parcel is sent, or waits for its money. An order may be sent without.
/// The address is seen by the customer and by staff, and by nobody else. It has the fields that its
/// country writes, see `/api/orders/address-formats/{country}`: 422 with all that do not fit.
#[utoipa::path(put, path = "/api/orders/{id}/address", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("If-Match" = Option<String>, Header,
        description = "The version that is known: 412 when it is no longer that."),
        ("If-None-Match" = Option<String>, Header)),
    request_body = AddressForm,
    extensions(("x-problems" = json!({ "409": ["order-unfit"], "422": ["card-number"] }))),
    responses((status = OK, body = OrderView, headers(("ETag" = String))), Problems))]
pub(super) async fn put_address(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path(id): Path<OrderId>,
    preconditions: Preconditions,
    cause: Cause,
    Cardless(form): Cardless<AddressForm>,
) -> Result<Answer, Problem> {
    let address = form.fit().map_err(|misfits| misfitting(&misfits))?;
    let person = orders.person(&shopper).await?;
    let only_new = preconditions.only_new();
    let readdress = move |order: Order, now| match order.shown_to(&person, now)? {
        Order { address: Some(_), .. } if only_new => Err(Refusal::HasAddress),
        order => order.readdress(address.clone()),
    };
    // Without a receipt nothing of it is kept but the order.
    let receipt = Receipt::none(cause);
    Ok(orders.update_matching(id, preconditions, receipt, readdress, shown_after).await?)
}
