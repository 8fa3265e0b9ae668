//! The driver by itself: all that a purchase writes, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::TRANSIENT_TRANSACTION_ERROR;
use mongodb::options::{Acknowledgment, TransactionOptions, WriteConcern};
use mongodb::{Client, ClientSession, IndexModel};

use super::{AT_ONCE, PURCHASES_AT_ONCE, PURCHASES_BY_STEP, Rows};
use crate::bench::double::Double;
use crate::bench::observed::{Change, Commit, Observed, Write, names_in};
use crate::bench::page::Table;
use crate::bench::stage::Stage;

/// So many doubles there are of what purchases share.
const SHARED: u64 = 20;
/// A purchase that loses so many races is given up.
const RACES: u32 = 1_000;

/// A purchase to be written again.
#[derive(Debug)]
pub(in crate::bench::measure) struct Replay {
    client: Client,
    /// What is written at once.
    steps: Vec<Step>,
    names: BTreeSet<String>,
    /// The ids of what purchases share.
    shared: BTreeSet<String>,
    number: AtomicU64,
}

/// What is written at once, and how safely.
#[derive(Debug)]
struct Step {
    writes: Vec<Write>,
    in_transaction: bool,
    relaxed: bool,
}

/// A command, and the database it is for.
type Command = (String, Document);

pub(super) async fn measure(rows: &mut Rows<'_>, observed: &Observed) -> anyhow::Result<()> {
    let replay = Replay::of(rows.stage, observed).await?;
    let whole = Step {
        writes: replay.steps.iter().flat_map(|step| step.writes.clone()).collect(),
        in_transaction: true,
        relaxed: false,
    };
    let (replay, whole) = (Arc::new(replay), Arc::new(whole));
    let at_once = Arc::clone(&replay);
    let one = move |_| {
        let (replay, whole) = (Arc::clone(&at_once), Arc::clone(&whole));
        async move { replay.again([whole.as_ref()]).await }
    };
    rows.each(PURCHASES_AT_ONCE, &AT_ONCE, one).await?;
    let one = move |_| {
        let replay = Arc::clone(&replay);
        async move { replay.by_step().await }
    };
    rows.each(PURCHASES_BY_STEP, &AT_ONCE, one).await
}

/// What a purchase writes, by collection.
pub(super) fn table(observed: &Observed) -> Table {
    let mut places: BTreeMap<(&str, &str), [u32; 3]> = BTreeMap::new();
    for write in observed.writes() {
        let counts = places.entry((&write.database, &write.collection)).or_default();
        let kind = match write.change {
            Change::Begins(_) => 0,
            Change::Becomes(_) => 1,
            Change::Ends => 2,
        };
        counts[kind] += 1;
    }
    let row = |((database, collection), counts): ((&str, &str), [u32; 3])| {
        let names = [database, collection].map(ToOwned::to_owned);
        names.into_iter().chain(counts.map(|count| count.to_string())).collect()
    };
    let columns = vec!["service", "collection", "begun", "changed", "ended"];
    let rows = places.into_iter().map(row).collect();
    Table { title: "What one purchase writes", columns, rows }
}

impl Replay {
    /// Makes places for what is to be written, with the indexes that the services have.
    pub(in crate::bench::measure) async fn of(
        stage: &Stage<'_>,
        observed: &Observed,
    ) -> anyhow::Result<Self> {
        let (client, names) = (stage.mongo.clone(), observed.names());
        let places: BTreeSet<_> =
            observed.writes().map(|it| (it.database.as_str(), it.collection.as_str())).collect();
        for (database, collection) in places {
            copy_indexes(&client, database, collection).await?;
        }
        let is_own = |write: &&Write| names_of(&write.id).iter().any(|name| names.contains(name));
        let shared: Vec<Write> = observed.writes().filter(|it| !is_own(it)).cloned().collect();
        let replay = Self {
            client,
            steps: steps(&observed.commits),
            shared: shared.iter().map(|write| write.id.to_string()).collect(),
            names,
            number: AtomicU64::new(1),
        };
        for write in shared {
            replay.share(&write).await?;
        }
        Ok(replay)
    }

    /// Makes the doubles of what purchases share.
    async fn share(&self, write: &Write) -> anyhow::Result<()> {
        let Change::Becomes(document) = &write.change else { return Ok(()) };
        let documents = self.client.database(&elsewhere(&write.database));
        let documents = documents.collection::<Document>(&write.collection);
        for turn in 0..SHARED {
            let id = turned(&write.id, turn);
            let mut double = document.clone();
            double.insert("_id", id.clone());
            documents.replace_one(doc! { "_id": id }, double).upsert(true).await?;
        }
        Ok(())
    }

    /// Writes it all under new names, with a transaction for each step.
    pub(in crate::bench::measure) async fn by_step(&self) -> anyhow::Result<()> {
        self.again(&self.steps).await
    }

