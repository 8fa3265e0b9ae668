//! Scopes: which documents a decision is about.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::ops::Deref;

use contracts::stored;
use mongodb::bson::{self, Bson};

use super::{ETag, Preconditions, StoreError};
use crate::document::{Document, Key, SHAPE};

/// A document with what the store knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<D> {
    /// The document.
    pub value: D,
    pub(crate) meta: Meta,
}

/// What the store keeps beside a document's own fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) version: i64,
    pub(crate) told: i64,
    pub(crate) born: String,
}

impl<D> Stored<D> {
    /// How often it was changed.
    pub const fn version(&self) -> i64 {
        self.meta.version
    }

    /// Counts what was told of it: the sequence of the last event.
    pub fn sequence(&self) -> u64 {
        u64::try_from(self.meta.told).unwrap_or(0)
    }

    /// Names this version to clients.
    pub fn tag(&self) -> ETag {
        self.meta.tag()
    }
}

impl<D> Deref for Stored<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.value
    }
}

impl Meta {
    /// Parts what the store added from the document's own fields.
    pub(crate) fn part(body: &mut bson::Document) -> Self {
        let number = |value: Option<Bson>| value.as_ref().and_then(number).unwrap_or(0);
        Self {
            version: number(body.remove("version")),
            told: number(body.remove("told")),
            born: match body.remove("born") {
                Some(Bson::String(born)) => born,
                _ => String::new(),
            },
        }
    }

    pub(crate) fn add_to(&self, body: &mut bson::Document) {
        body.insert("version", self.version);
        body.insert("told", self.told);
        body.insert("born", &self.born);
    }

    pub(crate) fn tag(&self) -> ETag {
        ETag::new(self.version, &self.born)
    }
}

/// A whole number, of whatever width it is stored.
pub(crate) fn number(value: &Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

/// Reads a stored document.
pub(crate) fn read<D: Document>(mut body: bson::Document) -> Result<Stored<D>, StoreError> {
    let id = body.get_str("_id").unwrap_or_default().to_owned();
    let meta = Meta::part(&mut body);
    let value = decode(&id, body)?;
    Ok(Stored { value, meta })
}

fn decode<D: Document>(id: &str, mut body: bson::Document) -> Result<D, StoreError> {
    D::upcast(&mut body);
    stored::reading(|| bson::deserialize_from_document(body))
        .map_err(|error| StoreError::unreadable(D::COLLECTION, id, &error))
}

/// What the next version wrote may be changed: what this one does not know is kept. What a later one
/// wrote, or what cannot be read, is left to the newer.
fn written_by_no_newer<D: Document>(
    id: &str,
    body: bson::Document,
) -> Result<bson::Document, StoreError> {
    let shape = body.get(SHAPE).and_then(number).unwrap_or(0);
    if shape > D::SHAPE + 1 { Err(newer::<D>(id)) } else { Ok(body) }
}

fn newer<D: Document>(id: &str) -> StoreError {
    StoreError::Newer { collection: D::COLLECTION, id: id.to_owned() }
}

/// What the documents of a group of decisions are at one moment.
#[derive(Debug, Default)]
pub struct View {
    pub(crate) slots: HashMap<Key, Slot>,
}

/// One document on its way through a group of decisions.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// The version that is in the database; `None` when there is none.
    pub(crate) loaded: Option<i64>,
    /// What it is after the decisions so far.
    pub(crate) body: Option<bson::Document>,
    pub(crate) meta: Meta,
    pub(crate) changed: bool,
}

impl View {
    fn get<D: Document>(&self, id: &str) -> Result<Option<D>, StoreError> {
        let key = Key { collection: D::COLLECTION, id: id.to_owned() };
        let body = self.slots.get(&key).and_then(|slot| slot.body.clone());
        let Some(body) = body.map(|body| written_by_no_newer::<D>(id, body)).transpose()? else {
            return Ok(None);
        };
        let is_newer = body.get(SHAPE).and_then(number).is_some_and(|shape| shape > D::SHAPE);
        let read = decode(id, body);
        // What cannot be read of the next version is what only that one knows.
        read.map(Some).map_err(|error| if is_newer { newer::<D>(id) } else { error })
    }

    fn meta(&self, key: &Key) -> Option<&Meta> {
        self.slots.get(key).filter(|slot| slot.body.is_some()).map(|slot| &slot.meta)
    }
}

/// The documents that a decision is about.
pub trait Scope: Send + 'static {
    /// What the decision gets to see.
    type Things;

    /// Names them.
    #[doc(hidden)]
    fn keys(&self) -> Vec<DocumentKey>;

    /// Reads them.
    #[doc(hidden)]
    fn read(&self, view: &View) -> Result<Self::Things, StoreError>;

    /// Whether they are what the client said they must be.
    #[doc(hidden)]
    fn holds(&self, _view: &View) -> bool {
        true
    }
}

