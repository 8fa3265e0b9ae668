//! The timeline of an order knows everything that the order told.

use contracts::OrderId;
use serde::Deserialize;

use super::Shop;
use crate::Error;
use crate::findings::Findings;
use crate::merge::{Keyed, least};
use crate::report::Rule;
use crate::rows::Rows;

/// Who told what orders tell.
const ORDER: &str = "/souk/order";

/// How many events an order told.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(rename = "_id")]
    order: OrderId,
    told: i64,
}

/// What is known of an order.
#[derive(Debug, Deserialize)]
struct Timeline {
    #[serde(rename = "_id")]
    order: OrderId,
    entries: Vec<Entry>,
    shortened: bool,
}

#[derive(Debug, Deserialize)]
struct Entry {
    source: String,
    sequence: i64,
}

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    if !shop.bounds.quiet {
        return Ok(());
    }
    let view = &shop.views.order;
    let fields = ["entries.source", "entries.sequence", "shortened"];
    let mut orders: Rows<Told> = view.by_id("orders", &["told"]).await?;
    let mut timelines: Rows<Timeline> = view.by_id("timelines", &fields).await?;
    while let Some(id) = least([orders.key().await?, timelines.key().await?]) {
        let told = orders.at(&id).await?.map_or(0, |order| order.told);
        let timeline = timelines.at(&id).await?;
        let is_whole = timeline.as_ref().is_none_or(|timeline| !timeline.shortened);
        let known: Vec<i64> = timeline.iter().flat_map(Timeline::of_order).collect();
        let missing = (1..=told).find(|sequence| !known.contains(sequence));
        if let Some(missing) = missing.filter(|_| is_whole) {
            let says = format!("the timeline of the order lacks its event {missing} of {told}");
            out.add(Rule::CopyMissing, [id], says);
        }
    }
    out.checked("timelines", timelines.count());
    Ok(())
}

impl Timeline {
    /// The numbers of what the order itself told.
    fn of_order(&self) -> impl Iterator<Item = i64> {
        self.entries.iter().filter(|entry| entry.source == ORDER).map(|entry| entry.sequence)
    }
}

impl Keyed for Told {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.order
    }
}

impl Keyed for Timeline {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.order
    }
}
