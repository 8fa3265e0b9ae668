//! Copies of what another service owns: only what is newer replaces them.

use mongodb::Database;
use mongodb::bson::doc;
use mongodb::error::{ErrorKind, WriteFailure};

use super::scope::Meta;
use super::{Store, StoreError};
use crate::change::write;
use crate::document::Document;

impl Store {
    /// Keeps a copy, unless a newer one is there; says whether it was kept.
    ///
    /// `sequence` is the one of the event that told it. Needs no receipt and no order.
    pub async fn keep_copy<D: Document>(
        &self,
        copy: &D,
        sequence: u64,
    ) -> Result<bool, StoreError> {
        let version = i64::try_from(sequence).unwrap_or(i64::MAX);
        let mut body = write(D::COLLECTION, copy)?;
        Meta { version, told: 0, born: "copy".to_owned() }.add_to(&mut body);
        let older = doc! { "_id": copy.id().to_string(), "version": { "$lt": version } };
        let keep = async move |database: Database| {
            database.collection(D::COLLECTION).replace_one(older, body).upsert(true).await
        };
        match self.run(keep).await? {
            Ok(_) => Ok(true),
            // It is there and not older, so nothing matched, and beginning it failed.
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(StoreError::of(D::COLLECTION, &error)),
        }
    }
}

fn is_duplicate(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(failed)) => failed.code == 11000,
        ErrorKind::Command(command) => command.code == 11000,
        _ => false,
    }
}
