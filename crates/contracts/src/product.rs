//! What product tells: what is for sale, how much of it, and what became of reservations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::events;
use crate::{Money, OrderId, ProductId, Quantity, Sku, Timestamp};

/// So many pieces of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Pieces)]
pub struct Pieces {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: Quantity,
}

/// A product as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::State)]
pub struct State {
    /// The product.
    pub product_id: ProductId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name for people.
    pub title: String,
    /// What can be bought of it.
    pub variants: Vec<Variant>,
    /// Whether it is no longer sold.
    pub archived: bool,
}

/// One form in which a product is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Variant)]
pub struct Variant {
    /// What a warehouse counts.
    pub sku: Sku,
    /// What tells it from the others, such as `size: M`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// What one piece costs.
    pub price: Money,
    /// Whether it is taken off sale, while the product's other variants go on being sold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off_sale: bool,
    /// SKUs that it bore before they were corrected. One that another variant bears now means that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_skus: Vec<Sku>,
}

/// How many pieces of a SKU can be sold now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Stock)]
pub struct Stock {
    /// What.
    pub sku: Sku,
    /// Of which product.
    pub product_id: ProductId,
    /// On hand less reserved; never below 0.
    pub available: u32,
}

/// All lines of an order are set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Reserved)]
pub struct Reserved {
    /// The order.
    pub order_id: OrderId,
    /// Which asking of the order this answers, from 1.
    pub round: u32,
}

/// A line that could not be set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Shortage)]
pub struct Shortage {
    /// What.
    pub sku: Sku,
    /// How many were asked for.
    pub requested: u32,
    /// How many there were.
    pub available: u32,
}

/// Not all lines of an order could be set aside, so none was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Refused)]
pub struct Refused {
    /// The order.
    pub order_id: OrderId,
    /// Which asking of the order this answers, from 1.
    pub round: u32,
    /// What was missing.
    pub shortages: Vec<Shortage>,
}

/// What was set aside for an order is for sale again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Released)]
pub struct Released {
    /// The order.
    pub order_id: OrderId,
}

/// What was set aside for an order is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::Committed)]
pub struct Committed {
    /// The order.
    pub order_id: OrderId,
}

/// A paid order's goods were no longer set aside, and are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::CommitRefused)]
pub struct CommitRefused {
    /// The order.
    pub order_id: OrderId,
    /// What was missing.
    pub shortages: Vec<Shortage>,
}

/// Goods are set aside for an order of which nothing was heard for too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = product::ReservationOverdue)]
pub struct ReservationOverdue {
    /// The order.
    pub order_id: OrderId,
    /// Since when they are set aside.
    pub reserved_at: Timestamp,
}

events! { "product":
    State = "state" v 1 State of product_id;
    Stock = "stock" v 1 State of sku;
    Reserved = "reserved" v 1 Fact of order_id;
    Refused = "refused" v 1 Fact of order_id;
    Released = "released" v 1 Fact of order_id;
    Committed = "committed" v 1 Fact of order_id;
    CommitRefused = "commit_refused" v 1 Fact of order_id;
    ReservationOverdue = "reservation_overdue" v 1 Fact of order_id;
}

#[expect(non_snake_case, reason = "each sample bears the name of its event")]
mod samples {
    use super::{
        CommitRefused, Committed, Refused, Released, ReservationOverdue, Reserved, Shortage, State,
        Stock, Variant,
    };
    use crate::event::example;

    pub(super) fn State() -> State {
        State {
            product_id: example::product(),
            slug: "enamel-mug".into(),
            title: "Enamel mug".into(),
            variants: vec![Variant {
                sku: example::sku(),
                options: [("colour".to_owned(), "blue".to_owned())].into(),
                price: example::eur(1250),
                off_sale: false,
                former_skus: Vec::new(),
            }],
            archived: false,
        }
    }

    pub(super) fn Stock() -> Stock {
        Stock { sku: example::sku(), product_id: example::product(), available: 12 }
    }

    pub(super) fn Reserved() -> Reserved {
        Reserved { order_id: example::order(), round: 1 }
    }

    fn shortage() -> Shortage {
        Shortage { sku: example::sku(), requested: 2, available: 1 }
    }

    pub(super) fn Refused() -> Refused {
        Refused { order_id: example::order(), round: 1, shortages: vec![shortage()] }
    }

    pub(super) fn Released() -> Released {
        Released { order_id: example::order() }
    }

    pub(super) fn Committed() -> Committed {
        Committed { order_id: example::order() }
    }

    pub(super) fn CommitRefused() -> CommitRefused {
        CommitRefused { order_id: example::order(), shortages: vec![shortage()] }
    }

    pub(super) fn ReservationOverdue() -> ReservationOverdue {
        ReservationOverdue { order_id: example::order(), reserved_at: example::time(0) }
    }
}