    /// Writes it all under new names.
    async fn again<'a>(&self, steps: impl IntoIterator<Item = &'a Step>) -> anyhow::Result<()> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let double = Double::new(&self.names, number);
        for step in steps {
            let commands = self.commands(step, &double, number % SHARED);
            if step.in_transaction {
                self.in_transaction(&commands).await?;
            } else {
                self.alone(commands, step.relaxed).await?;
            }
        }
        Ok(())
    }

    /// One command for each collection, and another where what is written twice has to be in order.
    fn commands(&self, step: &Step, double: &Double<'_>, turn: u64) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        for write in &step.writes {
            let (verb, list, statement) = self.statement(write, double, turn);
            let database = elsewhere(&write.database);
            let same = commands.iter_mut().find(|(name, command)| {
                *name == database && command.get_str(verb).is_ok_and(|it| it == write.collection)
            });
            if let Some(statements) = same.and_then(|(_, it)| it.get_array_mut(list).ok()) {
                statements.push(statement.into());
            } else {
                commands.push((database, doc! { verb: &write.collection, list: [statement] }));
            }
        }
        commands
    }

    fn statement(
        &self,
        write: &Write,
        double: &Double<'_>,
        turn: u64,
    ) -> (&'static str, &'static str, Document) {
        let is_shared = self.shared.contains(&write.id.to_string());
        let id = if is_shared { turned(&write.id, turn) } else { double.value(&write.id) };
        match &write.change {
            Change::Begins(new) if !is_shared => ("insert", "documents", double.document(new)),
            Change::Begins(last) | Change::Becomes(last) => {
                let mut last = double.document(last);
                last.insert("_id", id.clone());
                ("update", "updates", doc! { "q": { "_id": id }, "u": last, "upsert": true })
            }
            Change::Ends => ("delete", "deletes", doc! { "q": { "_id": id }, "limit": 1 }),
        }
    }

    async fn alone(&self, commands: Vec<Command>, relaxed: bool) -> anyhow::Result<()> {
        for (database, mut command) in commands {
            let concern = if relaxed {
                doc! { "w": 1 }
            } else {
                doc! { "w": "majority", "j": true }
            };
            command.insert("writeConcern", concern);
            sound(&self.client.database(&database).run_command(command).await?)?;
        }
        Ok(())
    }

    /// Again for each race it loses.
    async fn in_transaction(&self, commands: &[Command]) -> anyhow::Result<()> {
        let mut session = self.client.start_session().await?;
        for _ in 0..RACES {
            match self.once(&mut session, commands).await {
                Err(error) if is_race(&error) => drop(session.abort_transaction().await),
                done => return done,
            }
        }
        anyhow::bail!("a purchase lost {RACES} races")
    }

    #[expect(clippy::disallowed_methods, reason = "what the driver does without the store")]
    async fn once(&self, session: &mut ClientSession, commands: &[Command]) -> anyhow::Result<()> {
        let safe = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
        let options = TransactionOptions::builder().write_concern(safe).build();
        session.start_transaction().with_options(options).await?;
        for (database, command) in commands {
            let database = self.client.database(database);
            sound(&database.run_command(command.clone()).session(&mut *session).await?)?;
        }
        Ok(session.commit_transaction().await?)
    }
}

/// What the services wrote, as steps; what was marked or counted in passing, row by row, is one.
fn steps(commits: &[Commit]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for Commit { in_transaction, writes } in commits {
        let in_passing = |write: &Write| matches!(&*write.collection, "outbox" | "throttle");
        let relaxed = !in_transaction && writes.iter().all(in_passing);
        let place = |write: &Write| (write.database.clone(), write.collection.clone());
        match steps.last_mut() {
            Some(last)
                if relaxed
                    && last.relaxed
                    && last.writes.last().map(place) == writes.first().map(place) =>
            {
                last.writes.extend(writes.iter().cloned());
            }
            _ => {
                let (writes, in_transaction) = (writes.clone(), *in_transaction);
                steps.push(Step { writes, in_transaction, relaxed });
            }
        }
    }
    steps
}

async fn copy_indexes(client: &Client, database: &str, collection: &str) -> anyhow::Result<()> {
    let from = client.database(database).collection::<Document>(collection);
    let to = client.database(&elsewhere(database));
    // Somebody may have replayed before.
    if !to.list_collection_names().await?.iter().any(|known| known == collection) {
        to.create_collection(collection).await?;
    }
    let indexes: Vec<IndexModel> = from.list_indexes().await?.try_collect().await?;
    let others =
        indexes.into_iter().filter(|index| !index.keys.contains_key("_id") || index.keys.len() > 1);
    for index in others {
        to.collection::<Document>(collection).create_index(index).await?;
    }
    Ok(())
}

/// Where it is written again.
fn elsewhere(database: &str) -> String {
    format!("bench_{database}")
}

/// The id of a double of what purchases share.
fn turned(id: &Bson, turn: u64) -> Bson {
    format!("{}#{turn}", id.as_str().unwrap_or_default()).into()
}

fn names_of(id: &Bson) -> Vec<String> {
    id.as_str().map(names_in).unwrap_or_default()
}

fn is_race(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<mongodb::error::Error>();
    error.is_some_and(|error| error.contains_label(TRANSIENT_TRANSACTION_ERROR))
}

fn sound(reply: &Document) -> anyhow::Result<()> {
    ensure!(!reply.contains_key("writeErrors"), "not written: {reply}");
    Ok(())
}
