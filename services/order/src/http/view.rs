//! An order as it is shown.

mod goods;
mod money;
mod summary;

use std::collections::BTreeMap;

use contracts::order::CancelReason;
use contracts::{Money, OrderId, ProductId, Quantity, Sku, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::addresses::AddressView;
use crate::domain::{Goods, Label, Line, Note, Order, Stage};
pub(super) use goods::ReturnView;
use goods::{ParcelView, WaitingView};
pub(super) use money::RefundView;
pub(super) use summary::SummaryView;

/// An order, and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderView {
    /// Names it since checkout.
    id: OrderId,
    /// Who buys.
    customer: UserId,
    /// The guest who placed it; only when the customer is the account that the guest became part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<UserId>,
    /// Where it stands.
    status: Stage,
    /// Why it was given up; only when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<CancelReason>,
    /// Why it was cancelled, in the words of who did; only when they gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_note: Option<Note>,
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
    /// How much should have gone back and did not; only when staff have to see to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_given_back: Option<Money>,
    /// The money that was asked to go back, the oldest first.
    refunds: Vec<RefundView>,
    /// Until when it waits to be paid; null when it does not.
    pay_by: Option<Timestamp>,
    /// Until when the money can be collected; only while it is promised and not collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_by: Option<Timestamp>,
    /// When the order began.
    placed_at: Timestamp,
    /// Where the goods go; only once somebody said so. Answers to acts leave it out: they are kept
    /// for repeats, and an address is kept in one place only.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressView>,
    /// Who carries the latest parcel; only once one was sent, and where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Label>,
    /// Where the latest parcel can be followed; only once one was sent, and if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Label>,
    /// What was sent, parcel by parcel.
    parcels: Vec<ParcelView>,
    /// What will be sent as soon as its money is here; only while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_parcel: Option<WaitingView>,
    /// What is on its way back, or was, the oldest first.
    returns: Vec<ReturnView>,
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
    /// How many pieces were sent.
    sent: u32,
    /// How many pieces were bought and will not be sent.
    dropped: u32,
    /// How many pieces' money went back, or is on its way.
    refunded: u32,
}

/// Some pieces.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderPieces)]
struct PiecesView {
    /// What.
    sku: Sku,
    /// How many.
    quantity: u32,
}

impl OrderView {
    /// The order as its customer and staff see it.
    pub(super) fn of(order: &Order, version: i64) -> Self {
        let latest = order.parcels.last();
        Self {
            id: order.id,
            customer: order.customer,
            guest: order.guest,
            status: order.status.stage(),
            cancel_reason: order.status.cancel_reason(),
            cancel_note: order.cancel_note.clone(),
            lines: lines(order),
            subtotal: order.sums.subtotal,
            discount: order.sums.discount,
            shipping: order.sums.shipping,
            tax: order.sums.tax,
            total: order.sums.total,
            refunded: order.payment.went_back(),
            not_given_back: order.stuck(),
            refunds: order.payment.refunds.iter().map(RefundView::from).collect(),
            pay_by: order.status.pay_by(),
            capture_by: order.payment.promise().map(|promise| promise.capture_by),
            placed_at: order.placed_at,
            address: order.address.as_ref().map(AddressView::from),
            carrier: latest.and_then(|parcel| parcel.carrier.clone()),
            tracking: latest.and_then(|parcel| parcel.tracking.clone()),
            parcels: order.parcels.iter().map(ParcelView::from).collect(),
            waiting_parcel: order.waiting.as_ref().map(WaitingView::from),
            returns: order.returns.iter().map(ReturnView::from).collect(),
            version,
        }
    }

    /// The same without the address, to be kept elsewhere.
    pub(super) fn without_address(self) -> Self {
        Self { address: None, ..self }
    }
}

fn lines(order: &Order) -> Vec<LineView> {
    let (mut sent, mut dropped) = (order.sent(), order.dropped.clone());
    let mut refunded = order.refunded_pieces();
    let view = |line: &Line| LineView {
        sku: line.sku.clone(),
        product_id: line.product_id,
        title: line.title.clone(),
        options: line.options.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        line_total: line.line_total,
        sent: part(&mut sent, line),
        dropped: part(&mut dropped, line),
        refunded: part(&mut refunded, line),
    };
    order.lines.iter().map(view).collect()
}

/// How many of these are of this line; two lines may be of one SKU.
fn part(goods: &mut Goods, line: &Line) -> u32 {
    let line: Goods = [(line.sku.clone(), line.quantity.get())].into_iter().collect();
    let theirs = goods.at_most(&line);
    *goods = goods.less(&theirs);
    theirs.iter().map(|(_, pieces)| pieces).sum()
}

fn pieces(goods: &Goods) -> Vec<PiecesView> {
    goods.iter().map(|(sku, quantity)| PiecesView { sku: sku.clone(), quantity }).collect()
}
