//! Guests who buy, from the first click to the paid order.

use std::time::Duration;

use contracts::{order, payment};

use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{ACCEPTED_TO_PAID, Bought, Buyers, PURCHASE, STEPS};
use crate::bench::figure::{Figure, verdict};
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::{Stage, sku};

/// So many begin to buy each second.
const RATE: u32 = 20;
/// From the accepted payment to the paid order, 99 of 100.
const TARGET: Duration = Duration::from_millis(100);

const STAGES: [(&str, &str); 5] = [
    ("captured", "payment decides … the broker has `captured`"),
    ("heard", "the broker has `captured` … order decides that it is paid"),
    ("told", "order decides … the broker has `paid`"),
    ("seen", "order decides … the shopper sees it"),
    ("commit to commit", "payment decides … order decides"),
];

const ABOUT: &str = "\
20 guests a second begin to buy, each when it is their time, however slow the answers are. Each \
signs in as a guest, puts one of 20 things into the cart, looks at the cart, checks out, waits by \
long poll until the order is reserved, pays with a card that succeeds at once, and waits by long \
poll until the order is paid. All of it goes through the local ingress. *Accepted* is the 2xx of \
`POST /api/payments`; *paid* is the order's own status, as the one who waits for it sees it.

The first step and the whole purchase count from the moment at which the guest was due to come, \
whether or not the bench was in time; every other step counts from the end of the one before. A \
payment that is asked for before payment has heard of the order (404) is asked for again after \
10 ms, which counts to `pay`. The stages in between come from the services' own clocks and the \
broker's, which are one and the same here; a decision is taken right before its commit, so from \
one decision to another is from commit to commit.";

const LIMITED_BY: &str = "\
Everything shares the processors and the one disk below: the shoppers, the ingress, five services \
with one replica each, one mongod (a replica set of one, journaled majority writes) and one \
nats-server (on disk before it acknowledges). There is no network in between, and no second member \
to wait for. The provider is the built-in sandbox, which answers at once.";

pub(crate) const PURCHASES: Measurement = Measurement {
    name: "purchases",
    title: "From payment accepted to order paid, at 20 purchases a second",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let measured = length.of(60, 6);
    let warm_up = Buyers::new(&stage.client, sku);
    stage.arrive(RATE, length.of(15, 3), move |it, due| warm_up.clone().buy(it, due)).await?;
    let buyers = Buyers::new(&stage.client, sku);
    let (all, shares) = (buyers.clone(), stage.shares());
    stage.arrive(RATE, measured, move |it, due| all.clone().buy(it, due)).await?;
    let who_worked = shares.table();
    let bought = buyers.bought();
    let cost = shares.cost(f64::from(u32::try_from(bought.len())?));
    let stages = stages(stage, &bought).await?;
    let record = &buyers.record;
    let costs = cost.table("What one purchase costs");
    let mut figures = figures(record);
    figures.push(Figure::of("processor time of a purchase", cost.all(), "ms"));
    Ok(Findings {
        sentences: sentences(record, bought.len(), measured),
        tables: vec![
            record.table("Steps", &STEPS),
            stages,
            who_worked,
            costs,
            record.table_of_troubles(),
        ],
        figures,
        ..Findings::default()
    })
}

fn sentences(record: &Record, bought: usize, measured: Duration) -> Vec<String> {
    let seconds = measured.as_secs();
    let asked = u64::from(RATE) * seconds;
    let paid = record.quantiles(ACCEPTED_TO_PAID);
    let met = verdict(paid.p99 < TARGET);
    let [p50, p99, max] = [paid.p50, paid.p99, paid.max].map(milliseconds);
    vec![
        format!("**{p50} ms** for half, **{p99} ms** for 99 of 100, {max} ms at most."),
        format!("The target, under {} ms for 99 of 100, is {met}.", TARGET.as_millis()),
        format!(
            "{bought} of {asked} purchases in {seconds} s ended paid; {} did not.",
            record.troubles()
        ),
    ]
}

fn figures(record: &Record) -> Vec<Figure> {
    let p99 = |step| record.quantiles(step).p99.as_secs_f64() * 1000.0;
    vec![
        Figure::of("accepted to paid, p99 at 20/s", p99(ACCEPTED_TO_PAID), "ms"),
        Figure::of("whole purchase, p99 at 20/s", p99(PURCHASE), "ms"),
    ]
}

/// Where the time goes between the two services.
async fn stages(stage: &Stage<'_>, bought: &[Bought]) -> anyhow::Result<Table> {
    let captured = stage.trail.of_each(|it: &payment::Captured| it.order_id).await?;
    let paid = stage.trail.of_each(|it: &order::Paid| it.order_id).await?;
    let stages = Record::default();
    for Bought { order, seen } in bought {
        let (Some(captured), Some(paid)) = (captured.get(order), paid.get(order)) else {
            continue;
        };
        stages.took("captured", captured.kept.saturating_sub(captured.decided));
        stages.took("heard", paid.decided.saturating_sub(captured.kept));
        stages.took("told", paid.kept.saturating_sub(paid.decided));
        stages.took("seen", seen.saturating_sub(paid.decided));
        stages.took("commit to commit", paid.decided.saturating_sub(captured.decided));
    }
    Ok(stages.table("Between the services", &STAGES))
}
