//! The last state that was told of a thing is the newest.

use contracts::{Event, EventType, auth, product};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use super::Shop;
use crate::Error;
use crate::bus::last;
use crate::findings::Findings;
use crate::report::Rule;
use crate::rows::{Rows, View};

/// How many are asked for at once.
const AT_ONCE: usize = 64;

/// A thing whose state others copy.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(rename = "_id")]
    id: String,
    told: i64,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    sequence: String,
}

/// In a busy shop the newest is on its way.
pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    if !shop.bounds.quiet {
        return Ok(());
    }
    let views = shop.views;
    of(&views.auth, "keys", auth::Keys::TYPE, shop, out).await?;
    of(&views.product, "products", product::State::TYPE, shop, out).await?;
    of(&views.product, "stock", product::Stock::TYPE, shop, out).await
}

async fn of(
    view: &View,
    collection: &str,
    told_as: EventType,
    shop: &Shop<'_>,
    out: &mut Findings,
) -> Result<(), Error> {
    let things: Rows<Told> = view.by_id(collection, &["told"]).await?;
    let Some(found) = shop.bus.stream(&told_as.stream()).await? else { return Ok(()) };
    let found = &found;
    let things = stream::try_unfold(things, async |mut things| {
        Ok(things.next().await?.map(|thing: Told| (thing, things)))
    });
    let mut asked = Box::pin(things)
        .map_ok(|Told { id, told }| async move {
            let message = last(found, &told_as.subject(&id)).await?;
            let sequence = message.and_then(|it| sequence(&it.payload));
            Ok::<_, Error>((id, told, sequence))
        })
        .try_buffer_unordered(AT_ONCE)
        .boxed_local();
    while let Some((id, told, sequence)) = asked.next().await.transpose()? {
        out.checked("states", 1);
        if told > 0 && sequence != Some(told) {
            let said =
                sequence.map_or("nothing".to_owned(), |sequence| format!("state {sequence}"));
            let says = format!(
                "{} is at state {told} of {collection}, and told {said} last",
                view.service
            );
            out.add(Rule::StateStale, [id], says);
        }
    }
    Ok(())
}

fn sequence(event: &[u8]) -> Option<i64> {
    serde_json::from_slice::<Numbered>(event).ok()?.sequence.parse().ok()
}
