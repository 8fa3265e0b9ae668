//! What a cart costs now.

use std::collections::BTreeMap;

use contracts::cart::CheckedOut;
use contracts::{Currency, Money, OrderId, ProductId, Quantity, Sku, cart};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Cart, Line, Offer, Offers, Refusal};

/// Why a line cannot be bought as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It is no longer for sale.
    NoLongerSold,
    /// There are fewer pieces than the line wants.
    NotEnough,
    /// It is sold in another currency than the rest.
    OtherCurrency,
    /// So many pieces, or they and the lines before them, cost more than a total may: 2^53 - 1
    /// minor units.
    TooExpensive,
}

/// A cart with its prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// What is in it.
    pub lines: Vec<PricedLine>,
    /// The sum of the lines that are for sale and not too expensive.
    pub total: Money,
}

/// A line with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: Quantity,
    /// What it is and costs, while it is for sale.
    pub sold: Option<Sold>,
    /// Why it cannot be bought as it is.
    pub troubles: Vec<Trouble>,
}

/// What a line is and costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    /// Its SKU as the shop spells it now.
    pub sku: Sku,
    /// Of which product.
    pub product_id: ProductId,
    /// The product's name.
    pub title: String,
    /// What tells the variant from the others.
    pub options: BTreeMap<String, String>,
    /// What one piece costs.
    pub unit_price: Money,
    /// What all pieces cost.
    pub line_total: Money,
}

impl Priced {
    /// Prices a renewed cart. The first line that is for sale says which currency it is paid in,
    /// and `currency` does while there is none.
    pub fn of(lines: &[Line], offers: &Offers, currency: Currency) -> Self {
        let first = lines.iter().find_map(|line| offers.for_line(line));
        let currency = first.map_or(currency, |offer| offer.price.currency);
        let price = |line| price(line, offers.for_line(line), currency);
        summed(lines.iter().map(price).collect(), Money::zero(currency))
    }

    /// What is told when it is bought, if it can be: every line for sale, and enough of each.
    pub fn bought(self, cart: &Cart, order_id: OrderId) -> Result<CheckedOut, Refusal> {
        let Self { lines, total } = self;
        let nothing = Money::zero(total.currency);
        let lines = lines.into_iter().map(buy).collect::<Result<Vec<_>, _>>()?;
        Ok(CheckedOut {
            cart_id: cart.id,
            order_id,
            customer: cart.owner,
            lines,
            subtotal: total,
            discount: nothing,
            shipping: nothing,
            tax: nothing,
            total,
        })
    }
}

/// Sums the lines up. The line with which the sum exceeds what a total may be and those after it
/// are too expensive, and are not part of it.
fn summed(mut lines: Vec<PricedLine>, nothing: Money) -> Priced {
    let (mut total, mut is_full) = (nothing, false);
    for line in &mut lines {
        let Some(sold) = &line.sold else { continue };
        let sum = total.checked_add(sold.line_total).and_then(Money::bounded);
        if let Some(sum) = sum.filter(|_| !is_full) {
            total = sum;
        } else {
            is_full = true;
            line.troubles.push(Trouble::TooExpensive);
        }
    }
    Priced { lines, total }
}

fn price(line: &Line, offer: Option<&Offer>, currency: Currency) -> PricedLine {
    let Line { sku, quantity, .. } = line.clone();
    let Some(offer) = offer else {
        return PricedLine { sku, quantity, sold: None, troubles: vec![Trouble::NoLongerSold] };
    };
    let mut troubles = Vec::new();
    if offer.available < quantity.get() {
        troubles.push(Trouble::NotEnough);
    }
    if offer.price.currency != currency {
        troubles.push(Trouble::OtherCurrency);
        return PricedLine { sku, quantity, sold: None, troubles };
    }
    let Some(line_total) = offer.price.times(quantity).and_then(Money::bounded) else {
        troubles.push(Trouble::TooExpensive);
        return PricedLine { sku, quantity, sold: None, troubles };
    };
    let Offer { sku: now, product_id, title, options, price: unit_price, .. } = offer.clone();
    let sold = Some(Sold { sku: now, product_id, title, options, unit_price, line_total });
    PricedLine { sku, quantity, sold, troubles }
}

fn buy(line: PricedLine) -> Result<cart::Line, Refusal> {
    let PricedLine { sku, quantity, sold, troubles } = line;
    match sold {
        Some(sold) if troubles.is_empty() => {
            let Sold { sku, product_id, title, options, unit_price, line_total } = sold;
            Ok(cart::Line { sku, product_id, title, options, quantity, unit_price, line_total })
        }
        _ => Err(Refusal::NotForSale { sku, troubles }),
    }
}
