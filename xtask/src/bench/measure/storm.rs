//! Hundreds who sign in at once, and everybody else meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use testkit::Client;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Measurement;
use crate::bench::Length;
use crate::bench::accounts::{Account, register};
use crate::bench::buyer::well;
use crate::bench::figure::Figure;
use crate::bench::page::Findings;
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::Stage;

/// So many sign in at once.
const PEOPLE: u32 = 500;
/// So many of each kind are asked each second, with the storm and without.
const RATE: u32 = 50;
/// How many times as long 99 of 100 may take in the storm.
const TARGET: f64 = 3.0;

const STEPS: [(&str, &str); 3] = [
    ("products", "due … `GET /api/products` is answered"),
    ("me", "due … `GET /api/auth/me` is answered"),
    ("sign-in", "due … in, with all the times of being sent away"),
];

const ABOUT: &str = "\
500 people with accounts sign in at the same moment, each from the address where they registered. \
Whoever is told that auth is busy (503) comes back when the answer says; the storm is over when all \
500 are in. From two seconds before it until its end, 50 a second ask for `GET /api/products` and 50 \
for `GET /api/auth/me`, each when they are due; before, the same is measured for as long without a \
storm. All of it goes through the ingress.";

const LIMITED_BY: &str = "\
Auth hashes on one thread fewer than there are processors, of a lower priority than what answers \
requests, and lets 192 wait for each; beyond, it answers 503 before it has looked at anything. What \
costs something before the hash is done for the next few only. On a machine of two processors those \
who ask, those who are asked and those who sign in share what hashing leaves.";

pub(crate) const STORM: Measurement = Measurement {
    name: "storm",
    title: "Hundreds sign in at once",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let many = length.many(PEOPLE, 80);
    let people = register(&stage.client, many, "storm").await?;
    let reader = stage.client.with_token(stage.customers(1).await?[0].client.token());
    let calm = Arc::<Record>::default();
    let asked = ask_until(reader.clone(), Arc::clone(&calm), Until::In(length.of(10, 3)));
    stage.crowd.does(asked).await??;
    let (storm, shares, began) = (Arc::<Record>::default(), stage.shares(), Instant::now());
    let both = all_at_once(stage.client.clone(), reader, people, Arc::clone(&storm));
    let sent_away = stage.crowd.does(both).await??;
    let (lasted, who_worked) = (began.elapsed().as_secs_f64(), shares.table());
    let ratios = ["products", "me"].map(|step| {
        let [calm, storm] = [&calm, &storm].map(|it| it.quantiles(step).p99.as_secs_f64());
        storm / calm
    });
    let met = if ratios.iter().all(|ratio| *ratio <= TARGET) { "met" } else { "missed" };
    let mut before = calm.table("Without a storm", &STEPS);
    before.rows.retain(|row| row[0] != "sign-in");
    Ok(Findings {
        sentences: vec![
            format!(
                "During the storm 99 of 100 are answered within **{:.1} times** as long for \
                 products and **{:.1} times** for `me`. The target, at most {TARGET}, is {met}.",
                ratios[0], ratios[1]
            ),
            format!(
                "All {many} were in after {lasted:.1} s, half of them after {} ms; they were sent \
                 away {sent_away} times.",
                milliseconds(storm.quantiles("sign-in").p50)
            ),
        ],
        tables: vec![
            before,
            storm.table("During the storm", &STEPS),
            who_worked,
            storm.table_of_troubles(),
        ],
        figures: vec![
            Figure::of("storm: p99 of products against calm", ratios[0], "times"),
            Figure::of("storm: p99 of me against calm", ratios[1], "times"),
        ],
        ..Findings::default()
    })
}

/// How long somebody goes on asking.
enum Until {
    In(Duration),
    Over(Arc<AtomicBool>),
}

impl Until {
    fn is_over(&self, since: Instant) -> bool {
        match self {
            Self::In(length) => since.elapsed() > *length,
            Self::Over(flag) => flag.load(Ordering::Relaxed),
        }
    }
}

/// Asks at a steady rate, each when it is due.
async fn ask_until(client: Client, record: Arc<Record>, until: Until) -> anyhow::Result<()> {
    let (begin, mut here) = (Instant::now(), JoinSet::new());
    for number in 0.. {
        let due = begin + Duration::from_secs(1) * number / RATE;
        sleep_until(due).await;
        if until.is_over(begin) {
            break;
        }
        for (step, path) in [("products", "/api/products"), ("me", "/api/auth/me")] {
            let (ask, record) = (client.get(path), Arc::clone(&record));
            here.spawn(async move {
                match well(ask).await {
                    Ok(_) => record.took(step, due.elapsed()),
                    Err(error) => record.trouble(format!("{step}: {error:#}")),
                }
            });
        }
    }
    while let Some(ended) = here.join_next().await {
        ended?;
    }
    Ok(())
}

/// Lets all sign in at once while others ask; says how often somebody was sent away.
async fn all_at_once(
    client: Client,
    reader: Client,
    people: Vec<Account>,
    record: Arc<Record>,
) -> anyhow::Result<u32> {
    let (over, sent_away) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let until = Until::Over(Arc::clone(&over));
    let mut others = JoinSet::new();
    others.spawn(ask_until(reader, Arc::clone(&record), until));
    let due = Instant::now() + Duration::from_secs(2);
    let mut storm = JoinSet::new();
    for person in people {
        let (client, record) = (client.clone(), Arc::clone(&record));
        let sent_away = Arc::clone(&sent_away);
        storm.spawn(async move {
            sleep_until(due).await;
            match person.get_in(&client).await {
                Ok(times) => {
                    record.took("sign-in", due.elapsed());
                    sent_away.fetch_add(times, Ordering::Relaxed);
                }
                Err(error) => record.trouble(format!("sign-in: {error:#}")),
            }
        });
    }
    while let Some(ended) = storm.join_next().await {
        ended?;
    }
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = others.join_next().await {
        ended??;
    }
    Ok(sent_away.load(Ordering::Relaxed))
}
