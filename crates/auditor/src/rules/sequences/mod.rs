//! No gap and no duplicate in what was told: between a thing's own count, the outbox and the stream.

mod aggregate;
mod memory;
mod tellings;

use async_nats::jetstream::stream::Stream;
use contracts::{Event as _, OrderId, Timestamp, cart};
use mongodb::bson::doc;
use serde::Deserialize;
use tracing::info;

use self::aggregate::Aggregate;
use self::memory::{Memory, Row};
use self::tellings::{Place, Reach, Telling, Tellings};
use super::Shop;
use crate::Error;
use crate::bus::through;
use crate::findings::Findings;
use crate::merge::Keyed;
use crate::report::Rule;
use crate::rows::{Rows, View, only};

/// A service that tells facts, and the things that these are about.
struct Publisher<'a> {
    stream: &'static str,
    view: &'a View,
    /// Where its things are.
    things: &'static [&'static str],
    /// Whether things end: what was told of them stays.
    forgets: bool,
}

/// A thing, and how many events it told.
#[derive(Debug, Deserialize)]
struct Counted {
    #[serde(rename = "_id")]
    id: String,
    told: i64,
}

/// An event in a stream.
#[derive(Debug, Deserialize)]
struct Told<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    subject: &'a str,
    sequence: &'a str,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

#[derive(Debug, Deserialize)]
struct Checkout {
    order_id: OrderId,
}

#[derive(Debug, Deserialize)]
struct Known {
    #[serde(rename = "_id")]
    id: OrderId,
}

impl Keyed for Known {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.id
    }
}

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let since = first_order(&shop.views.order).await?;
    for publisher in publishers(shop) {
        publisher.check(since, shop, out).await?;
    }
    Ok(())
}

fn publishers<'a>(shop: &Shop<'a>) -> [Publisher<'a>; 5] {
    let views = shop.views;
    let of = |stream, view, things| Publisher { stream, view, things, forgets: false };
    [
        Publisher { forgets: true, ..of("AUTH", &views.auth, &["users", "sessions"]) },
        of("PRODUCT", &views.product, &["reservations"]),
        of("CART", &views.cart, &["carts"]),
        of("ORDER", &views.order, &["orders"]),
        of("PAYMENT", &views.payment, &["payments"]),
    ]
}

/// When the first order began: a stream that is younger was made anew and does not have everything.
async fn first_order(order: &View) -> Result<Option<Timestamp>, Error> {
    let pipeline = vec![doc! { "$sort": { "_id": 1 } }, doc! { "$limit": 1 }, only(&[])];
    let first = order.rows::<Known>("orders", pipeline).await?.next().await?;
    let unix = first.and_then(|order| order.id.uuid().get_timestamp()).map(|time| time.to_unix());
    let millis = unix.and_then(|(seconds, nanos)| {
        i64::try_from(seconds * 1_000 + u64::from(nanos) / 1_000_000).ok()
    });
    Ok(millis.and_then(|millis| Timestamp::from_millis(millis).ok()))
}

