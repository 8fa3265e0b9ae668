//! Changing what no service would, and taking it back.

use mongodb::bson::{Document, doc};
use testkit::fleet::Service;

use crate::shop::Shop;

/// One change of a database.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    service: Service,
    collection: &'static str,
    id: String,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Change(Document),
    Insert(Document),
    Delete,
}

/// What a planted edit takes to be undone.
#[derive(Debug)]
pub(crate) struct Planted {
    edit: Edit,
    before: Option<Document>,
}

impl Edit {
    /// A document is changed by an update.
    pub(crate) fn change(
        (service, collection): (Service, &'static str),
        id: &str,
        update: Document,
    ) -> Self {
        Self { service, collection, id: id.to_owned(), act: Act::Change(update) }
    }

    /// A document appears.
    pub(crate) fn insert(
        (service, collection): (Service, &'static str),
        id: &str,
        body: Document,
    ) -> Self {
        let mut whole = doc! { "_id": id };
        whole.extend(body);
        Self { service, collection, id: id.to_owned(), act: Act::Insert(whole) }
    }

    /// A document is gone.
    pub(crate) fn delete((service, collection): (Service, &'static str), id: &str) -> Self {
        Self { service, collection, id: id.to_owned(), act: Act::Delete }
    }

    pub(crate) async fn plant(self, shop: &Shop) -> Planted {
        let collection = shop.collection(self.service, self.collection);
        let this = doc! { "_id": &self.id };
        let before = collection.find_one(this.clone()).await.unwrap();
        match &self.act {
            Act::Change(update) => {
                let changed = collection.update_one(this, update.clone()).await.unwrap();
                assert_eq!(changed.modified_count, 1, "{self:?}");
            }
            Act::Insert(body) => drop(collection.insert_one(body).await.unwrap()),
            Act::Delete => {
                assert_eq!(collection.delete_one(this).await.unwrap().deleted_count, 1, "{self:?}");
            }
        }
        Planted { edit: self, before }
    }
}

impl Planted {
    pub(crate) async fn undo(self, shop: &Shop) {
        let collection = shop.collection(self.edit.service, self.edit.collection);
        let this = doc! { "_id": &self.edit.id };
        collection.delete_one(this).await.unwrap();
        if let Some(before) = self.before {
            collection.insert_one(before).await.unwrap();
        }
    }
}
