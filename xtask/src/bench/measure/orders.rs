//! How times grow with the number of orders that there are.

use std::sync::Arc;

use testkit::{Client, Request};
use tokio::time::Instant;

use super::Measurement;
use super::rates::{ANSWER, answered};
use crate::bench::Length;
use crate::bench::buyer::{Buyers, PURCHASE};
use crate::bench::chart::{Chart, Line};
use crate::bench::figure::{Figure, number};
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Quantiles, Record, milliseconds};
use crate::bench::seed::Seed;
use crate::bench::stage::{Guest, Stage, sku};
use crate::up::phase;

/// So many orders there are, when all is measured.
const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];
/// Whoever is in a hurry has fewer.
const FEW: [u64; 2] = [1_000, 10_000];
/// So many of each kind are asked each second.
const RATE: u32 = 50;
/// So many buy each second.
const BUYING: u32 = 10;

const ABOUT: &str = "\
A real order is bought, and all documents that order and payment keep of it (the order, its \
timeline, its payment, the ledger's rows) are written again and again under new ids, straight into \
their databases with the indexes that the services have: one a minute back in time, 20 for each \
customer. Receipts and outbox are left out, as they end by themselves. At each size 50 requests of \
a kind come each second, each when it is due, through the ingress, for orders all over; then 10 \
guests a second buy. Flat is what does not grow with the number of orders.";

const LIMITED_BY: &str = "\
Every question goes along an index, so that it costs a few pages however many orders there are. \
mongod has a cache of 256 MiB here, which the thousand fits into and the million does not: what is \
read then comes from the system's memory, and on a smaller machine from the disk.";

pub(crate) const ORDERS: Measurement = Measurement {
    name: "orders",
    title: "With a thousand, a hundred thousand and a million orders",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

/// Something that is asked; with a number, for any order.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    request: fn(&Cast, u64) -> Request,
}

/// Who asks, and how many orders there are.
struct Cast {
    seed: Arc<Seed>,
    orders: u64,
    staff: Client,
    person: Client,
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "order by id",
        request: |cast, it| cast.staff.get(format!("/api/orders/{}", cast.any(it))),
    },
    Kind {
        name: "timeline of an order",
        request: |cast, it| cast.staff.get(format!("/api/orders/{}/timeline", cast.any(it))),
    },
    Kind { name: "own page of orders", request: |cast, _| cast.person.get("/api/orders?limit=20") },
    Kind {
        name: "page of everybody's",
        request: |cast, _| cast.staff.get("/api/orders?all=true&limit=20"),
    },
    Kind {
        name: "page of those paid",
        request: |cast, _| cast.staff.get("/api/orders?all=true&status=paid&limit=20"),
    },
    Kind {
        name: "payment of an order",
        request: |cast, it| cast.staff.get(format!("/api/payments?order_id={}", cast.any(it))),
    },
];

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let seed = Arc::new(Seed::of(stage).await?);
    let sizes = if length.is_quick() { &FEW[..] } else { &SIZES[..] };
    let person = stage.guest().await?;
    let (mut growth, mut sentences, mut written) = (Growth::default(), Vec::new(), 0);
    for orders in sizes {
        let writing = seed.write(written..*orders, &person.id);
        phase(format_args!("  writing {} orders", orders - written), writing).await?;
        written = *orders;
        let (many, mebibytes) = seed.size().await?;
        sentences.push(format!("{many} orders take {mebibytes:.0} MiB on disk."));
        growth.measure(stage, length, &seed, *orders, &person).await?;
    }
    sentences.push(format!("{} documents are kept of each order.", seed.documents()));
    sentences.extend(growth.sentences());
    Ok(Findings {
        sentences,
        figures: growth.figures(),
        charts: vec![growth.chart()],
        tables: vec![growth.table],
    })
}

