//! Which variant a SKU means: SKUs are corrected, freed, and borne by another variant later.
//!
//! The stock of a SKU stays where it is when its variant gets another SKU; what can be sold moves
//! over. An order means the variant that bore the SKU when it was checked out. What moves for it is
//! booked under the SKU that it names, and passed on from there, so that order, reservation and
//! ledger agree whatever the SKU is now.

use common::Change;
use contracts::{OrderId, ProductId, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use super::reservation::Obstacle;
use super::{Shelf, StockItem};

/// A SKU is corrected less often than so.
const HOPS: usize = 64;

/// How a SKU ceased to be borne.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The SKU that its variant bears instead; `None` when it was freed.
    pub moved_to: Option<Sku>,
}

/// A variant that bore a SKU once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearer {
    /// When another took it over: orders that were checked out earlier mean this one.
    pub until: Timestamp,
    /// The product it is a variant of.
    pub product_id: ProductId,
    /// The SKU that it bears instead; `None` when it was freed.
    pub moved_to: Option<Sku>,
}

/// Where the pieces are that an order means by a SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Under the SKU itself.
    Here,
    /// Under this one.
    Under(Sku),
    /// In no stock: the SKU was freed.
    Nowhere,
}

/// What a SKU is to one product.
enum Standing<'a> {
    Borne,
    Left(Option<&'a Sku>),
}

impl StockItem {
    /// Whether no variant bears the SKU, so that one may.
    pub const fn is_free(&self) -> bool {
        self.retired.is_some()
    }

    /// No variant bears the SKU any more; its own bears this one instead, if any.
    pub(super) fn retire(self, moved_to: Option<Sku>) -> Change<Self> {
        let retired = Self { retired: Some(Retired { moved_to }), ..self };
        let told = retired.told();
        Change::to(retired).telling(&told)
    }

    /// A variant of this product bears the SKU from now on.
    pub(super) fn taken_over(self, by: ProductId, now: Timestamp) -> Self {
        let Self { retired, mut earlier, product_id, .. } = self;
        let moved_to = retired.and_then(|retired| retired.moved_to);
        earlier.push(Bearer { until: now, product_id, moved_to });
        Self { product_id: by, retired: None, earlier, ..self }
    }

    /// Finds the pieces that an order means by this SKU.
    pub(super) fn place(&self, order: OrderId, stock: &Shelf) -> Result<Place, Obstacle> {
        let Some((product_id, mut next)) = self.left_before(order) else { return Ok(Place::Here) };
        for _ in 0..HOPS {
            let Some(sku) = next else { break };
            let there = stock.get(sku.as_str());
            let there = there.ok_or_else(|| Obstacle::OutOfSight { sku: sku.clone() })?;
            match there.standing(product_id) {
                Standing::Borne if *sku == self.sku => return Ok(Place::Here),
                Standing::Borne => return Ok(Place::Under(sku.clone())),
                Standing::Left(moved_to) => next = moved_to,
            }
        }
        Ok(Place::Nowhere)
    }

    /// The product whose variant the order means, and the SKU it bears instead, if not this one.
    fn left_before(&self, order: OrderId) -> Option<(ProductId, Option<&Sku>)> {
        let means = |bearer: &&Bearer| checked_out(order).is_some_and(|at| at < bearer.until);
        let earlier = self.earlier.iter().find(means);
        let earlier = earlier.map(|bearer| (bearer.product_id, bearer.moved_to.as_ref()));
        let retired = self.retired.as_ref();
        earlier.or_else(|| retired.map(|retired| (self.product_id, retired.moved_to.as_ref())))
    }

    fn standing(&self, product_id: ProductId) -> Standing<'_> {
        if self.product_id == product_id {
            let moved_to = self.retired.as_ref().map(|retired| retired.moved_to.as_ref());
            return moved_to.map_or(Standing::Borne, Standing::Left);
        }
        let earlier = self.earlier.iter().rfind(|bearer| bearer.product_id == product_id);
        Standing::Left(earlier.and_then(|bearer| bearer.moved_to.as_ref()))
    }
}

/// When an order was checked out, as its id says (`UUIDv7`, RFC 9562); `None` for other ids.
fn checked_out(order: OrderId) -> Option<Timestamp> {
    let (seconds, nanos) = order.uuid().get_timestamp()?.to_unix();
    let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    Timestamp::from_millis(millis.checked_add(i64::from(nanos) / 1_000_000)?).ok()
}
