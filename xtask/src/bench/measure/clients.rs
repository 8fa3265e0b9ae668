//! How answers and times grow with the number of clients.

use std::sync::Arc;

use serde_json::json;
use testkit::Request;
use tokio::time::Instant;

use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{Buyers, Customer, PURCHASE, well};
use crate::bench::chart::{Chart, Line};
use crate::bench::figure::number;
use crate::bench::load::take_turns;
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::{Stage, sku};
use crate::up::say;

const NUMBERS: [u32; 4] = [1, 4, 16, 64];

const ABOUT: &str = "\
1, 4, 16 and 64 clients ask, each again as soon as it is answered: a closed loop, on purpose, as it \
shows what more clients bring when none waits of its own accord. Its times are those of clients who \
wait for each other's answers; what shoppers find who come when they come stands on the other pages. \
Each number of clients has a warm-up.";

const LIMITED_BY: &str = "\
With one client, the time of one answer: most of it is spent waiting for the disk, the broker or \
another process. With more, the processors: from there on twice the clients wait twice as long, and \
the rate stays. That it stays, and does not fall, is what group commit and bounded queues are for.";

pub(crate) const CLIENTS: Measurement = Measurement {
    name: "clients",
    title: "With 1, 4, 16 and 64 clients",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let columns = vec!["what", "clients", "each second", "p50 ms", "p99 ms", "failed"];
    let mut table = Table { title: "By clients", columns, rows: Vec::new() };
    let (mut lines, mut sentences) = (Vec::new(), Vec::new());
    for what in ["order by id", "cart change", PURCHASE] {
        let mut points = Vec::new();
        for clients in NUMBERS {
            let (rate, record) = with(stage, length, what, clients).await?;
            say(format_args!("  {what}, {clients} clients: {rate:.0}/s"));
            points.push((f64::from(clients), rate));
            table.rows.push(row(what, clients, rate, &record));
        }
        let most = points.iter().map(|point| point.1).fold(0.0, f64::max);
        sentences.push(format!("{what}: {} a second at most.", number(most)));
        lines.push(Line { name: what.to_owned(), points });
    }
    let axes = ["clients", "each second"];
    let charts = vec![Chart { name: "rates", title: "Answers by clients", axes, lines }];
    Ok(Findings { sentences, tables: vec![table], charts, figures: Vec::new() })
}

fn row(what: &str, clients: u32, rate: f64, record: &Record) -> Vec<String> {
    let times = record.quantiles("turn");
    vec![
        what.to_owned(),
        clients.to_string(),
        number(rate),
        milliseconds(times.p50),
        milliseconds(times.p99),
        record.troubles().to_string(),
    ]
}

/// So many clients, after a warm-up.
async fn with(
    stage: &Stage<'_>,
    length: Length,
    what: &'static str,
    clients: u32,
) -> anyhow::Result<(f64, Arc<Record>)> {
    let customers = Arc::new(stage.customers(clients).await?);
    let buyers = Buyers::new(&stage.client, sku);
    let one = move |number: u32| {
        let (customers, buyers) = (Arc::clone(&customers), buyers.clone());
        async move {
            let customer = &customers[number as usize % customers.len()];
            match what {
                PURCHASE => buyers.bring_to_paid(number, Instant::now()).await.map(drop),
                _ => well(request(what, customer, number)).await.map(drop),
            }
        }
    };
    let warm_up =
        take_turns(clients, length.of_millis(1000, 300), Arc::default(), "turn", one.clone());
    stage.crowd.does(warm_up).await??;
    let record = Arc::default();
    let turns = take_turns(clients, length.of_millis(5000, 700), Arc::clone(&record), "turn", one);
    Ok((stage.crowd.does(turns).await??, record))
}

fn request(what: &str, Customer { client, order }: &Customer, number: u32) -> Request {
    if what == "order by id" {
        return client.get(format!("/api/orders/{order}"));
    }
    let line = json!({ "quantity": number % 5 + 1 });
    client.put(format!("/api/cart/items/{}", sku(number))).json(&line)
}
