//! How long it takes until what one service decided is decided upon by another.

use contracts::{cart, order, payment, product};

use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{Bought, Buyers};
use crate::bench::figure::Figure;
use crate::bench::page::Findings;
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::{Stage, sku};
use crate::bench::trail::Trail;

/// So many begin to buy each second: when it is quiet, and when it is not.
const RATES: [(u32, &str, &str); 2] = [
    (2, "At 2 purchases a second", "commit to handled, p99 at 2/s"),
    (20, "At 20 purchases a second", "commit to handled, p99 at 20/s"),
];

const LINKS: [(&str, &str); 6] = [
    ("placed", "cart checks out … order begins"),
    ("reserved", "order begins … product sets the pieces aside"),
    ("payment due", "product sets the pieces aside … order asks for the money"),
    ("paid", "payment captures … order is paid"),
    ("committed", "order is paid … product has sold the pieces"),
    (ALL, "each of these"),
];
const ALL: &str = "all";

const ABOUT: &str = "\
Guests buy as on the page about purchases. Each event says when its service decided it, right \
before its commit; the event that another service tells because of it says when that one decided. \
From one to the other the first is committed, published, acknowledged by the broker, delivered, and \
what it is about is loaded. All clocks are one and the same here.";

const LIMITED_BY: &str = "\
Two waits for the disk (the commit's journal and the broker's file, which it syncs before it \
acknowledges), and the processors: with more purchases at a time, events wait for their turn there.";

pub(crate) const EVENTS: Measurement = Measurement {
    name: "events",
    title: "From commit to handled",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    for (rate, title, figure) in RATES {
        let warm_up = Buyers::new(&stage.client, sku);
        stage.arrive(rate, length.of(2, 1), move |it, due| warm_up.clone().buy(it, due)).await?;
        let buyers = Buyers::new(&stage.client, sku);
        let all = buyers.clone();
        stage.arrive(rate, length.of(15, 3), move |it, due| all.clone().buy(it, due)).await?;
        let record = links(&stage.trail, &buyers.bought()).await?;
        let [p50, p99] = [record.quantiles(ALL).p50, record.quantiles(ALL).p99];
        let [half, most] = [p50, p99].map(milliseconds);
        findings
            .sentences
            .push(format!("{title}: **{half} ms** for half, {most} ms for 99 of 100."));
        findings.tables.push(record.table(title, &LINKS));
        findings.figures.push(Figure::of(figure, p99.as_secs_f64() * 1000.0, "ms"));
    }
    Ok(findings)
}

/// How long each link took for each of these orders.
async fn links(trail: &Trail, bought: &[Bought]) -> anyhow::Result<Record> {
    let checked_out = trail.of_each(|it: &cart::CheckedOut| it.order_id).await?;
    let placed = trail.of_each(|it: &order::Placed| it.order_id).await?;
    let reserved = trail.of_each(|it: &product::Reserved| it.order_id).await?;
    let payment_due = trail.of_each(|it: &order::PaymentDue| it.order_id).await?;
    let captured = trail.of_each(|it: &payment::Captured| it.order_id).await?;
    let paid = trail.of_each(|it: &order::Paid| it.order_id).await?;
    let committed = trail.of_each(|it: &product::Committed| it.order_id).await?;
    let links = [
        ("placed", &checked_out, &placed),
        ("reserved", &placed, &reserved),
        ("payment due", &reserved, &payment_due),
        ("paid", &captured, &paid),
        ("committed", &paid, &committed),
    ];
    let record = Record::default();
    for Bought { order, .. } in bought {
        for (link, cause, effect) in links {
            if let (Some(cause), Some(effect)) = (cause.get(order), effect.get(order)) {
                let took = effect.decided.saturating_sub(cause.decided);
                record.took(link, took);
                record.took(ALL, took);
            }
        }
    }
    Ok(record)
}
