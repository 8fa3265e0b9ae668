//! Hundreds who sign in at once, and everybody else meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use testkit::Client;
use tokio::join;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Measurement;
use crate::bench::Length;
use crate::bench::accounts::{Account, register};
use crate::bench::buyer::well;
use crate::bench::crowd::Crowd;
use crate::bench::figure::{Figure, verdict};
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::Stage;

/// So many sign in at once.
const PEOPLE: u32 = 500;
/// So many of each kind are asked each second, with the storm and without.
const RATE: u32 = 50;
/// Others have asked for so long, uncounted, when the storm begins.
const BEFORE: Duration = Duration::from_secs(2);
/// How many times as long 99 of 100 may take in the storm.
const TARGET: f64 = 3.0;

const STEPS: [(&str, &str); 3] = [
    ("products", "due … `GET /api/products` is answered"),
    ("me", "due … `GET /api/auth/me` is answered"),
    ("sign-in", "due … in, with all the times of being sent away"),
];

const ABOUT: &str = "\
500 people with accounts sign in at the same moment, each from the address where they registered. \
All of them have looked at the shop before, so that most have a connection to the ingress that is \
open; they live on threads of their own. Whoever is told that auth is busy (503) comes back when the \
answer says; the storm is over when all 500 are in. From its first moment to its end, 50 a second \
ask for `GET /api/products` and 50 for `GET /api/auth/me`, each when they are due (they ask before, \
too, which does not count); before, the same is measured for ten seconds without a storm. All of it \
goes through the ingress.";

const LIMITED_BY: &str = "\
Auth hashes on one thread fewer than there are processors, of a lower priority than what answers \
requests, and lets 192 wait for each; beyond, it answers 503 before it has looked at anything. What \
costs something before the hash is done for the next few only. On a machine of two processors those \
who ask, those who are asked and those who sign in share what hashing leaves. What is slow is the \
moment in which all 500 come, as the longest times show; the p99 leaves it out as long as it is \
shorter than a hundredth of the whole.";

pub(crate) const STORM: Measurement = Measurement {
    name: "storm",
    title: "Hundreds sign in at once",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let many = length.many(PEOPLE, 80);
    let people = People::gather(stage, many).await?;
    let reader = stage.client.with_token(stage.customers(1).await?[0].client.token());
    let calm = Arc::<Record>::default();
    let asked = ask_until(reader.clone(), Arc::clone(&calm), Until::In(BEFORE + length.of(10, 3)));
    stage.crowd.does(asked).await??;
    let (storm, shares, began) = (Arc::<Record>::default(), stage.shares(), Instant::now());
    let over = Arc::<AtomicBool>::default();
    let until = Until::Over(Arc::clone(&over));
    let others = stage.crowd.does(ask_until(reader, Arc::clone(&storm), until));
    let (others, sent_away) = join!(others, people.get_in(Arc::clone(&storm), over));
    others??;
    let came = Came { many, sent_away: sent_away?, lasted: began.elapsed() };
    Ok(findings(&calm, &storm, &came, shares.table()))
}

/// How the storm went.
struct Came {
    many: u32,
    sent_away: u32,
    lasted: Duration,
}

fn findings(calm: &Record, storm: &Record, came: &Came, who_worked: Table) -> Findings {
    let [products, me] = ["products", "me"].map(|step| {
        let [calm, storm] = [calm, storm].map(|it| it.quantiles(step).p99.as_secs_f64());
        storm / calm
    });
    let met = verdict(products.max(me) <= TARGET);
    let mut before = calm.table("Without a storm", &STEPS);
    before.rows.retain(|row| row[0] != "sign-in");
    let Came { many, sent_away, lasted } = came;
    Findings {
        sentences: vec![
            format!(
                "During the storm 99 of 100 are answered within **{products:.1} times** as long \
                 for products and **{me:.1} times** for `me`. The target, at most {TARGET}, is \
                 {met}."
            ),
            format!(
                "All {many} were in after {:.1} s, half of them after {} ms; they were sent away \
                 {sent_away} times.",
                lasted.saturating_sub(BEFORE).as_secs_f64(),
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
            Figure::of("storm: p99 of products against calm", products, "times"),
            Figure::of("storm: p99 of me against calm", me, "times"),
        ],
        ..Findings::default()
    }
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

/// Asks at a steady rate, each when it is due; the first do not count.
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
                    Ok(_) if due < begin + BEFORE => {}
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

/// Those who will sign in, on threads of their own.
struct People {
    crowd: Crowd,
    client: Client,
    accounts: Vec<Account>,
}

impl People {
    /// Lets so many register, and then all look at the shop at once.
    async fn gather(stage: &Stage<'_>, many: u32) -> anyhow::Result<Self> {
        let accounts = register(&stage.client, many, "storm").await?;
        let (crowd, client) = (Crowd::gather()?, Client::at(stage.open.address()));
        let looks: Vec<_> = (0..many).map(|_| well(client.get("/api/products"))).collect();
        crowd.does(try_join_all(looks)).await??;
        Ok(Self { crowd, client, accounts })
    }

    /// Lets all sign in at the same moment; says how often somebody was sent away, once it is over.
    async fn get_in(self, record: Arc<Record>, over: Arc<AtomicBool>) -> anyhow::Result<u32> {
        let due = Instant::now() + BEFORE;
        let one = |person| get_in(person, self.client.clone(), due, Arc::clone(&record));
        let all: Vec<_> = self.accounts.into_iter().map(one).collect();
        let all = async { all.into_iter().collect::<JoinSet<_>>().join_all().await };
        let sent_away = self.crowd.does(all).await;
        over.store(true, Ordering::Relaxed);
        Ok(sent_away?.iter().sum())
    }
}

/// Signs in when it is due; says how often they were sent away.
async fn get_in(person: Account, client: Client, due: Instant, record: Arc<Record>) -> u32 {
    sleep_until(due).await;
    match person.get_in(&client).await {
        Ok(sent_away) => {
            record.took("sign-in", due.elapsed());
            sent_away
        }
        Err(error) => {
            record.trouble(format!("sign-in: {error:#}"));
            0
        }
    }
}
