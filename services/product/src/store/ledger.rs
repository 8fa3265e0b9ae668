//! The stock ledger of a product, newest first.

use common::Row as _;
use common::store::StoreError;
use contracts::{ProductId, Sku, Timestamp};
use mongodb::bson::doc;
use serde::{Deserialize, Serialize};

use super::Products;
use crate::domain::StockMovement;

/// Where the ledger goes on: after this movement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerPlace {
    at: Timestamp,
    id: String,
}

impl LedgerPlace {
    /// The place of a movement.
    pub(crate) fn of(movement: &StockMovement) -> Self {
        Self { at: movement.at, id: movement.id.clone() }
    }
}

impl Products {
    /// What moved of a product, or of one of its variants.
    pub(crate) async fn ledger(
        &self,
        product: ProductId,
        sku: Option<&Sku>,
        after: Option<LedgerPlace>,
        limit: i64,
    ) -> Result<Vec<StockMovement>, StoreError> {
        let mut wanted = doc! { "product_id": product.to_string() };
        if let Some(sku) = sku {
            wanted.insert("sku", sku.as_str());
        }
        if let Some(LedgerPlace { at, id }) = after {
            let at = at.to_string();
            let same = doc! { "at": &at, "_id": { "$lt": id } };
            wanted.insert("$or", vec![doc! { "at": { "$lt": &at } }, same]);
        }
        let pipeline = vec![
            doc! { "$match": wanted },
            doc! { "$sort": { "at": -1, "_id": -1 } },
            doc! { "$limit": limit },
        ];
        self.store.aggregate(StockMovement::COLLECTION, pipeline).await
    }
}
