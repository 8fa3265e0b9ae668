//! What cart tells.

use contracts::cart::{CheckedOut, Line};
use contracts::product::Pieces;
use contracts::{OrderId, Timestamp};

use super::{Worded, Words};
use crate::timeline::plain::goods;

impl Worded for CheckedOut {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        let pieces = |line: &Line| Pieces { sku: line.sku.clone(), quantity: line.quantity };
        let goods = goods(&self.lines.iter().map(pieces).collect::<Vec<_>>());
        Words::new(format!("You ordered {goods} for {}", self.total))
            .detail("cart_id", &self.cart_id)
    }
}
