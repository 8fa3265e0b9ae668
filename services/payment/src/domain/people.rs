//! Whose a payment is.

use common::Document;
use contracts::UserId;
use serde::{Deserialize, Serialize};

/// Everyone that the one who asks is or was: the account, and the guests that became part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People(Vec<UserId>);

/// A guest who turned out to be the person of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The guest that was.
    #[serde(rename = "_id")]
    pub guest: UserId,
    /// The account it became part of.
    pub account: UserId,
}

impl Document for Merged {
    const COLLECTION: &'static str = "merged_guests";
    type Id = UserId;

    fn id(&self) -> UserId {
        self.guest
    }
}

impl People {
    /// One person under all their ids.
    pub fn of(ids: impl IntoIterator<Item = UserId>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Whether this is one of their ids.
    pub fn include(&self, id: UserId) -> bool {
        self.0.contains(&id)
    }
}
