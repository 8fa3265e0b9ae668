//! What the machine gives at most: the same work without a shop around it.

mod broker;
mod database;
mod http;
mod replayed;

use std::sync::Arc;
use std::time::Duration;

pub(super) use self::replayed::Replay;
use super::Measurement;
use crate::bench::Length;
use crate::bench::figure::{
    self, FINDS, Figure, HTTP, PUBLISHES, PURCHASES_AT_ONCE, PURCHASES_BY_STEP, REPLACES,
};
use crate::bench::load::take_turns;
use crate::bench::observed::Observed;
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::Stage;
use crate::up::say;

const ABOUT: &str = "\
So many workers do the same again and again, each as soon as it is done (a closed loop: it finds \
the most, and its times are no shopper's), on the machine, the mongod and the nats-server that the \
shop uses, while the shop is idle. Each has a warm-up.

- **bare axum**: a router with one route that answers with a product's JSON, asked by the client \
that the shoppers use, without the ingress.
- **raw driver**: finds documents of 1,000 by id; replaces one by one with write concern majority \
and journal.
- **a purchase in one transaction**: while nobody else buys, one guest does, and mongod's own log of \
operations says what was written: the table below has all of it. Each of those documents is written \
again under new ids, into databases of the same indexes, everything of one purchase in one \
transaction; documents that purchases share, such as the stock of a SKU, have 20 doubles, as there \
are 20 things for sale. A document that changes several times is written as often, each time as \
what it was in the end.
- **a transaction for each step**: the same, but what the services wrote by itself is written by \
itself, and what they wrote in one transaction in one.
- **raw JetStream**: messages of 600 bytes into a stream on disk, each counted when it is \
acknowledged.";

const LIMITED_BY: &str = "\
The processors, which client, server and whatever is in between share; for one at a time, the time \
until the disk has it.";

pub(crate) const LIMITS: Measurement = Measurement {
    name: "limits",
    title: "What the machine gives at most",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

/// So many at a time: it is measured at each, and the best counts.
const AT_ONCE: [u32; 3] = [1, 16, 64];

/// What is measured, and what each number of workers came to.
struct Rows<'a> {
    stage: &'a Stage<'a>,
    length: Length,
    table: Table,
    figures: Vec<Figure>,
}

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let columns = vec!["what", "at once", "each second", "p50 ms", "p99 ms", "failed"];
    let table = Table { title: "Limits", columns, rows: Vec::new() };
    let mut rows = Rows { stage, length, table, figures: Vec::new() };
    http::measure(&mut rows).await?;
    database::measure(&mut rows).await?;
    let observed = Observed::of(stage).await?;
    replayed::measure(&mut rows, &observed).await?;
    broker::measure(&mut rows).await?;
    let (writes, commits) = (observed.writes().count(), observed.commits.len());
    let transactions = observed.commits.iter().filter(|commit| commit.in_transaction).count();
    Ok(Findings {
        sentences: vec![format!(
            "One purchase, alone, writes **{writes} documents** in {commits} writes, {transactions} \
             of them transactions."
        )],
        tables: vec![rows.table, replayed::table(&observed)],
        charts: Vec::new(),
        figures: rows.figures,
    })
}

impl Rows<'_> {
    /// Measures with each number of workers, and keeps the best as the figure.
    async fn each<F>(
        &mut self,
        what: &'static str,
        at_once: &[u32],
        one: impl Fn(u32) -> F + Clone + Send + 'static,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut best = 0.0_f64;
        for workers in at_once {
            let turns = |length: Duration, record: &Arc<Record>| {
                take_turns(*workers, length, Arc::clone(record), "turn", one.clone())
            };
            let record = Arc::default();
            self.stage
                .crowd
                .does(turns(self.length.of_millis(1000, 200), &Arc::default()))
                .await??;
            let rate =
                self.stage.crowd.does(turns(self.length.of_millis(4000, 500), &record)).await??;
            say(format_args!("  {what}, {workers} at once: {rate:.0}/s"));
            best = best.max(rate);
            let times = record.quantiles("turn");
            self.table.rows.push(vec![
                what.to_owned(),
                workers.to_string(),
                figure::number(rate),
                milliseconds(times.p50),
                milliseconds(times.p99),
                record.troubles().to_string(),
            ]);
        }
        self.figures.push(Figure::rate(what, best, None));
        Ok(())
    }
}
