//! Waiting for a change before answering.

use std::str::FromStr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use contracts::SessionId;
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use tokio::time::Instant;
use utoipa::IntoParams;

use super::call::present;
use super::explain::explain;
use super::parts::{value, values};
use super::{Gate, Patience, Permit, Problem};
use crate::identity::Shopper;
use crate::wakeups::Watch;

/// No request waits longer.
const LONGEST: Duration = Duration::from_secs(25);
/// No number of seconds or milliseconds has more digits.
const LONGEST_NUMBER: usize = 9;
/// What is waited for is read again at least this often, besides being woken.
const PAUSE: Duration = Duration::from_secs(1);
/// What the last reading and the answer may take after the wait.
const ANSWER: Duration = Duration::from_secs(5);
/// Where a client says which event it heard last.
const LAST_EVENT_ID: &str = "last-event-id";

/// How long the client wants to wait for a change (`?wait=5s`, at most 25 s).
///
/// Taking it moves the request from those that are worked on to those that wait. It ends early
/// when the service stops and when the token ends; without room to wait it is over at once.
///
/// ```no_run
/// # use common::http::Wait;
/// # async fn get(wait: Wait, read: impl AsyncFn() -> bool, woken: impl AsyncFn(std::time::Duration)) {
/// let mut settled = read().await;
/// while let Some(pause) = wait.pause().filter(|_| !settled) {
///     woken(pause).await;
///     settled = read().await;
/// }
/// # }
/// ```
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wait {
    /// How long to wait for a change before answering, such as `5s` or `500ms`; at most 25 s.
    #[param(value_type = Option<String>, pattern = "^(0|[0-9]{1,9}(ms|s))$", example = "5s")]
    wait: Option<Place>,
}

/// What the client waits for (`?until=paid,cancelled`, or one parameter for each), beside
/// [`Wait`]; empty when it does not say so. 422 for what is none of the values of `T`.
#[derive(Clone, Debug)]
pub struct Until<T>(pub Vec<T>);

/// Room to send events to the client until the token ends or the service stops; without room it
/// is over at once.
#[derive(Debug)]
pub struct Follow {
    place: Option<Place>,
    last_heard: Option<String>,
}

#[derive(Debug)]
struct Place {
    until: Instant,
    session: SessionId,
    gate: Gate,
    /// The request of a long poll; an event stream goes on after it.
    request: Option<Patience>,
    _permit: Permit,
}

impl Wait {
    /// How long to wait for a wake-up before reading again; `None` when it is time to answer.
    pub fn pause(&self) -> Option<Duration> {
        self.wait.as_ref()?.pause()
    }
}

impl Follow {
    /// How long to wait for a wake-up before reading again; `None` when it is time to end.
    pub fn pause(&self) -> Option<Duration> {
        self.place.as_ref()?.pause()
    }

    /// Which event the client heard last; nothing where it does not say so in a way that reads.
    pub fn last_heard<T: FromStr>(&self) -> Option<T> {
        self.last_heard.as_ref()?.parse().ok()
    }

    /// Waits until it is time to read again; false when it is time to end.
    pub(super) async fn wait(&self, changes: &mut Watch) -> bool {
        let Some(place) = &self.place else { return false };
        let Some(pause) = place.pause() else { return false };
        let stopping = &place.gate.stopping;
        stopping.run_until_cancelled(changes.changed(pause)).await.is_some()
    }

    /// Whether there is room to wait.
    pub(super) const fn has_room(&self) -> bool {
        self.place.is_some()
    }

    /// How often something is sent while nothing happens.
    pub(super) fn heartbeat(&self) -> Option<Duration> {
        self.place.as_ref().map(|place| place.gate.limits.heartbeat)
    }
}

impl Place {
    /// Room for the one who is signed in, if there is any.
    async fn take<S: Sync>(
        parts: &mut Parts,
        state: &S,
        at_most: Duration,
    ) -> Result<Option<Self>, Problem> {
        let gate: Gate = present(parts)?;
        let shopper = Shopper::from_request_parts(parts, state).await?;
        let Some(permit) = gate.polls.enter(shopper.id) else { return Ok(None) };
        let at_most = at_most.min(shopper.expires_at.since(gate.clock.now()));
        if let Some(patience) = parts.extensions.get::<Patience>() {
            patience.wait(at_most + ANSWER);
        }
        let until = Instant::now() + at_most;
        let session = shopper.session;
        Ok(Some(Self { until, session, gate, request: None, _permit: permit }))
    }

    fn pause(&self) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        let over = left.is_zero()
            || self.gate.stopping.is_cancelled()
            || self.request.as_ref().is_some_and(|request| request.hung_up().is_cancelled())
            || self.gate.identity.has_ended(self.session);
        (!over).then(|| left.min(PAUSE))
    }
}

impl<S: Sync> FromRequestParts<S> for Wait {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Some(text) = value(parts, "wait")? else { return Ok(Self { wait: None }) };
        let asked = parse(&text)
            .ok_or_else(|| Problem::malformed().because("wait looks like 5s or 500ms"))?;
        let request = parts.extensions.get().cloned();
        let place = Place::take(parts, state, asked).await?;
        Ok(Self { wait: place.map(|place| Place { request, ..place }) })
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Until<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let values = values(parts, "until")?;
        let names = values.iter().flat_map(|value| value.split(','));
        let read = |name: &str| T::deserialize(name.into_deserializer());
        let read: Result<_, ValueError> = names.map(read).collect();
        let refused = |error: ValueError| {
            Problem::invalid().because(format!("until: {}", explain(&error.to_string())))
        };
        read.map(Self).map_err(refused)
    }
}

impl<S: Sync> FromRequestParts<S> for Follow {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let place = Place::take(parts, state, Duration::MAX).await?;
        Ok(Self { place, last_heard: last_heard(&parts.headers) })
    }
}

fn last_heard(headers: &HeaderMap) -> Option<String> {
    headers.get(LAST_EVENT_ID)?.to_str().ok().map(ToOwned::to_owned)
}

/// Reads what the parameter's documented pattern allows, and nothing else.
fn parse(text: &str) -> Option<Duration> {
    let unit: fn(u64) -> Duration = match text.trim_start_matches(|c: char| c.is_ascii_digit()) {
        "ms" => Duration::from_millis,
        "s" => Duration::from_secs,
        "" if text == "0" => return Some(Duration::ZERO),
        _ => return None,
    };
    let digits = text.trim_end_matches(['m', 's']);
    let asked = digits.parse().ok().filter(|_| digits.len() <= LONGEST_NUMBER).map(unit);
    asked.map(|asked| asked.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_at_most_25_seconds() {
        let texts = [("5s", 5.0), ("500ms", 0.5), ("0s", 0.0), ("0", 0.0), ("3600s", 25.0)];
        for (text, seconds) in texts.into_iter().chain([("999999999s", 25.0), ("007s", 7.0)]) {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn a_wait_keeps_to_its_documented_pattern() {
        for text in [
            "",
            "5",
            "00",
            "s",
            "ms",
            "-5s",
            "+5s",
            "soon",
            "1m",
            "1h",
            "1min",
            "1s500ms",
            "5 s",
            " 5s",
            "5s ",
            "5S",
            "5.0s",
            "1e1s",
            "5sms",
            "5us",
            "1234567890s",
            "٥s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
