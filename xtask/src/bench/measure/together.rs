//! How far group commit goes: more and more who buy at the same time.

use std::sync::Arc;

use tokio::time::Instant;

use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{Buyers, PURCHASE};
use crate::bench::chart::{Chart, Line};
use crate::bench::figure::{Figure, PURCHASES_AT_ONCE, PURCHASES_BY_STEP, number};
use crate::bench::groups::Groups;
use crate::bench::load::take_turns;
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::{Stage, sku};
use crate::up::say;

/// So many buy at the same time.
const CROWDS: [u32; 5] = [1, 4, 16, 64, 256];

const ABOUT: &str = "\
1, 4, 16, 64 and 256 shoppers, each of whom buys again as soon as the last order is paid: a closed \
loop, as the raw driver's on the page about limits, so that the most of one can be compared with the \
most of the other. Each comes as a guest, fills a cart, checks out, waits until the goods are \
reserved, pays, and waits until the order is paid, through the ingress. *Calls in a commit* is how \
many changes, of requests and of events, a service wrote in one transaction on average, as its own \
metrics say. Each number of shoppers has a warm-up.";

const LIMITED_BY: &str = "\
With one shopper at a time, waiting: each step of a purchase waits for the disk and for the broker. \
With more, the processors, and then groups grow: what waits while one transaction is written goes \
into the next one, so that mongod has fewer transactions to begin, to write to its journal and to \
acknowledge for each purchase. What does not shrink with the group is what is left then: a document \
written costs mongod the same in any group, and HTTP, tokens, JSON, the broker's messages and the \
shoppers themselves have their price for each purchase. Beyond that, more shoppers only wait longer.";

pub(crate) const TOGETHER: Measurement = Measurement {
    name: "together",
    title: "How far group commit goes",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

/// What came of a number of shoppers.
struct Crowd {
    shoppers: u32,
    rate: f64,
    record: Arc<Record>,
    busy: u64,
    sizes: Vec<String>,
    who_worked: Table,
}

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let mut crowds = Vec::new();
    for shoppers in CROWDS {
        let crowd = buy(stage, length, shoppers).await?;
        say(format_args!("  {shoppers} shoppers: {:.1}/s", crowd.rate));
        crowds.push(crowd);
    }
    let services = Groups::from_now(stage).await?.names();
    let Some(best) = crowds.iter().max_by(|one, other| one.rate.total_cmp(&other.rate)) else {
        return Ok(Findings::default());
    };
    let figure = |what, limit| Figure::rate(what, best.rate, Some(limit));
    Ok(Findings {
        sentences: vec![format!(
            "**{} whole purchases a second** with {} shoppers at a time. The target: as many as the \
             raw driver writes with a transaction for each step; the first page has the ratio.",
            number(best.rate),
            best.shoppers
        )],
        tables: vec![table(&crowds, services), best.who_worked.clone()],
        charts: vec![chart(&crowds)],
        figures: vec![
            figure("whole purchases together, against steps", PURCHASES_BY_STEP),
            figure("whole purchases together", PURCHASES_AT_ONCE),
        ],
    })
}

/// Lets so many buy, after a warm-up.
async fn buy(stage: &Stage<'_>, length: Length, shoppers: u32) -> anyhow::Result<Crowd> {
    let buyers = Buyers::new(&stage.client, sku);
    let one = move |number: u32| {
        let buyers = buyers.clone();
        async move { buyers.bring_to_paid(number, Instant::now()).await.map(drop) }
    };
    let turns = |length, record| take_turns(shoppers, length, record, PURCHASE, one.clone());
    stage.crowd.does(turns(length.of_millis(2000, 300), Arc::default())).await??;
    let (groups, shares) = (Groups::from_now(stage).await?, stage.shares());
    let record = Arc::<Record>::default();
    let rate = stage.crowd.does(turns(length.of(10, 1), Arc::clone(&record))).await??;
    let (busy, who_worked) = (shares.busy(), shares.table());
    Ok(Crowd { shoppers, rate, record, busy, sizes: groups.sizes().await?, who_worked })
}

fn table(crowds: &[Crowd], services: Vec<&'static str>) -> Table {
    let row = |crowd: &Crowd| {
        let times = crowd.record.quantiles(PURCHASE);
        let mut row = vec![
            crowd.shoppers.to_string(),
            number(crowd.rate),
            milliseconds(times.p50),
            milliseconds(times.p99),
            crowd.record.troubles().to_string(),
            crowd.busy.to_string(),
        ];
        row.extend(crowd.sizes.iter().cloned());
        row
    };
    let mut columns = vec!["shoppers", "each second", "p50 ms", "p99 ms", "failed", "% busy"];
    columns.extend(services);
    let rows = crowds.iter().map(row).collect();
    Table { title: "By shoppers, with the calls in a commit of each service", columns, rows }
}

fn chart(crowds: &[Crowd]) -> Chart {
    let points = crowds.iter().map(|crowd| (f64::from(crowd.shoppers), crowd.rate)).collect();
    let lines = vec![Line { name: PURCHASE.to_owned(), points }];
    let axes = ["shoppers at a time", "each second"];
    Chart { name: "rates", title: "Whole purchases by shoppers at a time", axes, lines }
}
