//! Many who want the same few pieces.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Measurement;
use crate::bench::Length;
use crate::bench::buyer::{Buyers, PURCHASE, STEPS, well};
use crate::bench::figure::Figure;
use crate::bench::load::take_turns;
use crate::bench::page::Findings;
use crate::bench::record::Record;
use crate::bench::stage::{Stage, sell};

/// So many buyers at a time.
const BUYERS: u32 = 64;
const SCARCE: &str = "BENCH-SCARCE";
/// How long is looked whether anybody still gets something.
const WAVE: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);

const ABOUT: &str = "\
64 people at a time, all of them for the same SKU, until it is long sold out: each comes as a guest, \
puts one piece into the cart, checks out, waits until the order is reserved or cancelled, pays, waits \
until it is paid, and the next one comes (a closed loop: there is always a crowd). Whoever finds \
that the cart already knows it is sold out goes away. Afterwards exactly as many orders are paid as \
there were pieces, and none is left, else the bench fails.";

const LIMITED_BY: &str = "\
The processors, as with whole purchases. The one counter of the SKU is no limit by itself: those \
who want it at the same time are decided together and written in one transaction (group commit).";

pub(crate) const FLASH: Measurement = Measurement {
    name: "flash",
    title: "A flash sale",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, length: Length) -> anyhow::Result<Findings> {
    let pieces = length.many(400, 60);
    let product = put_on_sale(stage, pieces).await?;
    let buyers = Buyers::new(&stage.client, |_| SCARCE.to_owned());
    let shares = stage.shares();
    let went_away = sell_out(stage, &buyers).await?;
    let who_worked = shares.table();
    let seen = buyers.bought().into_iter().map(|it| it.seen);
    let (begin, end) =
        (seen.clone().min().unwrap_or_default(), seen.clone().max().unwrap_or_default());
    ensure!(seen.len() == pieces as usize, "of {pieces} pieces {} were sold", seen.len());
    until_none_is_left(stage, &product).await?;
    let rate = f64::from(pieces) / end.saturating_sub(begin).as_secs_f64().max(0.001);
    Ok(Findings {
        sentences: vec![
            format!(
                "**{pieces} pieces, {pieces} paid orders, none left; {rate:.0} orders a second.**"
            ),
            format!("{} others went away with nothing.", went_away.troubles()),
        ],
        tables: vec![
            buyers.record.table("Steps", &STEPS),
            who_worked,
            went_away.table_of_troubles(),
        ],
        figures: vec![Figure::rate("flash sale: paid orders", rate, None)],
        ..Findings::default()
    })
}

/// Puts it on sale, and waits until the cart has heard of it.
async fn put_on_sale(stage: &Stage<'_>, pieces: u32) -> anyhow::Result<String> {
    let product = sell(&stage.staff().await?, SCARCE, pieces).await?;
    let buyers = Buyers::new(&stage.client, |_| SCARCE.to_owned());
    let guest = buyers.come(u32::MAX, Instant::now()).await?;
    let bound = Instant::now() + SOON;
    let put = guest.put(format!("/api/cart/items/{SCARCE}")).json(&json!({ "quantity": 1 }));
    while let Err(error) = well(put.clone()).await {
        ensure!(Instant::now() < bound, "the cart never heard of it: {error:#}");
        sleep(PAUSE).await;
    }
    Ok(product)
}

/// Lets a crowd buy until for a while nobody has got anything; says why the others have not.
async fn sell_out(stage: &Stage<'_>, buyers: &Buyers) -> anyhow::Result<Arc<Record>> {
    let record = Arc::<Record>::default();
    let mut before = usize::MAX;
    while buyers.bought().len() != before {
        before = buyers.bought().len();
        let buyers = buyers.clone();
        let one = move |number| {
            let buyers = buyers.clone();
            async move { buyers.bring_to_paid(number, Instant::now()).await.map(drop) }
        };
        let turns = take_turns(BUYERS, WAVE, Arc::clone(&record), PURCHASE, one);
        stage.crowd.does(turns).await??;
    }
    Ok(record)
}

/// What was paid becomes a sale soon; then nothing is available.
async fn until_none_is_left(stage: &Stage<'_>, product: &str) -> anyhow::Result<()> {
    let bound = Instant::now() + SOON;
    loop {
        let shown = well(stage.client.get(format!("/api/products/{product}"))).await?;
        if shown["variants"][0]["available"] == 0 {
            return Ok(());
        }
        ensure!(Instant::now() < bound, "{} are left", shown["variants"][0]["available"]);
        sleep(PAUSE).await;
    }
}