/// What came of each size.
#[derive(Debug)]
struct Growth {
    table: Table,
    /// By what was asked: how many orders there were, and how long 99 of 100 took.
    points: Vec<(&'static str, Vec<(f64, f64)>)>,
}

impl Default for Growth {
    fn default() -> Self {
        let columns = vec!["orders", "what", "p50 ms", "p99 ms", "max ms", "failed"];
        let names = KINDS.iter().map(|kind| kind.name).chain([PURCHASE]);
        Self {
            table: Table { title: "By the number of orders", columns, rows: Vec::new() },
            points: names.map(|name| (name, Vec::new())).collect(),
        }
    }
}

impl Growth {
    async fn measure(
        &mut self,
        stage: &Stage<'_>,
        length: Length,
        seed: &Arc<Seed>,
        orders: u64,
        person: &Guest,
    ) -> anyhow::Result<()> {
        let (staff, person) = (stage.staff().await?, person.again(&stage.client).await?);
        let cast = Arc::new(Cast { seed: Arc::clone(seed), orders, staff, person });
        for kind in KINDS {
            let ask = |record: &Arc<Record>| {
                let (cast, record) = (Arc::clone(&cast), Arc::clone(record));
                move |number: u32, due: Instant| {
                    let request = (kind.request)(&cast, number.into());
                    let record = Arc::clone(&record);
                    async move { answered(request, due, &record).await }
                }
            };
            stage.arrive(RATE, length.of_millis(1000, 200), ask(&Arc::default())).await?;
            let record = Arc::default();
            stage.arrive(RATE, length.of_millis(4000, 800), ask(&record)).await?;
            self.note(orders, kind.name, ANSWER, &record);
        }
        let buyers = Buyers::new(&stage.client, sku);
        let all = buyers.clone();
        stage.arrive(BUYING, length.of(6, 2), move |it, due| all.clone().buy(it, due)).await?;
        self.note(orders, PURCHASE, PURCHASE, &buyers.record);
        Ok(())
    }

    fn note(&mut self, orders: u64, name: &'static str, step: &str, record: &Record) {
        let Quantiles { p50, p99, max } = record.quantiles(step);
        let times = [p50, p99, max].map(milliseconds);
        let head = [orders.to_string(), name.to_owned()];
        let failed = record.troubles().to_string();
        self.table.rows.push(head.into_iter().chain(times).chain([failed]).collect());
        let orders = u32::try_from(orders).map_or(f64::MAX, f64::from);
        for (_, points) in self.points.iter_mut().filter(|(it, _)| *it == name) {
            points.push((orders, p99.as_secs_f64() * 1000.0));
        }
    }

    /// How many times as long 99 of 100 take with the most orders as with the fewest.
    fn factors(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.points.iter().filter_map(|(name, points)| {
            let ((_, few), (_, many)) = (points.first()?, points.last()?);
            Some((*name, many / few))
        })
    }

    fn sentences(&self) -> Vec<String> {
        let says =
            |(name, factor)| format!("{name}: {} times with the most orders.", number(factor));
        self.factors().map(says).collect()
    }

    fn figures(&self) -> Vec<Figure> {
        let most = self.factors().filter(|(name, _)| *name != PURCHASE).map(|it| it.1);
        let bought = self.factors().filter(|(name, _)| *name == PURCHASE).map(|it| it.1);
        vec![
            Figure::of(
                "reads and pages, p99 with the most orders",
                most.fold(0.0, f64::max),
                "times",
            ),
            Figure::of("purchases, p99 with the most orders", bought.fold(0.0, f64::max), "times"),
        ]
    }

    fn chart(&self) -> Chart {
        let line = |(name, points): &(&'static str, Vec<_>)| Line {
            name: (*name).to_owned(),
            points: points.clone(),
        };
        let lines = self.points.iter().map(line).collect();
        Chart { name: "growth", title: "99 of 100, by orders", axes: ["orders", "p99 ms"], lines }
    }
}

impl Cast {
    /// Any order: numbers next to each other lead far apart.
    fn any(&self, number: u64) -> String {
        self.seed.order(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % self.orders)
    }
}
