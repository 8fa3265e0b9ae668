//! No gap and no duplicate in what was told: between a thing's own count, the outbox and the stream.

mod aggregate;
mod tellings;

use contracts::{Event as _, OrderId, Timestamp, cart};
use mongodb::bson::doc;
use serde::Deserialize;
use tracing::info;

use self::aggregate::Aggregate;
use self::tellings::{Reach, Telling, Tellings};
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

/// An event in an outbox.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: String,
    aggregate: String,
    sequence: i64,
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
        let Some(stream) = shop.bus.stream(self.stream).await? else { return Ok(()) };
        let info = stream.cached_info();
        let created = i64::try_from(info.created.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        let is_older = since.is_none_or(|since| created <= since.as_millis());
        let whole = info.state.first_sequence <= 1 && is_older;
        let passes = info.state.messages.div_ceil(shop.bounds.events_at_once.max(1)).max(1);
        for pass in 0..passes {
            info!(stream = self.stream, messages = info.state.messages, pass, passes, "reading");
            let mut tellings = Tellings::of(pass, passes);
            let mut checkouts = Vec::new();
            self.committed(&mut tellings).await?;
            let told = through(&stream, |event| self.hear(event, &mut tellings, &mut checkouts));
            let told = told.await?;
            if pass == 0 {
                out.checked("events", told);
            }
            self.compare(tellings, Reach { whole, quiet: shop.bounds.quiet }, out).await?;
            if shop.bounds.quiet {
                checked_out(checkouts, &shop.views.order, out).await?;
            }
        }
        Ok(())
    }

    /// What is in the outbox.
    async fn committed(&self, tellings: &mut Tellings) -> Result<(), Error> {
        let facts = doc! { "$match": { "state": false } };
        let pipeline = vec![facts, only(&["aggregate", "sequence"])];
        let mut rows: Rows<Row> = self.view.rows("outbox", pipeline).await?;
        while let Some(Row { id, aggregate, sequence }) = rows.next().await? {
            tellings.take(Telling::new(&aggregate, sequence, &id).ok_or_else(|| self.odd(&id))?);
        }
        Ok(())
    }

    /// What is in the stream.
    fn hear(
        &self,
        event: &[u8],
        tellings: &mut Tellings,
        checkouts: &mut Vec<OrderId>,
    ) -> Result<(), Error> {
        let told: Told<'_> = serde_json::from_slice(event).map_err(|_| self.odd("an event"))?;
        let sequence = told.sequence.parse().map_err(|_| self.odd(told.id))?;
        let telling = Telling::new(told.subject, sequence, told.id);
        let is_ours = tellings.take(telling.ok_or_else(|| self.odd(told.id))?);
        if is_ours && told.event_type == cart::CheckedOut::TYPE.type_name() {
            let checkout: Checkout =
                serde_json::from_str(told.data.get()).map_err(|_| self.odd(told.id))?;
            checkouts.push(checkout.order_id);
        }
        Ok(())
    }

    /// Compares what was told with what each thing counted.
    async fn compare(
        &self,
        tellings: Tellings,
        reach: Reach,
        out: &mut Findings,
    ) -> Result<(), Error> {
        let mut tellings = tellings.sorted();
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
        Ok(())
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
