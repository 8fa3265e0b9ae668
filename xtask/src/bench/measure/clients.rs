//! How answers and times grow with the number of clients.

use std::sync::Arc;

use anyhow::bail;
use serde_json::json;
use testkit::Client;
use tokio::time::Instant;

use super::Measurement;
use crate::bench::Length;
use crate::bench::accounts::{Account, register};
use crate::bench::buyer::{Buyers, Customer, PURCHASE, well};
use crate::bench::chart::{Chart, Line};
use crate::bench::figure::number;
use crate::bench::load::take_turns;
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::{Stage, sku};
use crate::up::say;

const NUMBERS: [u32; 4] = [1, 4, 16, 64];
const SIGN_IN: &str = "sign-in";
const WHAT: [&str; 6] =
    ["product by id", "page of 20 products", "order by id", "cart change", SIGN_IN, PURCHASE];

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
    let mut lines: Vec<_> = WHAT.map(|what| Line { name: what.to_owned(), points: vec![] }).into();
    for clients in NUMBERS {
        let cast = Arc::new(Cast::of(stage, clients).await?);
        for (what, line) in WHAT.into_iter().zip(&mut lines) {
            let (rate, record) = with(stage, length, what, &cast, clients).await?;
            say(format_args!("  {what}, {clients} clients: {rate:.0}/s"));
            line.points.push((f64::from(clients), rate));
            table.rows.push(row(what, clients, rate, &record));
        }
    }
    table.rows.sort_by_key(|row| WHAT.iter().position(|what| *what == row[0]));
    let sentences = lines.iter().map(most).collect();
    let axes = ["clients", "each second"];
    let charts = vec![Chart { name: "rates", title: "Answers by clients", axes, lines }];
    Ok(Findings { sentences, tables: vec![table], charts, figures: Vec::new() })
}

fn most(line: &Line) -> String {
    let most = line.points.iter().map(|point| point.1).fold(0.0, f64::max);
    format!("{}: {} a second at most.", line.name, number(most))
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

/// Who asks, and for what.
struct Cast {
    nobody: Client,
    customers: Vec<Customer>,
    accounts: Vec<Account>,
    products: Vec<String>,
    buyers: Buyers,
}

impl Cast {
    async fn of(stage: &Stage<'_>, clients: u32) -> anyhow::Result<Self> {
        let customers = stage.customers(clients).await?;
        let accounts = register(&stage.client, clients, &format!("clients-{clients}")).await?;
        let buyers = Buyers::new(&stage.client, sku);
        let (nobody, products) = (stage.client.clone(), stage.products.clone());
        Ok(Self { nobody, customers, accounts, products, buyers })
    }

    async fn does(&self, what: &str, number: u32) -> anyhow::Result<()> {
        let one_of = |many: usize| number as usize % many;
        let Customer { client, order } = &self.customers[one_of(self.customers.len())];
        let request = match what {
            PURCHASE => {
                return self.buyers.bring_to_paid(number, Instant::now()).await.map(drop);
            }
            "product by id" => {
                client.get(format!("/api/products/{}", self.products[one_of(self.products.len())]))
            }
            "page of 20 products" => client.get("/api/products?limit=20"),
            "order by id" => client.get(format!("/api/orders/{order}")),
            "cart change" => {
                let line = json!({ "quantity": number % 5 + 1 });
                client.put(format!("/api/cart/items/{}", sku(number))).json(&line)
            }
            SIGN_IN => self.accounts[one_of(self.accounts.len())].sign_in(&self.nobody),
            unknown => bail!("nobody can do {unknown}"),
        };
        well(request).await.map(drop)
    }
}

/// So many clients, after a warm-up.
async fn with(
    stage: &Stage<'_>,
    length: Length,
    what: &'static str,
    cast: &Arc<Cast>,
    clients: u32,
) -> anyhow::Result<(f64, Arc<Record>)> {
    let cast = Arc::clone(cast);
    let one = move |number: u32| {
        let cast = Arc::clone(&cast);
        async move { cast.does(what, number).await }
    };
    let turns = |length, record| take_turns(clients, length, record, "turn", one.clone());
    stage.crowd.does(turns(length.of_millis(1000, 300), Arc::default())).await??;
    let record = Arc::<Record>::default();
    let rate = stage.crowd.does(turns(length.of_millis(5000, 700), Arc::clone(&record))).await??;
    Ok((rate, record))
}
