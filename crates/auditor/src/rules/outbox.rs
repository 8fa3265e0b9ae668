//! What was committed is told in time.

use contracts::Timestamp;
use mongodb::bson::doc;
use serde::Deserialize;

use super::Shop;
use crate::Error;
use crate::findings::Findings;
use crate::report::Rule;
use crate::rows::{Rows, only, text};

#[derive(Debug, Deserialize)]
struct Untold {
    #[serde(rename = "_id")]
    id: String,
    nats_subject: String,
    at: Timestamp,
}

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let bound = shop.bounds.outbox_age;
    let (before, after) = (text(shop.now.minus(bound)), text(shop.now.plus(bound)));
    // What was committed in the future was stamped by a wrong clock: nobody knows how late it is.
    let late = doc! { "$or": [{ "at": { "$lt": before } }, { "at": { "$gt": after } }] };
    for view in shop.views.each() {
        let pipeline = vec![
            doc! { "$match": { "told": false, "$and": [&late] } },
            only(&["nats_subject", "at"]),
        ];
        let mut late: Rows<Untold> = view.rows("outbox", pipeline).await?;
        while let Some(Untold { id, nats_subject, at }) = late.next().await? {
            let says =
                format!("{} committed {nats_subject} at {at} and did not tell it", view.service);
            out.add(Rule::OutboxLate, [id], says);
        }
    }
    Ok(())
}
