//! What a service keeps: documents that change, and rows that never do.

use std::fmt::Display;

use mongodb::bson;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where it is noted which shape a stored thing has.
pub(crate) const SHAPE: &str = "shape";

/// A thing that has an id and changes from version to version.
///
/// It is stored under the text of its id: name the field `#[serde(rename = "_id")]`. The store adds
/// `version`, `told`, `born` and `shape` beside its fields, so none of them may be called so.
pub trait Document: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Where such things are kept.
    const COLLECTION: &'static str;

    /// Which schema version this version of the service writes. It grows by 1 when a thing gains
    /// something that an older version does not know: the version before (after a rollback, or during
    /// a rollout) reads and changes such a thing, and keeps the fields that it does not know. Older
    /// ones read it and leave its changes to the newer.
    ///
    /// It grows by 2 when the version before would do harm by a change, although it keeps what it
    /// does not know: then it leaves it alone, too, and no rollback works until nothing depends on it.
    const SHAPE: i64 = 0;

    /// What names one of them.
    type Id: Display + Clone + Send + Sync + 'static;

    /// What names this one.
    fn id(&self) -> Self::Id;

    /// Returns the shape that this one is stored under. A document that uses nothing an older
    /// version would drop may return an older shape, so that older versions go on changing it.
    fn shape(&self) -> i64 {
        Self::SHAPE
    }

    /// Makes what an earlier version stored read as if it had been stored by this one.
    fn upcast(_stored: &mut bson::Document) {}
}

/// An entry of a ledger: written once, in the commit it belongs to, and never changed.
///
/// Its `_id` must be its own for ever.
pub trait Row: Serialize {
    /// Where such entries are kept.
    const COLLECTION: &'static str;
}

/// Names one document in the whole database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) collection: &'static str,
    pub(crate) id: String,
}

impl Key {
    pub(crate) fn of<D: Document>(id: &D::Id) -> Self {
        Self { collection: D::COLLECTION, id: id.to_string() }
    }
}
