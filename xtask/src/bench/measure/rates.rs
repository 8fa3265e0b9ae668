//! Reads and cart changes at rising rates.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use testkit::Request;
use tokio::time::Instant;

use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{Customer, well};
use crate::bench::chart::Chart;
use crate::bench::climb::{Climb, Climbed, Tried, climb};
use crate::bench::figure::{FINDS, Figure, HTTP, REPLACES};
use crate::bench::page::{Findings, Table};
use crate::bench::record::Record;
use crate::bench::stage::{Stage, sku};
use crate::up::say;

/// So many people ask.
const CUSTOMERS: u32 = 40;
/// 99 of 100 are answered within this.
const BOUND: Duration = Duration::from_millis(50);

const ABOUT: &str = "\
40 people, each of whom has bought something, ask by turns: so many requests begin each second, \
each when it is due, through the ingress. A rate is borne when 99 of 100 are answered within 50 ms \
of the moment they were due and none fails. The rate doubles until one is not borne twice in a row, \
then goes into the middle until it is known to an eighth. Every rate has a warm-up of its own.";

const LIMITED_BY: &str = "\
The processors, of which the one who asks and the ingress take a part for every request; the table \
of who worked says how much. A read is one query (an order's: two, as it asks which guests the \
person once was), with read concern majority. A page of orders goes along an index. \
A cart change where nothing is told is one read and \
one replace that waits for the journal; those that wait at the same time are written together.";

pub(crate) const RATES: Measurement = Measurement {
    name: "rates",
    title: "Reads and cart changes at rising rates",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

/// Something that is asked.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    first: u32,
    limit: &'static str,
    request: fn(&Cast, u32) -> Request,
}

/// Who asks, and for what.
struct Cast {
    customers: Vec<Customer>,
    products: Vec<String>,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "product by id",
        first: 400,
        limit: HTTP,
        request: |cast, it| cast.customer(it).client.get(cast.product(it)),
    },
    Kind {
        name: "order by id",
        first: 300,
        limit: FINDS,
        request: |cast, it| {
            let Customer { client, order } = cast.customer(it);
            client.get(format!("/api/orders/{order}"))
        },
    },
    Kind {
        name: "page of 20 products",
        first: 100,
        limit: HTTP,
        request: |cast, it| cast.customer(it).client.get("/api/products?limit=20"),
    },
    Kind {
        name: "own page of orders",
        first: 300,
        limit: FINDS,
        request: |cast, it| cast.customer(it).client.get("/api/orders?limit=20"),
    },
    Kind {
        name: "cart change",
        first: 200,
        limit: REPLACES,
        request: |cast, it| {
            let line = json!({ "quantity": it / CUSTOMERS % 5 + 1 });
            let Customer { client, .. } = cast.customer(it);
            client.put(format!("/api/cart/items/{}", sku(it))).json(&line)
        },
    },
];

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    let columns = vec!["what", "highest rate /s", "p50 ms", "p99 ms", "% busy"];
    let mut summary = Table { title: "Highest rates that were borne", columns, rows: Vec::new() };
    let (mut tables, mut lines) = (Vec::new(), Vec::new());
    for kind in KINDS {
        say(format_args!(" {}", kind.name));
        let climbed = rise(stage, length, kind).await?;
        findings.figures.push(figure(kind, &climbed));
        summary.rows.push(climbed.summary(kind.name));
        lines.push(climbed.line(kind.name, true));
        tables.push(climbed.table(kind.name));
        tables.extend(climbed.best().map(Tried::who_worked));
    }
    findings.tables = vec![summary];
    findings.tables.append(&mut tables);
    let axes = ["asked each second", "p99 ms"];
    findings.charts = vec![Chart { name: "rates", title: "99 of 100, by rate", axes, lines }];
    Ok(findings)
}

async fn rise(stage: &Stage<'_>, length: Length, kind: Kind) -> anyhow::Result<Climbed> {
    let customers = stage.customers(CUSTOMERS).await?;
    let cast = Arc::new(Cast { customers, products: stage.products.clone() });
    let Kind { first, request, .. } = kind;
    climb(&Climb { first, bound: BOUND }, async |rate| {
        let ask = |record: &Arc<Record>| {
            let (cast, record) = (Arc::clone(&cast), Arc::clone(record));
            move |number, due: Instant| {
                let (request, record) = (request(&cast, number), Arc::clone(&record));
                async move { answered(request, due, &record).await }
            }
        };
        stage.arrive(rate, length.of_millis(1000, 300), ask(&Arc::default())).await?;
        let (record, shares) = (Arc::default(), stage.shares());
        stage.arrive(rate, length.of_millis(3000, 700), ask(&record)).await?;
        Ok(Tried::of(rate, record, ANSWER, &shares))
    })
    .await
}

pub(super) const ANSWER: &str = "answer";

/// Asks, and takes down how long the answer took since it was due.
pub(super) async fn answered(request: Request, due: Instant, record: &Record) {
    match well(request).await {
        Ok(_) => record.took(ANSWER, due.elapsed()),
        Err(error) => record.trouble(format!("{error:#}")),
    }
}

fn figure(kind: Kind, climbed: &Climbed) -> Figure {
    Figure::rate(kind.name, f64::from(climbed.highest()), Some(kind.limit))
}

impl Cast {
    fn customer(&self, number: u32) -> &Customer {
        &self.customers[number as usize % self.customers.len()]
    }

    fn product(&self, number: u32) -> String {
        format!("/api/products/{}", self.products[number as usize % self.products.len()])
    }
}
