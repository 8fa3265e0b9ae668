//! How far group commit goes: more and more who buy at the same time.

mod duel;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::duel::Duel;
use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{Buyers, PURCHASE};
use crate::bench::chart::{Chart, Line};
use crate::bench::figure::{Figure, PURCHASES_AT_ONCE, PURCHASES_IN_TURN, number, verdict};
use crate::bench::groups::Groups;
use crate::bench::load::take_turns;
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::{Stage, sku};
use crate::up::say;

/// So many buy at the same time.
const CROWDS: [u32; 5] = [1, 4, 16, 64, 256];
/// How many times as many as the raw driver writes are wanted.
const TARGET: f64 = 1.0;

const ABOUT: &str = "\
1, 4, 16, 64 and 256 shoppers, each of whom buys again as soon as the last order is paid: a closed \
loop, as the raw driver's on the page about limits, so that the most of one can be compared with the \
most of the other. Each comes as a guest, fills a cart, checks out, waits until the goods are \
reserved, pays, and waits until the order is paid, through the ingress. *Calls in a commit* is how \
many changes, of requests and of events, a service wrote in one transaction on average, as its own \
metrics say. Each number of shoppers has a warm-up.

*By turns* those shoppers who buy most and the raw driver, which writes what one purchase writes with \
a transaction for each step (16 and 64 at a time, and the better of both counts), take four turns of \
a few seconds each, so that both have the same machine and the same database.";

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
    let duel = Duel::fight(stage, length, best.shoppers).await?;
    Ok(Findings {
        sentences: sentences(best, &duel),
        tables: vec![table(&crowds, services), best.who_worked.clone()],
        charts: vec![chart(&crowds)],
        figures: vec![
            Figure::rate("whole purchases together", best.rate, Some(PURCHASES_AT_ONCE)),
            Figure::rate(PURCHASES_IN_TURN, duel.raw, None),
            Figure::rate("whole purchases, by turns", duel.shop, Some(PURCHASES_IN_TURN)),
        ],
    })
}

fn sentences(best: &Crowd, duel: &Duel) -> Vec<String> {
    let (ratio, Duel { shop, raw }) = (duel.ratio(), duel);
    let met = verdict(ratio >= TARGET);
    vec![
        format!(
            "**{} whole purchases a second** with {} shoppers at a time.",
            number(best.rate),
            best.shoppers
        ),
        format!(
            "By turns with the raw driver **{ratio:.2}** of what it writes with a transaction for \
             each step: {} purchases a second against {}. The target, at least {TARGET:.1}, is {met}.",
            number(*shop),
            number(*raw)
        ),
    ]
}

/// Lets so many buy, after a warm-up.
async fn buy(stage: &Stage<'_>, length: Length, shoppers: u32) -> anyhow::Result<Crowd> {
    let warm_up = length.of_millis(2000, 300);
    take_purchases(stage, shoppers, warm_up, &Arc::default()).await?;
    let (groups, shares) = (Groups::from_now(stage).await?, stage.shares());
    let record = Arc::<Record>::default();
    let rate = take_purchases(stage, shoppers, length.of(10, 1), &record).await?;
    let (busy, who_worked) = (shares.busy(), shares.table());
    Ok(Crowd { shoppers, rate, record, busy, sizes: groups.sizes().await?, who_worked })
}

/// Lets so many buy for so long, and says how many bought each second.
async fn take_purchases(
    stage: &Stage<'_>,
    shoppers: u32,
    length: Duration,
    record: &Arc<Record>,
) -> anyhow::Result<f64> {
    let buyers = Buyers::new(&stage.client, sku);
    let one = move |number: u32| {
        let buyers = buyers.clone();
        async move { buyers.bring_to_paid(number, Instant::now()).await.map(drop) }
    };
    stage.crowd.does(take_turns(shoppers, length, Arc::clone(record), PURCHASE, one)).await?
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
