//! What is bought, and what it costs.

use std::collections::BTreeMap;

use contracts::cart::{self, CheckedOut};
use contracts::{Money, ProductId, Quantity, Sku, TrySum as _};
use serde::{Deserialize, Serialize};

use super::{Refusal, share};

/// One line of an order, as the shopper agreed to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What a warehouse counts.
    pub sku: Sku,
    /// Of which product.
    pub product_id: ProductId,
    /// The product's name when it was bought.
    pub title: String,
    /// What tells the variant from the others, such as `size: M`.
    pub options: BTreeMap<String, String>,
    /// How many pieces.
    pub quantity: Quantity,
    /// What one piece costs.
    pub unit_price: Money,
    /// What all pieces cost.
    pub line_total: Money,
}

/// What an order costs, and how it comes to that; all of one currency, none below 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// The sum of the lines.
    pub subtotal: Money,
    /// What is taken off.
    pub discount: Money,
    /// What sending costs.
    pub shipping: Money,
    /// What is added as tax.
    pub tax: Money,
    /// What is to be paid.
    pub total: Money,
}

impl Sums {
    /// The sums of a cart that was checked out, if they add up.
    pub(super) fn of(bought: &CheckedOut) -> Result<Self, Refusal> {
        let &CheckedOut { subtotal, discount, shipping, tax, total, .. } = bought;
        let sums = Self { subtotal, discount, shipping, tax, total };
        let add_up = lines_total(&bought.lines) == Some(subtotal) && sums.sum() == Some(total);
        if add_up && sums.none_is_negative() { Ok(sums) } else { Err(Refusal::DoesNotAddUp) }
    }

    /// What of the total each line comes to: discount and tax are spread over the lines, and
    /// shipping is apart.
    pub(super) fn shares(&self, lines: &[Line]) -> Vec<i64> {
        let weights: Vec<i64> = lines.iter().map(|line| line.line_total.amount.max(0)).collect();
        share::spread(self.goods(), &weights)
    }

    /// What of the total is for the shipping.
    pub(super) fn shipping_share(&self) -> i64 {
        self.total.amount - self.goods()
    }

    /// What of the total is for the goods. A discount may be larger than they are worth.
    fn goods(&self) -> i64 {
        self.total.amount.saturating_sub(self.shipping.amount).max(0)
    }

    fn sum(&self) -> Option<Money> {
        let goods = self.subtotal.checked_sub(self.discount)?;
        goods.checked_add(self.shipping)?.checked_add(self.tax)
    }

    fn none_is_negative(&self) -> bool {
        let all = [self.subtotal, self.discount, self.shipping, self.tax, self.total];
        all.iter().all(|money| money.amount >= 0)
    }
}

/// The sum of the lines, if each adds up and costs at least nothing.
fn lines_total(lines: &[cart::Line]) -> Option<Money> {
    let total = |line: &cart::Line| {
        let total = line.unit_price.times(line.quantity)?;
        (total == line.line_total && total.amount >= 0).then_some(total)
    };
    let totals: Option<Vec<Money>> = lines.iter().map(total).collect();
    totals?.into_iter().try_sum()
}

impl From<cart::Line> for Line {
    fn from(line: cart::Line) -> Self {
        let cart::Line { sku, product_id, title, options, quantity, unit_price, line_total } = line;
        Self { sku, product_id, title, options, quantity, unit_price, line_total }
    }
}