impl Publisher<'_> {
    async fn check(
        &self,
        since: Option<Timestamp>,
        shop: &Shop<'_>,
        out: &mut Findings,
    ) -> Result<(), Error> {
        let Some(stream) = shop.bus.stream(self.stream).await? else {
            return self.has_no_stream(shop, out).await;
        };
        let info = stream.cached_info();
        let memory = Memory::of(Some(info), shop.now);
        let is_older = since.is_none_or(|since| memory.made.is_some_and(|made| made <= since));
        let whole = info.state.first_sequence <= 1 && is_older;
        let passes = info.state.messages.div_ceil(shop.bounds.events_at_once.max(1)).max(1);
        let reach = Reach { whole, quiet: shop.bounds.quiet };
        let mut forgotten = 0;
        for pass in 0..passes {
            info!(stream = self.stream, messages = info.state.messages, pass, passes, "reading");
            let mut tellings = Tellings::of(pass, passes);
            self.committed(memory, &mut tellings).await?;
            let (tellings, told) = self.told(&stream, tellings, shop, out).await?;
            if pass == 0 {
                out.checked("events", told);
            }
            forgotten += self.compare(tellings, reach, out).await?;
        }
        self.owes(forgotten, memory, out);
        Ok(())
    }

    /// Adds what is in the stream, and says how much that is.
    async fn told(
        &self,
        stream: &Stream,
        mut tellings: Tellings,
        shop: &Shop<'_>,
        out: &mut Findings,
    ) -> Result<(Tellings, u64), Error> {
        let mut checkouts = Vec::new();
        let told = through(stream, |event| self.hear(event, &mut tellings, &mut checkouts));
        let told = told.await?;
        if shop.bounds.quiet {
            checked_out(checkouts, &shop.views.order, out).await?;
        }
        Ok((tellings, told))
    }

    /// A stream that was never declared lacks nothing that was never told.
    async fn has_no_stream(&self, shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
        let memory = Memory::of(None, shop.now);
        let mut tellings = Tellings::of(0, 1);
        self.committed(memory, &mut tellings).await?;
        self.owes(tellings.sorted().judge_lost(out), memory, out);
        Ok(())
    }

    /// What a stream lacks that was made anew after it was told, has to be told again.
    fn owes(&self, forgotten: u64, memory: Memory, out: &mut Findings) {
        if forgotten == 0 {
            return;
        }
        let service = self.view.service;
        let stream = memory.made.map_or("there is no stream now".to_owned(), |made| {
            format!("the stream was made only at {made}")
        });
        let says = format!(
            "{forgotten} events were told before, and {stream}: `{service} replay --since 72h` and \
             `{service} replay --state` are owed"
        );
        out.add(Rule::MessageLost, [self.stream], says);
    }

    /// What is in the outbox. It was read before the stream is.
    async fn committed(&self, memory: Memory, tellings: &mut Tellings) -> Result<(), Error> {
        let facts = doc! { "$match": { "state": false } };
        let fields = only(&["aggregate", "sequence", "told", "expires_at"]);
        let mut rows: Rows<Row> = self.view.rows("outbox", vec![facts, fields]).await?;
        while let Some(row) = rows.next().await? {
            let telling = Telling::new(&row.aggregate, row.sequence, &row.id, memory.place(&row));
            tellings.take(telling.ok_or_else(|| self.odd(&row.id))?);
        }
        Ok(())
    }

    /// One event of the stream.
    fn hear(
        &self,
        event: &[u8],
        tellings: &mut Tellings,
        checkouts: &mut Vec<OrderId>,
    ) -> Result<(), Error> {
        let told: Told<'_> = serde_json::from_slice(event).map_err(|_| self.odd("an event"))?;
        let sequence = told.sequence.parse().map_err(|_| self.odd(told.id))?;
        let telling = Telling::new(told.subject, sequence, told.id, Place::Stream);
        let is_ours = tellings.take(telling.ok_or_else(|| self.odd(told.id))?);
        if is_ours && told.event_type == cart::CheckedOut::TYPE.type_name() {
            let checkout: Checkout =
                serde_json::from_str(told.data.get()).map_err(|_| self.odd(told.id))?;
            checkouts.push(checkout.order_id);
        }
        Ok(())
    }

    /// Compares what was told with what each thing counted, and with what the stream has; says how
    /// many events were told before the stream was made and are not in it.
    async fn compare(
        &self,
        tellings: Tellings,
        reach: Reach,
        out: &mut Findings,
    ) -> Result<u64, Error> {
        let mut tellings = tellings.sorted();
        let forgotten = tellings.judge_lost(out);
        for collection in self.things {
            let mut things: Rows<Counted> = self.view.by_id(collection, &["told"]).await?;
            while let Some(Counted { id, told }) = things.next().await? {
                let aggregate = Aggregate::parse(&id).ok_or_else(|| self.odd(&id))?;
                tellings.judge(aggregate, told, reach, out);
            }
        }
        if reach.quiet && !self.forgets {
            tellings.judge_unknown(out);
        }
        Ok(forgotten)
    }

    fn odd(&self, id: &str) -> Error {
        let why = "it is no event, or about nothing that has an id".to_owned();
        Error::Unreadable { what: self.stream.to_owned(), id: id.to_owned(), why }
    }
}

/// Every checkout became an order.
async fn checked_out(
    mut checkouts: Vec<OrderId>,
    order: &View,
    out: &mut Findings,
) -> Result<(), Error> {
    if checkouts.is_empty() {
        return Ok(());
    }
    checkouts.sort_unstable();
    let mut orders: Rows<Known> = order.by_id("orders", &[]).await?;
    for id in checkouts {
        while orders.key().await?.is_some_and(|known| known < id) {
            orders.next().await?;
        }
        if orders.key().await? != Some(id) {
            out.add(Rule::CheckoutLost, [id], "a cart was checked out, and there is no such order");
        }
    }
    Ok(())
}
