//! Following an order by events, while it goes its way.

use std::fmt;
use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use common::http::{Feed, Follow, News, Path, Problem, Problems};
use common::identity::Shopper;
use common::store::{StoreError, Stored};
use contracts::OrderId;

use super::timeline::EntryView;
use super::view::OrderView;
use crate::domain::{Order, Person, Refusal};
use crate::store::Orders;
use crate::timeline::Timeline;

/// Follow an order while it goes its way (server-sent events).
///
/// An event `order` bears the order, at the start and whenever it has changed; an event `timeline`
/// bears an entry of its timeline, in the order in which they became known. Each has an id: who
/// comes back with it as `Last-Event-ID` hears what is newer, and all when it does not read. A
/// comment is sent every 15 seconds while nothing happens. The events end with the access token and
/// when the service stops: come back then. Nobody can follow more than 5 things at once; beyond,
/// what is new already is sent, and no more.
#[utoipa::path(get, path = "/api/orders/{id}/events", tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path),
        ("Last-Event-ID" = Option<String>, Header, description = "The event that was heard last.")),
    responses((status = OK, body = String, content_type = "text/event-stream"), Problems))]
pub(super) async fn follow_order(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path(id): Path<OrderId>,
    follow: Follow,
) -> Result<Response, Problem> {
    let person = orders.person(&shopper).await?;
    let changes = orders.watch(id);
    let order = orders.get(id, &person).await?;
    let order = order.ok_or_else(|| Refusal::unknown(id, orders.clock().now()))?;
    let heard = follow.last_heard().unwrap_or_default();
    let mut following = Following { orders, person, id, heard, timeline: None };
    let mut already = following.of_order(&order);
    already.extend(following.of_timeline().await?);
    Ok(follow.tell(already, changes, following))
}

/// What somebody who follows an order has heard: its id as an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heard {
    /// The version of the order.
    version: i64,
    /// How many entries of its timeline.
    entries: i64,
}

/// Somebody who follows an order.
struct Following {
    orders: Orders,
    person: Person,
    id: OrderId,
    heard: Heard,
    /// The version of the timeline that was read last.
    timeline: Option<i64>,
}

impl Feed for Following {
    async fn news(&mut self) -> Result<Vec<News>, StoreError> {
        let order = self.orders.get(self.id, &self.person).await?;
        let mut news = order.map(|order| self.of_order(&order)).unwrap_or_default();
        news.extend(self.of_timeline().await?);
        Ok(news)
    }
}

impl Following {
    /// The order, if it is another version than was heard.
    fn of_order(&mut self, order: &Stored<Order>) -> Vec<News> {
        let version = order.version();
        if std::mem::replace(&mut self.heard.version, version) == version {
            return Vec::new();
        }
        vec![News::new(self.heard, "order", &OrderView::of(order, version))]
    }

    /// The entries that were not heard.
    async fn of_timeline(&mut self) -> Result<Vec<News>, StoreError> {
        let other = self.orders.timelines().other_than(self.id, self.timeline).await?;
        let Some(timeline) = other else { return Ok(Vec::new()) };
        self.timeline = Some(timeline.version());
        Ok(self.entries(&timeline))
    }

    fn entries(&mut self, timeline: &Timeline) -> Vec<News> {
        if self.heard.entries > timeline.heard() {
            // Timelines began anew: what was heard is counted no longer.
            self.heard.entries = 0;
        }
        let mut news = Vec::new();
        for line in timeline.heard_after(self.heard.entries) {
            self.heard.entries = line.n();
            let shown = EntryView::of(&line, self.person.is_staff);
            news.extend(shown.map(|entry| News::new(self.heard, "timeline", &entry)));
        }
        news
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.entries)
    }
}

/// Not the id of an event of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoId;

impl FromStr for Heard {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let number = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_number).ok_or(NoId)
        };
        let (version, entries) = text.split_once('.').ok_or(NoId)?;
        Ok(Self { version: number(version)?, entries: number(entries)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written_and_nothing_else_does() {
        let heard = Heard { version: 7, entries: 12 };

        assert_eq!(heard.to_string(), "7.12");
        assert_eq!("7.12".parse(), Ok(heard));
        for text in
            ["", ".", "7", "7.", ".12", "-7.12", "+7.12", "7.12.1", "a.b", "9.99999999999999999999"]
        {
            assert_eq!(text.parse::<Heard>(), Err(NoId), "{text}");
        }
    }
}
