//! Signing in with a password, against hashing and nothing else.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::task::JoinSet;

use super::Measurement;
use super::rates::{ANSWER, answered};
use crate::bench::Length;
use crate::bench::accounts::{Account, register};
use crate::bench::climb::{Climb, Tried, climb};
use crate::bench::figure::{Figure, HASHES, verdict};
use crate::bench::load::take_turns;
use crate::bench::page::Findings;
use crate::bench::record::Record;
use crate::bench::stage::Stage;
use crate::up::say;

/// So many people sign in by turns.
const PEOPLE: u32 = 64;
/// 99 of 100 are in within this.
const BOUND: Duration = Duration::from_millis(500);
/// So many try at the same time when it is measured how many get in at most.
const AT_ONCE: u32 = 16;
/// What part of raw hashing is wanted.
const TARGET: f64 = 0.8;

const ABOUT: &str = "\
64 people with accounts sign in by turns, each from an address of their own, through the ingress.

- **at most**: 16 at a time, each again as soon as they are in (a closed loop).
- **raw argon2id**: the same parameters (19 MiB, 2 rounds, 1 lane) computed on as many threads as \
auth hashes on (one fewer than there are processors, at least one), in this program, again and again \
in the same memory, by turns with the sign-ins: the shop is idle meanwhile.
- **at rising rates**: so many begin each second, each when they are due; a rate is borne when 99 of \
100 are in within 500 ms and nobody is sent away.";

const LIMITED_BY: &str = "\
Hashing, by design: auth hashes on one thread fewer than there are processors, so that the rest \
stays fast, and one hash fills 19 MiB twice. What a sign-in costs besides (counting tries in the \
database, a session, tokens, the ingress and the one who asks) is done on the other processors, but \
shares caches and memory with the hash.";

pub(crate) const SIGN_INS: Measurement = Measurement {
    name: "sign_ins",
    title: "Sign-ins, against raw argon2id",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let people = Arc::new(register(&stage.client, length.many(PEOPLE, 16), "regular").await?);
    let threads = available_parallelism().map_or(1, NonZeroUsize::get).saturating_sub(1).max(1);
    let (mut raw, mut shop) = (0.0, 0.0);
    for _ in 0..length.many(3, 1) {
        raw += hashes(threads, length.of_millis(2000, 700)).await?;
        shop += at_most(stage, &people, length.of_millis(4000, 1500)).await?;
    }
    let rounds = f64::from(length.many(3, 1));
    let (raw, shop) = (raw / rounds, shop / rounds);
    say(format_args!("  raw {raw:.1}/s, sign-ins {shop:.1}/s"));
    let bound = Climb { first: 8, bound: BOUND };
    let climbed = climb(&bound, async |rate| at(stage, length, &people, rate).await).await?;
    let (highest, ratio) = (climbed.highest(), shop / raw);
    let met = verdict(ratio >= TARGET);
    Ok(Findings {
        sentences: vec![
            format!(
                "**{ratio:.2}** of raw argon2id on {threads} thread(s): {shop:.1} sign-ins against \
                 {raw:.1} hashes a second. The target, at least {TARGET}, is {met}."
            ),
            format!("Up to {highest} a second all are in within 500 ms in 99 of 100."),
        ],
        tables: std::iter::once(climbed.table("At rising rates"))
            .chain(climbed.best().map(Tried::who_worked))
            .collect(),
        charts: vec![climbed.chart("rates", "Sign-ins: time by rate")],
        figures: vec![
            Figure::rate(HASHES, raw, None),
            Figure::rate("sign-ins, at most", shop, Some(HASHES)),
            Figure::rate("sign-ins within 500 ms", f64::from(highest), Some(HASHES)),
        ],
    })
}

/// How many hashes each second so many threads compute.
async fn hashes(threads: usize, length: Duration) -> anyhow::Result<f64> {
    let mut workers = JoinSet::new();
    let began = Instant::now();
    for _ in 0..threads {
        workers.spawn_blocking(move || hash_for(length));
    }
    let mut hashes = 0;
    while let Some(done) = workers.join_next().await {
        hashes += done??;
    }
    Ok(f64::from(hashes) / began.elapsed().as_secs_f64())
}

fn hash_for(length: Duration) -> anyhow::Result<u32> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (began, mut hashes, mut output) = (Instant::now(), 0, [0; 32]);
    while began.elapsed() < length {
        let done = argon2.hash_password_into_with_memory(
            b"a long way to the bazaar",
            &[7; 16],
            &mut output,
            &mut memory,
        );
        done.map_err(|error| anyhow!("{error}"))?;
        hashes += 1;
    }
    Ok(hashes)
}

/// How many sign in each second at most.
async fn at_most(
    stage: &Stage<'_>,
    people: &Arc<Vec<Account>>,
    length: Duration,
) -> anyhow::Result<f64> {
    let (people, client, record) = (Arc::clone(people), stage.client.clone(), Arc::default());
    let one = move |number: u32| {
        let sign_in = person(&people, number).sign_in(&client);
        async move { crate::bench::buyer::well(sign_in).await.map(drop) }
    };
    let turns = take_turns(AT_ONCE, length, Arc::clone(&record), "sign-in", one);
    let rate = stage.crowd.does(turns).await??;
    anyhow::ensure!(record.troubles() == 0, "{}", record.table_of_troubles());
    Ok(rate)
}

async fn at(
    stage: &Stage<'_>,
    length: Length,
    people: &Arc<Vec<Account>>,
    rate: u32,
) -> anyhow::Result<Tried> {
    let ask = |record: &Arc<Record>| {
        let (people, client) = (Arc::clone(people), stage.client.clone());
        let record = Arc::clone(record);
        move |number, due| {
            let (sign_in, record) = (person(&people, number).sign_in(&client), Arc::clone(&record));
            async move { answered(sign_in, due, &record).await }
        }
    };
    stage.arrive(rate, length.of_millis(1000, 300), ask(&Arc::default())).await?;
    let (record, shares) = (Arc::default(), stage.shares());
    stage.arrive(rate, length.of_millis(4000, 1000), ask(&record)).await?;
    Ok(Tried::of(rate, record, ANSWER, &shares))
}

fn person(people: &[Account], number: u32) -> &Account {
    &people[number as usize % people.len()]
}
