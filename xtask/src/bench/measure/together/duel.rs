//! The shop and the raw driver by turns, so that a machine that is slower for a while is so for both.

use std::sync::Arc;
use std::time::Duration;

use super::take_purchases;
use crate::bench::Length;
use crate::bench::load::take_turns;
use crate::bench::measure::limits::Replay;
use crate::bench::observed::Observed;
use crate::bench::record::Record;
use crate::bench::stage::Stage;
use crate::up::say;

/// So many write a purchase at the same time: the best of them counts.
const WRITERS: [u32; 2] = [16, 64];

/// What each came to.
pub(super) struct Duel {
    /// Whole purchases each second.
    pub(super) shop: f64,
    /// How often the raw driver wrote the same each second, a transaction for each step.
    pub(super) raw: f64,
}

impl Duel {
    /// Lets them take turns, the shop with so many shoppers.
    pub(super) async fn fight(
        stage: &Stage<'_>,
        length: Length,
        shoppers: u32,
    ) -> anyhow::Result<Self> {
        let replay = Arc::new(Replay::of(stage, &Observed::of(stage).await?).await?);
        let (rounds, mut shop, mut raw) = (length.many(4, 1), 0.0, [0.0_f64; WRITERS.len()]);
        for _ in 0..rounds {
            for (writers, sum) in WRITERS.iter().zip(&mut raw) {
                write(stage, &replay, *writers, length.of_millis(500, 100)).await?;
                *sum += write(stage, &replay, *writers, length.of_millis(4000, 500)).await?;
            }
            take_purchases(stage, shoppers, length.of_millis(2000, 300), &Arc::default()).await?;
            shop += take_purchases(stage, shoppers, length.of(8, 1), &Arc::default()).await?;
        }
        let best = raw.into_iter().fold(0.0, f64::max);
        let (shop, raw) = (shop / f64::from(rounds), best / f64::from(rounds));
        say(format_args!("  by turns: shop {shop:.1}/s, raw driver {raw:.1}/s"));
        Ok(Self { shop, raw })
    }

    /// How many times as much the shop did.
    pub(super) fn ratio(&self) -> f64 {
        self.shop / self.raw
    }
}

async fn write(
    stage: &Stage<'_>,
    replay: &Arc<Replay>,
    writers: u32,
    length: Duration,
) -> anyhow::Result<f64> {
    let (record, replay) = (Arc::<Record>::default(), Arc::clone(replay));
    let one = move |_| {
        let replay = Arc::clone(&replay);
        async move { replay.by_step().await }
    };
    let turns = take_turns(writers, length, Arc::clone(&record), "turn", one);
    let rate = stage.crowd.does(turns).await??;
    anyhow::ensure!(record.troubles() == 0, "{}", record.table_of_troubles());
    Ok(rate)
}
