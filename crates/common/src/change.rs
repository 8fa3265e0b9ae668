//! What a decision comes to: what things become and what is told about it.

use contracts::{Event, EventType};
use mongodb::bson::{self, Bson};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::document::{Document, Key, Row, SHAPE};
use crate::unknown::keep_unknown;

/// The outcome of a decision, to be committed as a whole or not at all.
///
/// `value` is what the caller goes on with, most often the thing that changed.
#[derive(Clone, Debug)]
#[must_use = "a change means nothing until it is committed"]
pub struct Change<T> {
    /// What the decision was about, as it is now.
    pub value: T,
    pub(crate) edits: Vec<Edit>,
    pub(crate) tellings: Vec<Telling>,
    pub(crate) rows: Vec<NewRow>,
    /// What it tells is counted on from here at least.
    pub(crate) floor: Option<i64>,
}

/// A document that becomes something else, or ends.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) key: Key,
    /// What it becomes; `None` when it ends.
    pub(crate) body: Option<Result<bson::Document, Unwritable>>,
    /// Keeps what the next schema version added to the stored document.
    pub(crate) keep_unknown: fn(&bson::Document, &mut bson::Document),
}

/// An event to be told.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    /// The document whose events are counted: the one in this collection with the subject as its id.
    pub(crate) aggregate: Key,
    pub(crate) event_type: EventType,
    pub(crate) data: Result<Box<RawValue>, Unwritable>,
}

/// A ledger row to be written.
#[derive(Clone, Debug)]
pub(crate) struct NewRow {
    pub(crate) collection: &'static str,
    pub(crate) body: Result<bson::Document, Unwritable>,
}

/// Something that has no stored form, such as a map whose keys are not text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot be written: {why}")]
pub struct Unwritable {
    what: String,
    why: String,
}

impl<T> Change<T> {
    /// Nothing changes.
    pub fn none(value: T) -> Self {
        Self { value, edits: Vec::new(), tellings: Vec::new(), rows: Vec::new(), floor: None }
    }

    /// The thing begins, or becomes this.
    pub fn to(value: T) -> Self
    where
        T: Document,
    {
        let edit = Edit::put(&value);
        Self { edits: vec![edit], ..Self::none(value) }
    }

    /// A further thing begins, or becomes this.
    pub fn with<D: Document>(mut self, document: &D) -> Self {
        self.edits.push(Edit::put(document));
        self
    }

    /// A thing ends.
    pub fn without<D: Document>(mut self, id: &D::Id) -> Self {
        self.edits.push(Edit {
            key: Key::of::<D>(id),
            body: None,
            keep_unknown: keep_unknown::<D>,
        });
        self
    }

    /// Emits an event about the document of type `D` that has the event's subject as its id.
    pub fn telling_of<D: Document, E: Event>(mut self, event: &E) -> Self {
        self.tellings.push(Telling::of::<D, E>(event));
        self
    }

    /// This goes into a ledger.
    pub fn row<R: Row>(mut self, row: &R) -> Self {
        self.rows.push(NewRow { collection: R::COLLECTION, body: write(R::COLLECTION, row) });
        self
    }

    /// Sequences of what it tells continue after this one, should the document itself have counted
    /// less far: it was restored from a backup.
    pub(crate) fn counting_from(self, sequence: u64) -> Self {
        Self { floor: i64::try_from(sequence).ok(), ..self }
    }

    /// The same change, seen as something else.
    pub fn map<U>(self, see: impl FnOnce(T) -> U) -> Change<U> {
        let Self { value, edits, tellings, rows, floor } = self;
        Change { value: see(value), edits, tellings, rows, floor }
    }

    /// Both changes at once; the value is this one's.
    pub fn and<U>(mut self, other: Change<U>) -> Self {
        self.edits.extend(other.edits);
        self.tellings.extend(other.tellings);
        self.rows.extend(other.rows);
        self
    }

    /// Whether nothing changes and nothing is told.
    pub fn is_none(&self) -> bool {
        self.edits.is_empty() && self.tellings.is_empty() && self.rows.is_empty()
    }

    /// What is told of one type, in order.
    pub fn told<E: Event>(&self) -> Vec<E> {
        self.tellings
            .iter()
            .filter(|telling| telling.event_type == E::TYPE)
            .filter_map(|telling| telling.data.as_ref().ok())
            .filter_map(|data| serde_json::from_str(data.get()).ok())
            .collect()
    }

    /// What goes into one ledger, in order.
    pub fn entries<R: Row + DeserializeOwned>(&self) -> Vec<R> {
        self.rows
            .iter()
            .filter(|row| row.collection == R::COLLECTION)
            .filter_map(|row| row.body.clone().ok())
            .filter_map(|body| bson::deserialize_from_document(body).ok())
            .collect()
    }

    /// Whether nothing is told.
    pub fn tells_nothing(&self) -> bool {
        self.tellings.is_empty()
    }

    /// What the documents of one type become, in order.
    pub fn writes<D: Document>(&self) -> Vec<D> {
        self.edits
            .iter()
            .filter(|edit| edit.key.collection == D::COLLECTION)
            .filter_map(|edit| edit.body.clone()?.ok())
            .filter_map(|body| bson::deserialize_from_document(body).ok())
            .collect()
    }
}

impl<T: Document> Change<T> {
    /// Emits an event about the document of type `T` that has the event's subject as its id.
    pub fn telling<E: Event>(self, event: &E) -> Self {
        self.telling_of::<T, E>(event)
    }
}

impl Edit {
    fn put<D: Document>(document: &D) -> Self {
        let key = Key::of::<D>(&document.id());
        let body = write(&key.id, document).map(|mut body| {
            let shape = document.shape();
            if shape > 0 {
                body.insert(SHAPE, shape);
            }
            body
        });
        Self { body: Some(body), key, keep_unknown: keep_unknown::<D> }
    }
}

impl Telling {
    fn of<D: Document, E: Event>(event: &E) -> Self {
        let data = serde_json::value::to_raw_value(event)
            .map_err(|error| Unwritable { what: E::TYPE.type_name(), why: error.to_string() });
        let aggregate = Key { collection: D::COLLECTION, id: event.subject() };
        Self { aggregate, event_type: E::TYPE, data }
    }
}

pub(crate) fn write(
    what: &str,
    value: &impl serde::Serialize,
) -> Result<bson::Document, Unwritable> {
    let unwritable = |why: String| Unwritable { what: what.to_owned(), why };
    match bson::serialize_to_bson(value) {
        Ok(Bson::Document(document)) => Ok(document),
        Ok(other) => Err(unwritable(format!("{:?} is no document", other.element_type()))),
        Err(error) => Err(unwritable(error.to_string())),
    }
}
