//! What cart tells: that somebody wants to buy what is in their cart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::events;
use crate::{CartId, Money, OrderId, ProductId, Quantity, Sku, UserId};

/// One line of an order, with the price the shopper saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = cart::Line)]
pub struct Line {
    /// What.
    pub sku: Sku,
    /// Of which product.
    pub product_id: ProductId,
    /// The product's name when it was bought.
    pub title: String,
    /// What tells the variant from the others.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// How many.
    pub quantity: Quantity,
    /// What one piece costs.
    pub unit_price: Money,
    /// What all pieces cost.
    pub line_total: Money,
}

/// A cart was checked out: the shopper accepted these lines at these prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = cart::CheckedOut)]
pub struct CheckedOut {
    /// The cart.
    pub cart_id: CartId,
    /// The order that comes of it.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer: UserId,
    /// What is bought.
    pub lines: Vec<Line>,
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

events! { "cart":
    CheckedOut = "checked_out" v 1 Fact of cart_id;
}

#[expect(non_snake_case, reason = "each sample bears the name of its event")]
mod samples {
    use super::{CheckedOut, Line};
    use crate::Quantity;
    use crate::event::example;

    pub(super) fn CheckedOut() -> CheckedOut {
        CheckedOut {
            cart_id: example::cart(),
            order_id: example::order(),
            customer: example::user(),
            lines: vec![Line {
                sku: example::sku(),
                product_id: example::product(),
                title: "Enamel mug".into(),
                options: [("colour".to_owned(), "blue".to_owned())].into(),
                quantity: Quantity::new(2).expect("2 is a quantity"),
                unit_price: example::eur(1250),
                line_total: example::eur(2500),
            }],
            subtotal: example::eur(2500),
            discount: example::eur(0),
            shipping: example::eur(0),
            tax: example::eur(0),
            total: example::eur(2500),
        }
    }
}
