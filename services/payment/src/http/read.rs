//! Reading payments.

use axum::extract::State;
use common::http::{Json, Listed, Path, Problem, Problems, Query, Tagged};
use common::identity::Shopper;
use contracts::{OrderId, PaymentId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::PaymentView;
use crate::domain::{Payment, Refusal};
use crate::store::Payments;

/// Which payments are asked for.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfOrder {
    /// The order they are for.
    order_id: OrderId,
}

/// The payment of an order.
///
/// Empty until somebody tries to pay, and for orders of others.
#[utoipa::path(get, path = "/api/payments", tag = "payments", security(("bearer" = [])),
    params(OfOrder), responses((status = OK, body = Listed<PaymentView>), Problems))]
pub(super) async fn list_payments(
    State(payments): State<Payments>,
    shopper: Shopper,
    Query(asked): Query<OfOrder>,
) -> Result<Json<Listed<PaymentView>>, Problem> {
    let found = payments.get(PaymentId::of(asked.order_id)).await?.map(|stored| stored.value);
    let items = match found {
        Some(payment) => shown(&payments, &shopper, payment).await?.into_iter().collect(),
        None => Vec::new(),
    };
    Ok(Json(Listed { items, next_cursor: None }))
}

/// A payment.
///
/// 404 until somebody tries to pay, and for payments of others; staff sees all.
#[utoipa::path(get, path = "/api/payments/{id}", tag = "payments", security(("bearer" = [])),
    params(("id" = PaymentId, Path, description = "the payment")),
    responses((status = OK, body = PaymentView), Problems))]
pub(super) async fn get_payment(
    State(payments): State<Payments>,
    shopper: Shopper,
    Path(id): Path<PaymentId>,
) -> Result<Tagged<PaymentView>, Problem> {
    let stored = payments.get(id).await?.ok_or(Refusal::NotKnown)?;
    let tag = stored.tag();
    let view = shown(&payments, &shopper, stored.value).await?.ok_or(Refusal::NotKnown)?;
    Ok(Tagged(tag, view))
}

/// The payment, if this person may see it.
async fn shown(
    payments: &Payments,
    person: &Shopper,
    payment: Payment,
) -> Result<Option<PaymentView>, Problem> {
    Ok(visible(payments, person, payment).await?.as_ref().and_then(PaymentView::of))
}

/// The payment itself, if this person may see it.
pub(super) async fn visible(
    payments: &Payments,
    person: &Shopper,
    payment: Payment,
) -> Result<Option<Payment>, Problem> {
    if person.is_staff() {
        return Ok(Some(payment));
    }
    let people = payments.people(person).await?;
    Ok(payment.of_people(&people).ok())
}
