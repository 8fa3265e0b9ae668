//! Telling a client what happens, as it happens (server-sent events: HTML Living Standard,
//! section 9.2).

use std::convert::Infallible;
use std::fmt::Display;
use std::time::Duration;

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;

use super::Follow;
use crate::origin::RequestOrigin;
use crate::store::StoreError;
use crate::wakeups::Watch;

/// When a client comes back whose events ended.
const COME_BACK: Duration = Duration::from_secs(2);
/// The same where there was no room to wait.
const COME_BACK_LATER: Duration = Duration::from_secs(5);
/// How often something is sent while nothing happens, unless the limits say otherwise.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// Asks a reverse proxy to pass on each event at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// One event for a client that follows something.
#[derive(Clone, Debug)]
pub struct News(Event);

/// What a client follows.
pub trait Feed: Send + 'static {
    /// What happened since this was asked last.
    fn news(&mut self) -> impl Future<Output = Result<Vec<News>, StoreError>> + Send;
}

impl News {
    /// An event of this name. A client that heard it last says `id` when it comes back.
    ///
    /// # Panics
    /// When `id` or `name` is more than one line.
    pub fn new(id: impl Display, name: &str, data: &impl Serialize) -> Self {
        let event = Event::default().id(id.to_string()).event(name);
        Self(event.json_data(data).expect("a view is plain JSON"))
    }
}

impl Follow {
    /// Answers with what is new already, and then with what happens, until the token ends or the
    /// service stops; where there is no room to wait, that is at once.
    ///
    /// `changes` was begun before `already` was read. While nothing happens a comment is sent from
    /// time to time, so that nobody on the way takes the connection for dead.
    pub fn tell(self, already: Vec<News>, changes: Watch, feed: impl Feed) -> Response {
        let heartbeat = self.heartbeat().unwrap_or(HEARTBEAT);
        let come_back = if self.has_room() { COME_BACK } else { COME_BACK_LATER };
        let greeting = Event::default().retry(come_back);
        let already = already.into_iter().map(|News(event)| event);
        let events = stream::iter([greeting].into_iter().chain(already));
        let events = events.chain(live(self, changes, feed)).map(Ok::<_, Infallible>);
        let alive = KeepAlive::new().interval(heartbeat);
        let mut response = Sse::new(events).keep_alive(alive).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(BUFFERING, HeaderValue::from_static("no"));
        response
    }
}

/// What happens from now on. It is read when the client takes it: one that does not read holds up
/// nobody but itself.
fn live(follow: Follow, changes: Watch, feed: impl Feed) -> impl Stream<Item = Event> + Send {
    stream::unfold((follow, changes, feed), async |(follow, mut changes, mut feed)| {
        if !follow.wait(&mut changes).await {
            return None;
        }
        let news = match RequestOrigin::default().scope(feed.news()).await {
            Ok(news) => news,
            // It may be back the next time.
            Err(StoreError::Away(_)) => Vec::new(),
            Err(error) => {
                tracing::error!(%error, "what is followed cannot be read");
                return None;
            }
        };
        Some((stream::iter(news).map(|News(event)| event), (follow, changes, feed)))
    })
    .flatten()
}
