//! An order as it is listed.

use contracts::order::CancelReason;
use contracts::{Money, OrderId, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Stage;
use crate::store::Summary;

/// What a list shows of an order; the order itself has the rest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderSummary)]
pub(in crate::http) struct SummaryView {
    /// Names it since checkout.
    id: OrderId,
    /// Who buys.
    customer: UserId,
    /// Where it stands.
    status: Stage,
    /// Why it was given up; only when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<CancelReason>,
    /// The first line's product by its name when it was bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// How many lines it has.
    line_count: u32,
    /// How many pieces were bought.
    piece_count: i64,
    /// The sum of the lines.
    subtotal: Money,
    /// What is taken off.
    discount: Money,
    /// What sending costs.
    shipping: Money,
    /// What is added as tax.
    tax: Money,
    /// What is to be paid.
    total: Money,
    /// How much money went back; only when some did.
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded: Option<Money>,
    /// How much should have gone back and did not; only when staff have to see to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_given_back: Option<Money>,
    /// Until when it waits to be paid; null when it does not.
    pay_by: Option<Timestamp>,
    /// When the order began.
    placed_at: Timestamp,
    /// Grows with every change.
    version: i64,
}

impl From<Summary> for SummaryView {
    fn from(order: Summary) -> Self {
        Self {
            id: order.id,
            customer: order.customer,
            status: order.status.stage(),
            cancel_reason: order.status.cancel_reason(),
            refunded: order.went_back(),
            not_given_back: order.stuck(),
            title: order.title,
            line_count: order.lines,
            piece_count: order.pieces,
            subtotal: order.sums.subtotal,
            discount: order.sums.discount,
            shipping: order.sums.shipping,
            tax: order.sums.tax,
            total: order.sums.total,
            pay_by: order.status.pay_by(),
            placed_at: order.placed_at,
            version: order.version,
        }
    }
}
