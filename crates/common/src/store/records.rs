//! Collections that are written directly, beside the commit.

use mongodb::bson::Document;
use mongodb::error::Error;
use mongodb::options::CollectionOptions;
use mongodb::{Collection, Database};

use super::{Store, StoreError};

/// A collection of the service's own that is not changed by commits. Its operations run to their
/// end, even if the caller no longer waits ([`Store::run`]). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Records {
    store: Store,
    name: &'static str,
    options: CollectionOptions,
}

impl Store {
    /// The collection of this name.
    pub fn records(&self, name: &'static str) -> Records {
        Records { store: self.clone(), name, options: CollectionOptions::default() }
    }
}

impl Records {
    /// The same with these options, such as a write concern of its own.
    #[must_use]
    pub fn with(self, options: CollectionOptions) -> Self {
        Self { options, ..self }
    }

    /// Runs an operation on the collection to its end, and gives what the driver gave.
    ///
    /// # Errors
    /// [`StoreError::Away`] when a request finds no connection for 2 s.
    pub async fn run<T, F>(
        &self,
        operation: impl FnOnce(Collection<Document>) -> F,
    ) -> Result<Result<T, Error>, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let (name, options) = (self.name, self.options.clone());
        let on =
            move |database: Database| operation(database.collection_with_options(name, options));
        self.store.run(on).await
    }
}
