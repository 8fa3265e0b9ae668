//! Following something over server-sent events.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use common::Wakeups;
use common::http::{Feed, Follow, Limits, News, layers};
use common::store::StoreError;
use contracts::auth::Role;
use futures_util::StreamExt as _;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::http_app::{App, ask, noon, token};
use crate::identity_signer::{ALICE, SESSION};

const SOON: Duration = Duration::from_secs(20);

/// Counts how often it is asked.
struct Count(u64);

impl Feed for Count {
    async fn news(&mut self) -> Result<Vec<News>, StoreError> {
        self.0 += 1;
        Ok(vec![News::new(self.0, "count", &self.0)])
    }
}

/// Nothing happens.
struct Quiet;

impl Feed for Quiet {
    async fn news(&mut self) -> Result<Vec<News>, StoreError> {
        Ok(Vec::new())
    }
}

/// Cannot be read for a while, and then never.
struct Broken(bool);

impl Feed for Broken {
    async fn news(&mut self) -> Result<Vec<News>, StoreError> {
        let away = std::mem::replace(&mut self.0, false);
        let why = "no".to_owned();
        let refused = || StoreError::Refused { what: "it".to_owned(), why: why.clone() };
        Err(if away { StoreError::Away(why.clone()) } else { refused() })
    }
}

/// An app with something to follow, and the wake-ups for it.
fn routes(app: &App) -> (Router, Wakeups) {
    let wakeups = Wakeups::default();
    let watch = {
        let wakeups = wakeups.clone();
        move || wakeups.watch("it")
    };
    let (counted, quiet) = (watch.clone(), watch.clone());
    let count = async move |follow: Follow| {
        let heard = follow.last_heard().unwrap_or(0);
        follow.tell(vec![News::new(heard, "heard", &heard)], counted(), Count(heard))
    };
    let routes = Router::new()
        .route("/count", get(count))
        .route("/quiet", get(async move |follow: Follow| follow.tell(vec![], quiet(), Quiet)))
        .route("/broken", get(async move |f: Follow| f.tell(vec![], watch(), Broken(true))))
        .route("/anyone", get(async || "here"));
    (layers(routes, &app.gate), wakeups)
}

async fn follow(router: &Router, path: &str, last_heard: Option<&str>) -> Response {
    let mut request = ask(Method::GET, path).header("authorization", token(Role::Shopper, noon()));
    if let Some(id) = last_heard {
        request = request.header("last-event-id", id);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// The next piece of the body; `None` when it ended.
async fn next(events: &mut BodyDataStream) -> Option<String> {
    let piece = timeout(SOON, events.next()).await.expect("something within the bound")?;
    Some(String::from_utf8(piece.unwrap().to_vec()).unwrap())
}

async fn whole(response: Response) -> String {
    let mut events = response.into_body().into_data_stream();
    let mut text = String::new();
    while let Some(piece) = next(&mut events).await {
        text += &piece;
    }
    text
}

#[tokio::test]
async fn what_happens_is_told_until_the_service_stops() {
    let app = App::new();
    let (router, wakeups) = routes(&app);

    let response = follow(&router, "/count", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut events = response.into_body().into_data_stream();

    assert_eq!(next(&mut events).await.unwrap(), "retry: 2000\n\n");
    assert_eq!(next(&mut events).await.unwrap(), "id: 0\nevent: heard\ndata: 0\n\n");
    wakeups.wake("it");
    assert_eq!(next(&mut events).await.unwrap(), "id: 1\nevent: count\ndata: 1\n\n");
    assert_eq!(next(&mut events).await.unwrap(), "id: 2\nevent: count\ndata: 2\n\n", "unwoken");
    app.stopping.cancel();
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn while_nothing_happens_the_connection_is_kept_alive_beyond_the_time_of_a_request() {
    let (timeout, heartbeat) = (Duration::from_millis(1), Duration::from_millis(2));
    let app = App::with(Limits { timeout, heartbeat, requests: 1, ..Limits::default() });
    let (router, _wakeups) = routes(&app);

    let mut events = follow(&router, "/quiet", None).await.into_body().into_data_stream();

    assert_eq!(next(&mut events).await.unwrap(), "retry: 2000\n\n");
    for _ in 0..5 {
        assert_eq!(next(&mut events).await.unwrap(), ":\n\n");
    }
    let beside = follow(&router, "/anyone", None).await;
    assert_eq!(beside.status(), StatusCode::OK, "it takes no place from those who are worked on");
}

#[tokio::test]
async fn without_room_there_is_what_is_new_already_and_no_more() {
    let app = App::with(Limits { long_polls_per_person: 1, ..Limits::default() });
    let (router, _wakeups) = routes(&app);
    let held = follow(&router, "/quiet", None).await;

    let at_once = whole(follow(&router, "/count", None).await).await;
    assert_eq!(at_once, "retry: 5000\n\nid: 0\nevent: heard\ndata: 0\n\n");

    drop(held);
    assert!(app.gate.long_polls().enter(ALICE).is_some(), "who leaves makes room");
}

#[tokio::test]
async fn it_goes_on_after_what_was_heard_last() {
    let app = App::with(Limits { long_polls_per_person: 0, ..Limits::default() });
    let (router, _wakeups) = routes(&app);
    let long = "9".repeat(1_000);

    for (said, heard) in
        [("7", 7), ("", 0), ("seven", 0), ("-1", 0), ("7.1", 0), (long.as_str(), 0)]
    {
        let text = whole(follow(&router, "/count", Some(said)).await).await;
        assert!(text.contains(&format!("id: {heard}\n")), "{said}: {text}");
    }
}

#[tokio::test]
async fn who_signs_out_hears_no_more() {
    let app = App::new();
    let (router, wakeups) = routes(&app);
    let mut events = follow(&router, "/quiet", None).await.into_body().into_data_stream();
    assert_eq!(next(&mut events).await.unwrap(), "retry: 2000\n\n");

    app.identity.revoke(SESSION);
    wakeups.wake("it");

    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn what_is_away_is_waited_for_and_what_is_broken_ends() {
    let app = App::new();
    let (router, wakeups) = routes(&app);
    let mut events = follow(&router, "/broken", None).await.into_body().into_data_stream();
    assert_eq!(next(&mut events).await.unwrap(), "retry: 2000\n\n");

    wakeups.wake("it");

    assert_eq!(next(&mut events).await, None);
}
