//! What goes out.

use std::collections::BTreeMap;

use contracts::{Money, OrderId, ProductId, Sku, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Kind, Product, StockItem, StockMovement, Variant};
use crate::store::{Counted, Shelved, Versioned};

/// Something the shop sells.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(super) struct ProductView {
    id: ProductId,
    /// Its name in URLs.
    #[schema(example = "enamel-mug")]
    slug: String,
    #[schema(example = "Enamel mug")]
    title: String,
    description: String,
    /// The shelf it stands on; null when on none.
    #[schema(example = "kitchen")]
    category: Option<String>,
    tags: Vec<String>,
    /// Addresses of its pictures, the first one first.
    images: Vec<String>,
    /// What tells its variants apart, in the order in which it is asked for.
    options: Vec<String>,
    variants: Vec<VariantView>,
    /// Whether it is off the shelves; only staff see it then.
    archived: bool,
    /// When it first went on sale.
    created_at: Timestamp,
    /// How often it was changed.
    version: i64,
}

/// One form in which a product is sold.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Variant)]
pub(super) struct VariantView {
    sku: Sku,
    /// What tells it from the others, such as `size: M`.
    options: BTreeMap<String, String>,
    /// What one piece costs.
    price: Money,
    /// How many pieces can be bought now; none of what is not on sale.
    available: u32,
    /// Whether it is on sale.
    on_sale: bool,
}

/// A category of products.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CategoryCount)]
pub(super) struct CategoryView {
    #[schema(example = "kitchen")]
    name: String,
    /// How many products stand on its shelf.
    count: i64,
}

/// How much of a SKU there is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Stock)]
pub(super) struct StockView {
    sku: Sku,
    product_id: ProductId,
    /// Pieces in the house, promised ones included.
    on_hand: u32,
    /// Pieces promised to orders.
    reserved: u32,
    /// Pieces that can be sold.
    available: u32,
}

/// One change of a stock.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StockMovement)]
pub(super) struct MovementView {
    sku: Sku,
    kind: MovementKind,
    /// Pieces that came, below 0 when they went.
    on_hand_delta: i64,
    /// Pieces that were promised, below 0 when they no longer are.
    reserved_delta: i64,
    /// Pieces in the house from then on.
    on_hand: u32,
    /// Pieces promised from then on.
    reserved: u32,
    /// The order that moved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    /// Who adjusted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<UserId>,
    /// Why they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The SKU that the pieces passed to or came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    counterpart: Option<Sku>,
    at: Timestamp,
}

/// Why a stock changed.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MovementKind {
    /// Staff counted.
    Adjustment,
    /// Pieces were set aside for an order.
    Allocation,
    /// They no longer are.
    Release,
    /// They were sold.
    Sale,
    /// They came back: the order was given up.
    Return,
    /// Some of them are for sale again: they came back whole, or were never sent.
    Restock,
    /// They passed from a SKU that was corrected to the one that replaces it, or back for an order
    /// that names the former; without a counterpart, they left with a SKU that was freed.
    Transfer,
}

impl ProductView {
    /// A product in a version, with how many pieces there are of its variants.
    pub(super) fn of<'a>(
        product: &Product,
        version: i64,
        stock: impl IntoIterator<Item = &'a StockItem>,
    ) -> Self {
        let stock: BTreeMap<_, _> =
            stock.into_iter().map(|item| (&item.sku, item.available())).collect();
        let available = |variant: &Variant| stock.get(&variant.sku).copied().unwrap_or(0);
        Self {
            id: product.id,
            slug: product.slug.to_string(),
            title: product.title.to_string(),
            description: product.description.to_string(),
            category: product.category.as_ref().map(ToString::to_string),
            tags: texts(&product.tags),
            images: texts(&product.images),
            options: texts(&product.options),
            variants: product
                .variants
                .iter()
                .map(|variant| VariantView::of(variant, available(variant)))
                .collect(),
            archived: product.archived,
            created_at: product.created_at,
            version,
        }
    }
}

impl VariantView {
    fn of(variant: &Variant, available: u32) -> Self {
        let text =
            variant.options.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Self {
            sku: variant.sku.clone(),
            options: text.collect(),
            price: variant.price.money(),
            available: if variant.off_sale { 0 } else { available },
            on_sale: !variant.off_sale,
        }
    }
}

impl From<Shelved> for ProductView {
    fn from(shelved: Shelved) -> Self {
        let Versioned { product, version } = &shelved.product;
        Self::of(product, *version, &shelved.stock)
    }
}

impl From<Counted> for CategoryView {
    fn from(counted: Counted) -> Self {
        Self { name: counted.category.to_string(), count: counted.count }
    }
}

impl From<&StockItem> for StockView {
    fn from(item: &StockItem) -> Self {
        Self {
            sku: item.sku.clone(),
            product_id: item.product_id,
            on_hand: item.on_hand,
            reserved: item.reserved,
            available: item.available(),
        }
    }
}

impl From<StockMovement> for MovementView {
    fn from(movement: StockMovement) -> Self {
        let mut counterpart = None;
        let (kind, order_id, by) = match movement.kind {
            Kind::Adjustment { actor, reason } => {
                (MovementKind::Adjustment, None, Some((actor, reason)))
            }
            Kind::Allocation { order_id } => (MovementKind::Allocation, Some(order_id), None),
            Kind::Release { order_id } => (MovementKind::Release, Some(order_id), None),
            Kind::Sale { order_id } => (MovementKind::Sale, Some(order_id), None),
            Kind::Return { order_id } => (MovementKind::Return, Some(order_id), None),
            Kind::Restock { order_id } => (MovementKind::Restock, Some(order_id), None),
            Kind::Transfer { counterpart: other } => {
                counterpart = other;
                (MovementKind::Transfer, None, None)
            }
        };
        let (actor, reason) = by.map(|(actor, reason)| (actor, reason.into())).unzip();
        Self {
            sku: movement.sku,
            kind,
            on_hand_delta: movement.on_hand_delta,
            reserved_delta: movement.reserved_delta,
            on_hand: movement.on_hand,
            reserved: movement.reserved,
            order_id,
            actor,
            reason,
            counterpart,
            at: movement.at,
        }
    }
}

fn texts(words: &[impl ToString]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
