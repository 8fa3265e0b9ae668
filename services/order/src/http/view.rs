//! An order as it is shown.

use std::collections::BTreeMap;

use contracts::order::CancelReason;
use contracts::{Money, OrderId, ProductId, Quantity, Sku, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Label, Line, Order, Stage};

/// An order, and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderView {
    /// Names it since checkout.
    id: OrderId,
    /// Who buys.
    customer: UserId,
    /// Where it stands.
    status: Stage,
    /// Why it was given up; only when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<CancelReason>,
    /// What is bought.
    lines: Vec<LineView>,
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
    /// Until when it waits to be paid; null when it does not.
    pay_by: Option<Timestamp>,
    /// When the order began.
    placed_at: Timestamp,
    /// Who carries the goods; only once they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Label>,
    /// Where the goods can be followed; only once they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Label>,
    /// Grows with every change.
    version: i64,
}

/// One line of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
struct LineView {
    /// What a warehouse counts.
    sku: Sku,
    /// Of which product.
    product_id: ProductId,
    /// The product's name when it was bought.
    title: String,
    /// What tells the variant from the others.
    options: BTreeMap<String, String>,
    /// How many pieces.
    quantity: Quantity,
    /// What one piece costs.
    unit_price: Money,
    /// What all pieces cost.
    line_total: Money,
}

impl OrderView {
    /// The order as its customer and staff see it.
    pub(super) fn of(order: &Order, version: i64) -> Self {
        let parcel = order.status.parcel();
        Self {
            id: order.id,
            customer: order.customer,
            status: order.status.stage(),
            cancel_reason: order.status.cancel_reason(),
            lines: order.lines.iter().map(LineView::from).collect(),
            subtotal: order.sums.subtotal,
            discount: order.sums.discount,
            shipping: order.sums.shipping,
            tax: order.sums.tax,
            total: order.sums.total,
            refunded: order.payment.went_back(),
            pay_by: order.status.pay_by(),
            placed_at: order.placed_at,
            carrier: parcel.map(|parcel| parcel.carrier.clone()),
            tracking: parcel.map(|parcel| parcel.tracking.clone()),
            version,
        }
    }
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        Self {
            sku: line.sku.clone(),
            product_id: line.product_id,
            title: line.title.clone(),
            options: line.options.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            line_total: line.line_total,
        }
    }
}
