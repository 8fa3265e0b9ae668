//! A line of a cart, and which lines are of one thing.

use std::collections::BTreeMap;

use contracts::{ProductId, Quantity, Sku};
use serde::{Deserialize, Serialize};

use super::{Offer, Offers};

/// So many pieces of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The SKU that it bore when it was put into the cart or the cart was changed last.
    pub sku: Sku,
    /// Of which product: another one that bears the SKU later is not meant. Absent on a line of an
    /// earlier version of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// What told the variant from the others then: it decides between variants of the product that
    /// bore one SKU at different times.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// How many.
    pub quantity: Quantity,
}

impl Line {
    /// So many pieces of what is offered.
    pub fn of(offer: &Offer, quantity: Quantity) -> Self {
        let Offer { sku, product_id, options, .. } = offer.clone();
        Self { sku, product_id: Some(product_id), options, quantity }
    }

    /// Returns the line under the present SKU of what it means; as it is when that is not for sale.
    #[must_use]
    pub fn renewed(&self, offers: &Offers) -> Self {
        offers.for_line(self).map_or_else(|| self.clone(), |offer| Self::of(offer, self.quantity))
    }

    /// Whether the renewed line is shown under this SKU, or under the one to which it leads.
    pub(super) fn is_meant_by(&self, sku: &Sku, offers: &Offers) -> bool {
        let leads_here = |offer: &Offer| self.sku.is_same_as(&offer.sku);
        self.sku.is_same_as(sku) || offers.find(sku).is_some_and(leads_here)
    }

    /// Whether both are of one thing. A SKU alone does not say so: it may have passed to another
    /// product between the two.
    fn is_of_the_same(&self, other: &Self) -> bool {
        self.sku.is_same_as(&other.sku)
            && self.product_id == other.product_id
            && self.options == other.options
    }
}

/// Adds the pieces of a line to those of the same thing, up to the most pieces of a line; returns
/// the line if there is none.
pub(super) fn add(lines: &mut [Line], line: Line) -> Option<Line> {
    let Some(there) = lines.iter_mut().find(|there| there.is_of_the_same(&line)) else {
        return Some(line);
    };
    let pieces = there.quantity.get().saturating_add(line.quantity.get()).min(Quantity::MAX);
    there.quantity = Quantity::new(pieces).expect("from 1 to the most");
    None
}

/// The lines with those of one thing as one.
pub(super) fn folded(lines: impl Iterator<Item = Line>) -> Vec<Line> {
    lines.fold(Vec::new(), |mut folded, line| {
        let new = add(&mut folded, line);
        folded.extend(new);
        folded
    })
}
