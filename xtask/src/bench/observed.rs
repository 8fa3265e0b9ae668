//! All that one purchase writes, as the database's own log of operations has it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::TryStreamExt as _;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, Timestamp, doc};
use tokio::time::{Instant, sleep};

use super::stage::Stage;

/// The services' databases.
pub(crate) const DATABASES: [&str; 5] = ["auth", "product", "cart", "order", "payment"];
/// What a replica writes whether or not anybody buys.
const CHORES: [&str; 2] = ["frame", "system.profile"];
/// When nothing more is written for so long, the purchase has come to its end.
const QUIET: Duration = Duration::from_secs(2);
const BOUND: Duration = Duration::from_secs(30);

/// The writes of one purchase, in their order.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) commits: Vec<Commit>,
    /// The order that was bought.
    pub(crate) order: String,
}

/// What was written at once.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) in_transaction: bool,
    pub(crate) writes: Vec<Write>,
}

/// One document that began, became another or ended.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) database: String,
    pub(crate) collection: String,
    pub(crate) id: Bson,
    pub(crate) change: Change,
}

/// What became of a document.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// It is new.
    Begins(Document),
    /// It is this when all is done; each change of it is taken for the last.
    Becomes(Document),
    /// It is gone.
    Ends,
}

impl Observed {
    /// Lets one guest buy while nobody else does, and sees what is written.
    pub(crate) async fn of(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let log = stage.mongo.database("local").collection::<Document>("oplog.rs");
        let since = until_quiet(&log, Timestamp { time: 0, increment: 0 }).await?;
        let customer = stage.customers(1).await?.pop().context("one was asked for")?;
        until_quiet(&log, since).await?;
        let after = doc! { "ts": { "$gt": since } };
        let entries: Vec<Document> =
            log.find(after).sort(doc! { "$natural": 1 }).await?.try_collect().await?;
        let mut commits = Vec::new();
        for entry in &entries {
            let in_transaction = matches!(entry.get_str("op"), Ok("c"));
            let mut writes = Vec::new();
            for operation in operations(entry) {
                writes.extend(write(stage, operation).await?);
            }
            if !writes.is_empty() {
                commits.push(Commit { in_transaction, writes });
            }
        }
        ensure!(commits.len() > 5, "a purchase writes more often than {} times", commits.len());
        Ok(Self { commits, order: customer.order })
    }

    /// All writes, in their order.
    pub(crate) fn writes(&self) -> impl Iterator<Item = &Write> {
        self.commits.iter().flat_map(|commit| &commit.writes)
    }

    /// The ids that were made up for this purchase, without what they name.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let begun = self.writes().filter(|write| matches!(write.change, Change::Begins(_)));
        begun.filter_map(|write| write.id.as_str()).flat_map(names_in).collect()
    }
}

/// Waits until nothing but chores is written any longer, and gives the last moment.
async fn until_quiet(log: &Collection<Document>, since: Timestamp) -> anyhow::Result<Timestamp> {
    let (began, mut last, mut seen) = (Instant::now(), since, Instant::now());
    let mut busy = String::new();
    while seen.elapsed() < QUIET {
        ensure!(began.elapsed() < BOUND, "{busy} does not come to rest");
        let new = doc! { "ts": { "$gt": last } };
        let entries: Vec<Document> = if last.time == 0 {
            log.find(doc! {}).sort(doc! { "$natural": -1 }).limit(1).await?.try_collect().await?
        } else {
            log.find(new).sort(doc! { "$natural": 1 }).await?.try_collect().await?
        };
        for entry in &entries {
            last = entry.get_timestamp("ts").unwrap_or(last);
            if let Some((database, collection)) = operations(entry).into_iter().find_map(place) {
                seen = Instant::now();
                busy = format!("{database}.{collection}");
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(last)
}

/// The operations of an entry: those of a transaction, or itself.
fn operations(entry: &Document) -> Vec<&Document> {
    let all = entry.get_document("o").and_then(|o| o.get_array("applyOps"));
    match all {
        Ok(all) => all.iter().filter_map(Bson::as_document).collect(),
        Err(_) => vec![entry],
    }
}

/// Database and collection, when it writes to one that matters.
fn place(operation: &Document) -> Option<(&str, &str)> {
    let writes = matches!(operation.get_str("op"), Ok("i" | "u" | "d"));
    let (database, collection) = operation.get_str("ns").ok()?.split_once('.')?;
    let matters = DATABASES.contains(&database) && !CHORES.contains(&collection);
    (writes && matters).then_some((database, collection))
}

async fn write(stage: &Stage<'_>, operation: &Document) -> anyhow::Result<Option<Write>> {
    let Some((database, collection)) = place(operation) else { return Ok(None) };
    let kind = operation.get_str("op")?;
    let of =
        if kind == "u" { operation.get_document("o2")? } else { operation.get_document("o")? };
    let id = of.get("_id").context("whatever is written has an id")?.clone();
    let change = match kind {
        "i" => Change::Begins(of.clone()),
        "d" => Change::Ends,
        _ => {
            let documents = stage.database(database).collection::<Document>(collection);
            match documents.find_one(doc! { "_id": &id }).await? {
                Some(last) => Change::Becomes(last),
                None => return Ok(None),
            }
        }
    };
    let (database, collection) = (database.to_owned(), collection.to_owned());
    Ok(Some(Write { database, collection, id, change }))
}

/// The made-up parts of a text: runs of 32 hexadecimal digits.
pub(crate) fn names_in(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_ascii_hexdigit());
    words.filter(|word| word.len() == 32).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_of_a_transaction_are_told_from_chores() {
        let operation = |ns: &str| doc! { "op": "i", "ns": ns, "o": { "_id": 1 } };
        let all = vec![operation("order.orders"), operation("order.frame")];
        let entry = doc! { "op": "c", "ns": "admin.$cmd", "o": { "applyOps": all } };

        let places: Vec<_> = operations(&entry).into_iter().filter_map(place).collect();

        assert_eq!(places, [("order", "orders")]);
        assert_eq!(place(&operation("bench_order.orders")), None);
    }

    #[test]
    fn names_are_what_was_made_up() {
        let name = "0190b0e1c7f67c3e9d1a2b3c4d5e6f70";

        assert_eq!(names_in(&format!("evt:order-saga:evt_{name}")), [name]);
        assert_eq!(names_in("BENCH-12"), Vec::<String>::new());
    }
}
