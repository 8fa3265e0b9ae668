//! An order as lists show it.

use contracts::{Money, OrderId, Timestamp, UserId};
use mongodb::bson::{Bson, Document, doc};
use serde::Deserialize;

use crate::domain::{Status, Sums};

/// What a list shows of an order. Its size does not depend on how many lines the order has.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Summary {
    /// Names it.
    #[serde(rename = "_id")]
    pub(crate) id: OrderId,
    /// Who buys.
    pub(crate) customer: UserId,
    /// Where it stands.
    pub(crate) status: Status,
    /// What it costs.
    pub(crate) sums: Sums,
    /// The first line's product by its name; absent when there is no line.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// How many lines it has.
    pub(crate) lines: u32,
    /// How many pieces were bought.
    pub(crate) pieces: i64,
    /// How much came, in minor units of the total's currency.
    captured: i64,
    /// How much went back.
    refunded: i64,
    /// How much was asked to go back and did not yet.
    asked: i64,
    /// When the order began.
    pub(crate) placed_at: Timestamp,
    /// Grows with every change.
    pub(crate) version: i64,
}

impl Summary {
    /// The `$project` stage that makes a summary of a stored order.
    pub(super) fn projection() -> Document {
        let amounts = |entries: &str| {
            let entries = doc! { "$objectToArray": entries };
            doc! { "$sum": { "$map": { "input": entries, "in": "$$this.v.amount" } } }
        };
        let is_asked = doc! { "$eq": ["$$this.state.is", "asked"] };
        let refunds = doc! { "$ifNull": ["$payment.refunds", []] };
        // What is no list fails the whole page, so that is left to the reading of the summary.
        let count = doc! { "$cond": [{ "$isArray": "$lines" }, { "$size": "$lines" }, Bson::Null] };
        let asked = doc! { "$filter": { "input": refunds, "cond": is_asked } };
        doc! {
            "customer": 1,
            "status": 1,
            "sums": 1,
            "title": { "$arrayElemAt": ["$lines.title", 0] },
            "lines": count,
            "pieces": { "$sum": "$lines.quantity" },
            "captured": amounts("$payment.captured"),
            "refunded": amounts("$payment.refunded"),
            "asked": { "$sum": { "$map": { "input": asked, "in": "$$this.amount.amount" } } },
            "placed_at": 1,
            "version": 1,
        }
    }

    /// How much went back; `None` when none did.
    pub(crate) fn went_back(&self) -> Option<Money> {
        self.some(self.refunded)
    }

    /// How much should have gone back and did not, and no refund is under way: staff have to act.
    pub(crate) fn stuck(&self) -> Option<Money> {
        let is_over = matches!(self.status, Status::Cancelled { .. } | Status::Expired { .. });
        let left = self.captured.saturating_sub(self.refunded).saturating_sub(self.asked);
        self.some(left).filter(|_| is_over)
    }

    fn some(&self, amount: i64) -> Option<Money> {
        (amount > 0).then_some(Money::new(amount, self.sums.total.currency))
    }
}
