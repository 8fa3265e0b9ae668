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
use crate::crash::{Point, point};

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
    /// Another writer began the same thing first: load and decide again.
    Began,
    /// One call is at fault by itself.
    Culprit {
        /// Which one.
        index: usize,
        /// What it hears.
        fate: Fate,
    },
    /// What the group is about takes too many bytes: fewer calls at once.
    Oversized,
    /// The database is out of reach.
    Away(StoreError),
    /// The database will not have it.
    Refused(StoreError),
}

/// One command of the transaction, and how many documents it has to touch.
struct Statement {
    command: Document,
    expected: i64,
    /// Whether it writes ledger rows, whose ids never repeat.
    rows: bool,
}

/// Writes a plan. Where a single document changes and nothing else, no transaction is needed.
pub(crate) async fn write(
    database: &Database,
    plan: &Plan,
    outbox: &[OutboxRow],
) -> Result<(), Lost> {
    let statements = statements(plan, outbox);
    if statements.is_empty() {
        return Ok(());
    }
    point(Point::BeforeCommit);
    match statements.as_slice() {
        [only] if only.expected == 1 => check(database.run_command(alone(only)).await, only)?,
        several => transact(database, several).await?,
    }
    point(Point::AfterCommit);
    Ok(())
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
    point(Point::Uncommitted);
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
    let mistaken = |lost| if statement.rows { repeated(lost) } else { lost };
    let reply = reply.map_err(|error| mistaken(lost(&error)))?;
    if let Ok([first, ..]) = reply.get_array("writeErrors").map(Vec::as_slice) {
        return Err(mistaken(write_error(first.as_document())));
    }
    if let Ok(concern) = reply.get_document("writeConcernError") {
        return Err(Lost::Away(StoreError::Away(concern.to_string())));
    }
    let touched = reply.get_i32("n").map(i64::from).or_else(|_| reply.get_i64("n")).unwrap_or(0);
    if touched == statement.expected { Ok(()) } else { Err(Lost::Race) }
}

fn write_error(error: Option<&Document>) -> Lost {
    let code = error.and_then(|error| error.get_i32("code").ok()).unwrap_or(0);
    let message = error.and_then(|error| error.get_str("errmsg").ok()).unwrap_or_default();
    by_code(code, message)
}

fn by_code(code: i32, message: &str) -> Lost {
    match code {
        WRITE_CONFLICT => Lost::Race,
        // Somebody began the same thing first; a duplicate of anything but the id stays one.
        DUPLICATE_KEY if message.contains("index: _id_") => Lost::Began,
        _ => Lost::Refused(refused(code)),
    }
}

/// By its code alone: the words of the database may quote documents.
fn refused(code: i32) -> StoreError {
    StoreError::Refused { what: "write".to_owned(), why: format!("write error {code}") }
}

/// A ledger row that is there already was not begun by another writer: its id is not its own.
fn repeated(lost: Lost) -> Lost {
    match lost {
        Lost::Began => Lost::Refused(refused(DUPLICATE_KEY)),
        other => other,
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

/// Documents first: who loses a race loses it there, so that a row that is there already is no
/// race but a mistake.
fn statements(plan: &Plan, outbox: &[OutboxRow]) -> Vec<Statement> {
    let mut writes = documents(plan);
    receipts(plan, &mut writes);
    let told = outbox.iter().map(OutboxRow::to_bson).collect();
    writes.inserts.insert(OutboxRow::COLLECTION, told);
    let mut rows: BTreeMap<&str, Vec<Document>> = BTreeMap::new();
    for (collection, row) in &plan.rows {
        rows.entry(collection).or_default().push(row.clone());
    }
    let Writes { updates, deletes, inserts } = writes;
    let all = |verb: &'static str, field: &'static str, writes: BTreeMap<&'static str, Vec<_>>| {
        writes.into_iter().map(move |(name, many)| Statement::new(verb, name, field, many))
    };
    all("update", "updates", updates)
        .chain(all("delete", "deletes", deletes))
        .chain(all("insert", "documents", inserts))
        .chain(rows.into_iter().map(|(name, many)| Statement::of_rows(name, many)))
        .filter(|statement| statement.expected > 0)
        .collect()
}

/// What is written, by collection.
#[derive(Default)]
struct Writes {
    updates: BTreeMap<&'static str, Vec<Document>>,
    deletes: BTreeMap<&'static str, Vec<Document>>,
    inserts: BTreeMap<&'static str, Vec<Document>>,
}

fn documents(plan: &Plan) -> Writes {
    let mut writes = Writes::default();
    for (key, slot) in plan.view.slots.iter().filter(|(_, slot)| slot.changed) {
        let loaded = slot.loaded.map(|version| doc! { "_id": &key.id, "version": version });
        let whole = slot.body.clone().map(|mut body| {
            slot.meta.add_to(&mut body);
            body
        });
        let (place, write) = match (loaded, whole) {
            (None, Some(body)) => (&mut writes.inserts, body),
            (Some(it), Some(body)) => (&mut writes.updates, doc! { "q": it, "u": body }),
            (Some(it), None) => (&mut writes.deletes, doc! { "q": it, "limit": 1 }),
            // It began and ended within this group.
            (None, None) => continue,
        };
        place.entry(key.collection).or_default().push(write);
    }
    writes
}

fn receipts(plan: &Plan, writes: &mut Writes) {
    for receipted in plan.receipts.values().filter(|receipted| receipted.written) {
        let body = receipted.document.to_bson();
        let (place, write) = if receipted.stored {
            let started = doc! { "_id": &receipted.document.id, "state": "started" };
            (&mut writes.updates, doc! { "q": started, "u": body })
        } else {
            (&mut writes.inserts, body)
        };
        place.entry(ReceiptDocument::COLLECTION).or_default().push(write);
    }
}

impl Statement {
    fn new(verb: &str, collection: &str, field: &str, many: Vec<Document>) -> Self {
        let expected = i64::try_from(many.len()).unwrap_or(i64::MAX);
        let many: bson::Array = many.into_iter().map(bson::Bson::Document).collect();
        let mut command = doc! { verb: collection };
        command.insert(field, many);
        command.insert("ordered", true);
        Self { command, expected, rows: false }
    }

    fn of_rows(collection: &str, many: Vec<Document>) -> Self {
        Self { rows: true, ..Self::new("insert", collection, "documents", many) }
    }
}
