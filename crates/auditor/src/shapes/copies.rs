//! What one service keeps of another's, beside its source.

use contracts::auth::PublicKey;
use contracts::product::Variant;
use contracts::{OrderId, ProductId, SessionId, Sku, Timestamp, UserId};
use serde::Deserialize;

use crate::merge::Keyed;

/// A product, as product has it and as cart copied it.
#[derive(Debug, Deserialize)]
pub(crate) struct Product {
    #[serde(rename = "_id")]
    id: ProductId,
    title: String,
    variants: Vec<Variant>,
    archived: bool,
    version: i64,
    told: i64,
}

/// How much of a SKU can be sold, as product counts it.
#[derive(Debug, Deserialize)]
pub(crate) struct Counted {
    #[serde(rename = "_id")]
    sku: Sku,
    on_hand: i64,
    reserved: i64,
    told: i64,
}

/// How much of a SKU can be sold, as cart copied it.
#[derive(Debug, Deserialize)]
pub(crate) struct Sellable {
    #[serde(rename = "_id")]
    sku: Sku,
    available: i64,
    version: i64,
}

/// The keys that tokens are checked with.
#[derive(Debug, Deserialize)]
pub(crate) struct KeySet {
    #[serde(rename = "_id")]
    set: String,
    keys: Vec<PublicKey>,
    version: i64,
    told: i64,
}

/// A sign-in that ended.
#[derive(Debug, Deserialize)]
pub(crate) struct Ended {
    #[serde(rename = "_id")]
    pub(crate) id: SessionId,
    pub(crate) revoked_at: Timestamp,
}

/// A guest, and the account that it turned out to be.
#[derive(Debug, Deserialize)]
pub(crate) struct Merged {
    #[serde(rename = "_id")]
    guest: UserId,
    #[serde(alias = "merged_into")]
    account: UserId,
}

/// A guest's cart, and the account whose cart has what was in it.
#[derive(Debug, Deserialize)]
pub(crate) struct Moved {
    #[serde(rename = "_id")]
    guest: UserId,
    #[serde(default)]
    moved_to: Option<UserId>,
}

/// An order, and who ordered: as order has it, and as auth remembers it to write to them.
#[derive(Debug, Deserialize)]
pub(crate) struct Ordered {
    #[serde(rename = "_id")]
    order: OrderId,
    #[serde(alias = "user_id")]
    customer: UserId,
}

/// What a copy and its source say, in a form that can be compared.
pub(crate) trait Copied: Keyed {
    /// What is said, and by which number of the source's events.
    fn said(&self, is_copy: bool) -> (i64, String);
}

impl Copied for Product {
    fn said(&self, is_copy: bool) -> (i64, String) {
        let Self { title, variants, archived, .. } = self;
        let said = format!("{title:?} {variants:?} {archived}");
        (if is_copy { self.version } else { self.told }, said)
    }
}

impl Copied for Counted {
    fn said(&self, _: bool) -> (i64, String) {
        (self.told, (self.on_hand - self.reserved).to_string())
    }
}

impl Copied for Sellable {
    fn said(&self, _: bool) -> (i64, String) {
        (self.version, self.available.to_string())
    }
}

impl Copied for KeySet {
    fn said(&self, is_copy: bool) -> (i64, String) {
        (if is_copy { self.version } else { self.told }, format!("{:?}", self.keys))
    }
}

impl Copied for Ended {
    fn said(&self, _: bool) -> (i64, String) {
        (0, self.revoked_at.to_string())
    }
}

impl Copied for Merged {
    fn said(&self, _: bool) -> (i64, String) {
        (0, self.account.to_string())
    }
}

impl Copied for Moved {
    /// One that is still open is older than the event that closes it.
    fn said(&self, _: bool) -> (i64, String) {
        self.moved_to.map_or((-1, String::new()), |account| (0, account.to_string()))
    }
}

impl Copied for Ordered {
    fn said(&self, _: bool) -> (i64, String) {
        (0, self.customer.to_string())
    }
}

macro_rules! keyed {
    ($($shape:ident by $field:ident: $key:ty;)+) => {$(
        impl Keyed for $shape {
            type Key = $key;

            fn key(&self) -> $key {
                self.$field.clone()
            }
        }
    )+};
}

keyed! {
    Product by id: ProductId;
    Counted by sku: Sku;
    Sellable by sku: Sku;
    KeySet by set: String;
    Ended by id: SessionId;
    Merged by guest: UserId;
    Moved by guest: UserId;
    Ordered by order: OrderId;
}
