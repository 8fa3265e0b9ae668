//! Which life of its database a service is in.

use mongodb::Collection;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::ReturnDocument;

use crate::Clock;

/// The generation of the copies in this database: drawn once, so that a database that was wiped gets
/// another and hears everything anew.
pub(super) async fn generation(
    frame: &Collection<Document>,
    clock: &Clock,
) -> Result<String, Error> {
    let drawn = clock.uuid().simple().to_string();
    // The end of the UUID is random; the beginning is the time.
    let fresh = doc! { "$setOnInsert": { "generation": &drawn[20..] } };
    let copies = frame
        .find_one_and_update(doc! { "_id": "copies" }, fresh)
        .upsert(true)
        .return_document(ReturnDocument::After)
        .await?
        .unwrap_or_default();
    Ok(copies.get_str("generation").unwrap_or_default().to_owned())
}
