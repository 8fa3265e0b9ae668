//! Everything that was told was heard, and nothing was given up.

use std::collections::BTreeSet;

use async_nats::jetstream::consumer::Info;
use contracts::catalogue;
use mongodb::bson::doc;
use serde::Deserialize;

use super::Shop;
use crate::Error;
use crate::bus::{consumers, message};
use crate::findings::Findings;
use crate::report::Rule;
use crate::rows::Rows;
use crate::sources::Views;

/// Of more dead letters the first say enough.
const LETTERS: u64 = 500;

/// The life of a service's database: consumers that are named after an earlier one are over.
#[derive(Debug, Deserialize)]
struct Life {
    generation: String,
}

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    dead_letters(shop, out).await?;
    if shop.bounds.quiet {
        consumers_are_through(shop, out).await?;
    }
    Ok(())
}

async fn dead_letters(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let Some(dead) = shop.bus.stream("DEAD").await? else { return Ok(()) };
    let state = &dead.cached_info().state;
    let (first, last, all) = (state.first_sequence, state.last_sequence, state.messages);
    out.checked("dead letters", all);
    if all == 0 {
        return Ok(());
    }
    for place in (first..=last).take(usize::try_from(LETTERS).unwrap_or(usize::MAX)) {
        let Some(letter) = message(&dead, place).await? else { continue };
        let said =
            |name: &str| letter.headers.get(name).map(ToString::to_string).unwrap_or_default();
        let (consumer, subject) = (said("Souk-Consumer"), said("Souk-Subject"));
        let says = format!("{consumer} gave up {subject}: {}", said("Souk-Reason"));
        out.add(Rule::DeadLetter, [format!("DEAD/{place}"), subject.clone()], says);
    }
    Ok(())
}

async fn consumers_are_through(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let lives = lives(shop.views).await?;
    let streams: BTreeSet<_> = catalogue().iter().map(|it| it.event_type.stream()).collect();
    for stream in streams {
        let Some(found) = shop.bus.stream(&stream).await? else { continue };
        for consumer in consumers(&found).await?.iter().filter(|it| is_live(it, &lives)) {
            out.checked("consumers", 1);
            let Info { name, num_pending, num_ack_pending, .. } = consumer;
            if *num_pending > 0 || *num_ack_pending > 0 {
                let says = format!(
                    "{num_pending} events of {stream} are unheard, {num_ack_pending} unfinished"
                );
                out.add(Rule::ConsumerLag, [format!("{stream}/{name}")], says);
            }
        }
    }
    Ok(())
}

/// Whether somebody still hears by this consumer.
fn is_live(consumer: &Info, lives: &[String]) -> bool {
    let named = |part: &str| consumer.name.split_once(part).map(|(_, rest)| rest);
    let life = named("-copies-").or_else(|| named("-timeline-"));
    let lasts = consumer.config.durable_name.is_some();
    lasts && life.is_none_or(|life| lives.iter().any(|known| life.starts_with(known.as_str())))
}

async fn lives(views: &Views) -> Result<Vec<String>, Error> {
    let mut lives = Vec::new();
    for view in views.each() {
        let pipeline =
            vec![doc! { "$match": { "_id": "copies" } }, doc! { "$project": { "generation": 1 } }];
        let mut rows: Rows<Life> = view.rows("frame", pipeline).await?;
        while let Some(Life { generation }) = rows.next().await? {
            lives.push(generation);
        }
    }
    Ok(lives)
}
