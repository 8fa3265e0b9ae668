//! Pieces of goods, as people name them.

use contracts::{Quantity, Sku};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::Goods;

/// So many pieces of what was bought. Lines of one SKU count together.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PiecesOf {
    /// What.
    sku: Sku,
    /// How many.
    quantity: Quantity,
}

/// All of these.
pub(super) fn goods(lines: Vec<PiecesOf>) -> Goods {
    lines.into_iter().map(|PiecesOf { sku, quantity }| (sku, quantity.get())).collect()
}