/// Names a document within a scope.
#[derive(Clone, Debug)]
pub struct DocumentKey(pub(crate) Key);

/// One document, or its absence.
#[derive(Clone, Debug)]
pub struct One<D: Document> {
    id: D::Id,
    preconditions: Option<Preconditions>,
    begins: bool,
}

/// The document of an id.
#[expect(non_snake_case, reason = "reads as the type it makes")]
pub const fn One<D: Document>(id: D::Id) -> One<D> {
    One { id, preconditions: None, begins: false }
}

impl<D: Document> One<D> {
    /// Only if it is still what the client saw; an absent one is left to the decision.
    #[must_use]
    pub fn matching(self, preconditions: impl Into<Preconditions>) -> Self {
        Self { preconditions: Some(preconditions.into()), ..self }
    }

    /// Begins with an edit: an absent one bears [`ETag::absent`] in the eyes of clients.
    #[must_use]
    pub fn or_new(self) -> Self {
        Self { begins: true, ..self }
    }
}

impl<D: Document> Scope for One<D> {
    type Things = Option<D>;

    fn keys(&self) -> Vec<DocumentKey> {
        vec![DocumentKey(Key::of::<D>(&self.id))]
    }

    fn read(&self, view: &View) -> Result<Self::Things, StoreError> {
        view.get(&self.id.to_string())
    }

    fn holds(&self, view: &View) -> bool {
        let meta = view.meta(&Key::of::<D>(&self.id));
        match (&self.preconditions, meta) {
            (Some(preconditions), Some(meta)) => preconditions.hold(&meta.tag()),
            (Some(preconditions), None) if self.begins => preconditions.hold(&ETag::absent()),
            _ => true,
        }
    }
}

/// Several documents of one kind, by the text of their ids.
#[derive(Clone, Debug)]
pub struct Many<D: Document> {
    ids: Vec<String>,
    kind: PhantomData<fn() -> D>,
}

/// The documents of several ids.
#[expect(non_snake_case, reason = "reads as the type it makes")]
pub fn Many<D: Document>(ids: impl IntoIterator<Item = D::Id>) -> Many<D> {
    Many { ids: ids.into_iter().map(|id| id.to_string()).collect(), kind: PhantomData }
}

impl<D: Document> Scope for Many<D> {
    type Things = BTreeMap<String, D>;

    fn keys(&self) -> Vec<DocumentKey> {
        let key = |id: &String| DocumentKey(Key { collection: D::COLLECTION, id: id.clone() });
        self.ids.iter().map(key).collect()
    }

    fn read(&self, view: &View) -> Result<Self::Things, StoreError> {
        let mut things = BTreeMap::new();
        for id in &self.ids {
            if let Some(thing) = view.get(id)? {
                things.insert(id.clone(), thing);
            }
        }
        Ok(things)
    }
}

macro_rules! scopes {
    ($($name:ident),+) => {
        #[expect(non_snake_case, reason = "each part is named as its type")]
        impl<$($name: Scope),+> Scope for ($($name,)+) {
            type Things = ($($name::Things,)+);

            fn keys(&self) -> Vec<DocumentKey> {
                let ($($name,)+) = self;
                [$($name.keys()),+].concat()
            }

            fn read(&self, view: &View) -> Result<Self::Things, StoreError> {
                let ($($name,)+) = self;
                Ok(($($name.read(view)?,)+))
            }

            fn holds(&self, view: &View) -> bool {
                let ($($name,)+) = self;
                $($name.holds(view))&&+
            }
        }
    };
}

scopes!(A, B);
scopes!(A, B, C);
scopes!(A, B, C, D);

/// A value with the versions that its documents will have once it is stored.
#[derive(Debug)]
pub struct Saved<'a, T> {
    /// What the decision came to.
    pub value: &'a T,
    pub(crate) view: &'a View,
}

impl<T> Saved<'_, T> {
    /// Names the version of a document of the scope as it will be stored.
    pub fn tag_of<D: Document>(&self, document: &D) -> ETag {
        let meta = self.view.meta(&Key::of::<D>(&document.id()));
        meta.map_or_else(ETag::absent, Meta::tag)
    }

    /// How often a document of the scope will have been changed.
    pub fn version_of<D: Document>(&self, document: &D) -> i64 {
        self.view.meta(&Key::of::<D>(&document.id())).map_or(0, |meta| meta.version)
    }
}

impl<T> Deref for Saved<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
    }
}
