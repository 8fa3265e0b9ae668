//! The one transaction: documents where their version is still the loaded one, ledger rows,
//! outbox rows and receipts, all or nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use mongodb::bson::{self, Document, doc};
use mongodb::error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR};
use mongodb::error::{UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure};
use mongodb::{ClientSession, Database};
use tokio::time::Instant;

use super::StoreError;
use super::call::Fate;
use super::error::is_away;
use super::outbox::OutboxRow;
use super::plan::Plan;
use super::receipt::ReceiptDocument;

/// How long a commit whose result is unknown is asked about.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);
/// A key was there already.
const DUPLICATE_KEY: i32 = 11000;
/// Another transaction was first.
const WRITE_CONFLICT: i32 = 112;

/// Why a group was not written.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Another writer was first: load and decide again.
    Race,
    /// One call is at fault by itself.
    Culprit {
        /// Which one.
        index: usize,
        /// What it hears.
        fate: Fate,
    },
    /// The database is out of reach.
    Away(StoreError),
    /// The database will not have it.
    Refused(StoreError),
}

/// One command of the transaction, and how many documents it has to touch.
struct Statement {
    command: Document,
    expected: i64,
}

/// Writes a plan. Where a single document changes and nothing else, no transaction is needed.
pub(crate) async fn write(
    database: &Database,
    plan: &Plan,
    outbox: &[OutboxRow],
) -> Result<(), Lost> {
    let statements = statements(plan, outbox);
    match statements.as_slice() {
        [] => Ok(()),
        [only] if only.expected == 1 => check(database.run_command(alone(only)).await, only),
        several => transact(database, several).await,
    }
}

/// Outside a transaction a command names its own write concern.
fn alone(statement: &Statement) -> Document {
    let mut command = statement.command.clone();
    command.insert("writeConcern", doc! { "w": "majority", "j": true });
    command
}

async fn transact(database: &Database, statements: &[Statement]) -> Result<(), Lost> {
    let mut session = database.client().start_session().await.map_err(|error| lost(&error))?;
    begin(&mut session).await.map_err(|error| lost(&error))?;
    for statement in statements {
        let reply = database.run_command(statement.command.clone()).session(&mut session).await;
        if let Err(lost) = check(reply, statement) {
            // It ends by itself, too, should this fail.
            let _ = session.abort_transaction().await;
            return Err(lost);
        }
    }
    commit(&mut session).await
}

#[expect(clippy::disallowed_methods, reason = "this is the one transaction")]
async fn begin(session: &mut ClientSession) -> Result<(), Error> {
    session.start_transaction().await
}

/// Asks until it is known; should it stay unknown, receipts and versions decide the second time.
async fn commit(session: &mut ClientSession) -> Result<(), Lost> {
    let until = Instant::now() + UNKNOWN_FOR;
    loop {
        match session.commit_transaction().await {
            Ok(()) => return Ok(()),
            Err(error) if unknown(&error) && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) if unknown(&error) => return Err(Lost::Race),
            Err(error) => return Err(lost(&error)),
        }
    }
}

fn unknown(error: &Error) -> bool {
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
}

fn check(reply: Result<Document, Error>, statement: &Statement) -> Result<(), Lost> {
    let reply = reply.map_err(|error| lost(&error))?;
    if let Ok([first, ..]) = reply.get_array("writeErrors").map(Vec::as_slice) {
        return Err(write_error(first.as_document()));
    }
    if let Ok(concern) = reply.get_document("writeConcernError") {
        return Err(Lost::Away(StoreError::Away(concern.to_string())));
    }
    let touched = reply.get_i32("n").map(i64::from).or_else(|_| reply.get_i64("n")).unwrap_or(0);
    if touched == statement.expected { Ok(()) } else { Err(Lost::Race) }
}

fn write_error(error: Option<&Document>) -> Lost {
    let code = error.and_then(|error| error.get_i32("code").ok()).unwrap_or(0);
    let why = error.and_then(|error| error.get_str("errmsg").ok()).unwrap_or("no reason given");
    by_code(code, why)
}

fn by_code(code: i32, why: &str) -> Lost {
    match code {
        WRITE_CONFLICT => Lost::Race,
        // Somebody began the same thing first; a duplicate of anything but the id stays one.
        DUPLICATE_KEY if why.contains("index: _id_") => Lost::Race,
        _ => Lost::Refused(StoreError::Refused { what: "write".into(), why: why.to_owned() }),
    }
}

fn lost(error: &Error) -> Lost {
    if error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
        return Lost::Race;
    }
    match &*error.kind {
        ErrorKind::Command(command) if !is_away(error) => by_code(command.code, &command.message),
        ErrorKind::Write(WriteFailure::WriteError(failed)) => by_code(failed.code, &failed.message),
        _ => StoreError::of("write", error).into(),
    }
}

fn statements(plan: &Plan, outbox: &[OutboxRow]) -> Vec<Statement> {
    let mut inserts: BTreeMap<&str, Vec<Document>> = BTreeMap::new();
    let mut updates: BTreeMap<&str, Vec<Document>> = BTreeMap::new();
    let mut deletes: BTreeMap<&str, Vec<Document>> = BTreeMap::new();
    for (key, slot) in plan.view.slots.iter().filter(|(_, slot)| slot.changed) {
        let whole = slot.body.clone().map(|mut body| {
            slot.meta.add_to(&mut body);
            body
        });
        match (slot.loaded, whole) {
            (None, Some(body)) => inserts.entry(key.collection).or_default().push(body),
            (Some(version), Some(body)) => updates
                .entry(key.collection)
                .or_default()
                .push(doc! { "q": { "_id": &key.id, "version": version }, "u": body }),
            (Some(version), None) => deletes
                .entry(key.collection)
                .or_default()
                .push(doc! { "q": { "_id": &key.id, "version": version }, "limit": 1 }),
            (None, None) => {}
        }
    }
    for (collection, row) in &plan.rows {
        inserts.entry(collection).or_default().push(row.clone());
    }
    let told = outbox.iter().map(OutboxRow::to_bson);
    inserts.entry(OutboxRow::COLLECTION).or_default().extend(told);
    receipts(plan, &mut inserts, &mut updates);
    let written =
        inserts.into_iter().map(|(name, many)| Statement::new("insert", name, "documents", many));
    let changed =
        updates.into_iter().map(|(name, many)| Statement::new("update", name, "updates", many));
    let ended =
        deletes.into_iter().map(|(name, many)| Statement::new("delete", name, "deletes", many));
    changed.chain(ended).chain(written).filter(|statement| statement.expected > 0).collect()
}

fn receipts<'a>(
    plan: &Plan,
    inserts: &mut BTreeMap<&'a str, Vec<Document>>,
    updates: &mut BTreeMap<&'a str, Vec<Document>>,
) {
    for receipted in plan.receipts.values().filter(|receipted| receipted.written) {
        let body = receipted.document.to_bson();
        if receipted.stored {
            let started = doc! { "_id": &receipted.document.id, "state": "started" };
            updates
                .entry(ReceiptDocument::COLLECTION)
                .or_default()
                .push(doc! { "q": started, "u": body });
        } else {
            inserts.entry(ReceiptDocument::COLLECTION).or_default().push(body);
        }
    }
}

impl Statement {
    fn new(verb: &str, collection: &str, field: &str, many: Vec<Document>) -> Self {
        let expected = i64::try_from(many.len()).unwrap_or(i64::MAX);
        let many: bson::Array = many.into_iter().map(bson::Bson::Document).collect();
        let mut command = doc! { verb: collection };
        command.insert(field, many);
        command.insert("ordered", true);
        Self { command, expected }
    }
}
