//! How many buy each second at most.

use std::time::Duration;

use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{Buyers, PURCHASE, STEPS};
use crate::bench::climb::{Climb, Tried, climb};
use crate::bench::figure::{Figure, PURCHASES_AT_ONCE, PURCHASES_BY_STEP};
use crate::bench::page::Findings;
use crate::bench::stage::{Stage, sku};

/// From the moment a guest is due to the moment they see the order paid, 99 of 100.
const BOUND: Duration = Duration::from_secs(1);

const ABOUT: &str = "\
Guests come at a rate, each when it is their time, and buy as on the page about purchases: from \
signing in as a guest to seeing the order paid. A rate is borne when 99 of 100 have bought within \
a second of the moment they were due and nothing went wrong. The rate doubles until one is not \
borne twice in a row, then goes into the middle until it is known to an eighth. Every rate has a \
warm-up of its own.";

const LIMITED_BY: &str = "\
Whoever is busiest in the table of who worked; the page about purchases says what one purchase costs \
each process. Shoppers and ingress take their part of the same processors. The raw driver writes the \
same documents without HTTP, tokens, reads, events and anybody who waits, so that the ratio to it \
says what those cost and what group commit saves.";

pub(crate) const CAPACITY: Measurement = Measurement {
    name: "capacity",
    title: "The most whole purchases a second",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let climbed = climb(&Climb { first: 20, bound: BOUND }, async |rate| {
        let warm_up = Buyers::new(&stage.client, sku);
        stage.arrive(rate, length.of(3, 1), move |it, due| warm_up.clone().buy(it, due)).await?;
        let buyers = Buyers::new(&stage.client, sku);
        let (all, shares) = (buyers.clone(), stage.shares());
        stage.arrive(rate, length.of(10, 2), move |it, due| all.clone().buy(it, due)).await?;
        Ok(Tried::of(rate, buyers.record, PURCHASE, &shares))
    });
    let climbed = climbed.await?;
    let most = climbed.highest();
    let mut tables = vec![climbed.table("Rates")];
    if let Some(best) = climbed.best() {
        tables.push(best.record.table("Steps at the highest rate that was borne", &STEPS));
        tables.push(best.who_worked());
    }
    Ok(Findings {
        sentences: vec![format!(
            "**{most} whole purchases a second**, each paid within {} ms in 99 of 100.",
            BOUND.as_millis()
        )],
        tables,
        charts: vec![climbed.chart("rates", "Whole purchases: time by rate")],
        figures: vec![
            Figure::rate("whole purchases", f64::from(most), Some(PURCHASES_AT_ONCE)),
            Figure::rate(
                "whole purchases, against steps",
                f64::from(most),
                Some(PURCHASES_BY_STEP),
            ),
        ],
    })
}
