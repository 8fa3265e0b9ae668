//! The ledger: every movement of money, entered twice.

use common::Row;
use contracts::{Money, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Attempt, Refund};

/// Half of a movement of money; both halves of one sum to nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The movement and the account: each movement is entered once.
    #[serde(rename = "_id")]
    pub id: String,
    /// The payment it belongs to.
    pub payment_id: PaymentId,
    /// The account it changes.
    pub account: Account,
    /// By how much: what comes in is positive, what is owed negative.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// What the ledger counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What the provider holds for the shop.
    ProviderClearing,
    /// What the shop owes to those who paid, in goods or in money.
    CustomerFunds,
}

impl Row for Entry {
    const COLLECTION: &'static str = "ledger";
}

impl Entry {
    /// The money of an attempt came in.
    pub fn capture(payment: PaymentId, attempt: &Attempt, at: Timestamp) -> [Self; 2] {
        Self::pair(payment, &format!("capture:{}", attempt.id), attempt.amount, at)
    }

    /// The money of a refund went out.
    pub fn refund(payment: PaymentId, refund: &Refund, at: Timestamp) -> [Self; 2] {
        let back = opposite(refund.amount);
        Self::pair(payment, &format!("refund:{}", refund.id), back, at)
    }

    fn pair(payment_id: PaymentId, movement: &str, amount: Money, at: Timestamp) -> [Self; 2] {
        let entry = |account: Account, name: &str, amount| Self {
            id: format!("{movement}:{name}"),
            payment_id,
            account,
            amount,
            at,
        };
        [
            entry(Account::ProviderClearing, "provider_clearing", amount),
            entry(Account::CustomerFunds, "customer_funds", opposite(amount)),
        ]
    }
}

/// Amounts are never below nothing, so that the opposite of one always exists.
fn opposite(money: Money) -> Money {
    Money::new(-money.amount, money.currency)
}
