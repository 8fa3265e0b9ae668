//! Who asks about orders.

use common::{Change, Document};
use contracts::order::CancelReason;
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Order, Refusal};

/// Somebody who asks about orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Every id that is theirs: their own, and those of the guests that they were.
    pub ids: Vec<UserId>,
    /// Whether they mind the shop.
    pub is_staff: bool,
}

/// A guest who turned out to be the person of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The guest that was.
    #[serde(rename = "_id")]
    pub guest: UserId,
    /// The account it became part of.
    pub account: UserId,
    /// Whether every order of the guest is the account's.
    #[serde(default)]
    pub followed: bool,
}

impl Document for Merged {
    const COLLECTION: &'static str = "merged_guests";
    type Id = UserId;

    fn id(&self) -> UserId {
        self.guest
    }
}

impl Person {
    /// Whether the order is theirs.
    pub fn buys(&self, order: &Order) -> bool {
        self.ids.contains(&order.customer)
    }

    /// Whether they may see the order.
    pub fn sees(&self, order: &Order) -> bool {
        self.is_staff || self.buys(order)
    }

    /// Why the order is given up when they ask for it.
    pub fn reason(&self, order: &Order) -> CancelReason {
        if self.buys(order) { CancelReason::Customer } else { CancelReason::Staff }
    }
}

impl Order {
    /// Makes the order the account's that its guest became part of.
    pub fn follow(self, merged: &Merged) -> Change<Self> {
        if self.customer != merged.guest {
            return Change::none(self);
        }
        let guest = self.guest.or(Some(merged.guest));
        Change::to(Self { customer: merged.account, guest, ..self })
    }

    /// The order, if this person may see it; to others it does not exist.
    pub fn shown_to(self, person: &Person, now: Timestamp) -> Result<Self, Refusal> {
        if person.sees(&self) { Ok(self) } else { Err(Refusal::unknown(self.id, now)) }
    }
}
