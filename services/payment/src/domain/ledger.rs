//! The ledger: every movement of money, entered twice.

use std::fmt::Display;

use common::Row;
use contracts::{AttemptId, Money, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Refund;

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
    /// What banks took back until it is clear whose it is.
    Disputed,
    /// What the shop lost.
    Losses,
}

impl Row for Entry {
    const COLLECTION: &'static str = "ledger";
}

impl Account {
    /// Its name, as it is stored.
    fn name(self) -> &'static str {
        match self {
            Self::ProviderClearing => "provider_clearing",
            Self::CustomerFunds => "customer_funds",
            Self::Disputed => "disputed",
            Self::Losses => "losses",
        }
    }
}

impl Entry {
    /// The money of an attempt came in.
    pub fn capture(
        payment: PaymentId,
        attempt: AttemptId,
        came: Money,
        at: Timestamp,
    ) -> [Self; 2] {
        let movement = Movement { name: "capture", of: attempt, payment, amount: came, at };
        movement.entries(Account::CustomerFunds, Account::ProviderClearing)
    }

    /// The money of a refund went out.
    pub fn refund(payment: PaymentId, refund: &Refund, at: Timestamp) -> [Self; 2] {
        let movement =
            Movement { name: "refund", of: refund.id, payment, amount: refund.amount, at };
        movement.entries(Account::ProviderClearing, Account::CustomerFunds)
    }

    /// The money of a refund that went out came back.
    pub fn refund_returned(payment: PaymentId, refund: &Refund, at: Timestamp) -> [Self; 2] {
        let movement =
            Movement { name: "refund_returned", of: refund.id, payment, amount: refund.amount, at };
        movement.entries(Account::CustomerFunds, Account::ProviderClearing)
    }

    /// The bank took money back until it is clear whose it is. `dispute` is the name under which it
    /// is entered.
    pub fn disputed(payment: PaymentId, dispute: &str, amount: Money, at: Timestamp) -> [Self; 2] {
        let movement = Movement { name: "dispute", of: dispute, payment, amount, at };
        movement.entries(Account::ProviderClearing, Account::Disputed)
    }

    /// It is clear whose the money is.
    pub fn dispute_closed(
        payment: PaymentId,
        dispute: &str,
        amount: Money,
        won: bool,
        at: Timestamp,
    ) -> [Self; 2] {
        let (name, to) = if won {
            ("dispute_won", Account::ProviderClearing)
        } else {
            ("dispute_lost", Account::Losses)
        };
        Movement { name, of: dispute, payment, amount, at }.entries(Account::Disputed, to)
    }
}

/// Money that moves from one account to another, once.
struct Movement<Id> {
    name: &'static str,
    of: Id,
    payment: PaymentId,
    amount: Money,
    at: Timestamp,
}

impl<Id: Display> Movement<Id> {
    fn entries(&self, from: Account, to: Account) -> [Entry; 2] {
        let entry = |account: Account, amount| Entry {
            id: format!("{}:{}:{}", self.name, self.of, account.name()),
            payment_id: self.payment,
            account,
            amount,
            at: self.at,
        };
        [entry(to, self.amount), entry(from, opposite(self.amount))]
    }
}

/// Amounts are never below nothing, so that the opposite of one always exists.
fn opposite(money: Money) -> Money {
    Money::new(-money.amount, money.currency)
}
