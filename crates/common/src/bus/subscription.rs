//! What a service wants to hear, and who handles it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contracts::{Envelope, Event, EventType, Malformed};
use futures_util::future::BoxFuture;

use super::{Fact, Handled, Trouble};

/// Steps of a saga: each event is handled by one replica, until it is handled.
#[must_use = "nothing is heard until the service consumes it"]
pub struct Work<S> {
    name: String,
    state: S,
    routes: Routes,
}

/// Copies of what others own: each event is kept by one replica, and a service that begins anew
/// hears the newest of everything first.
#[must_use = "nothing is heard until the service consumes it"]
pub struct Copies<S> {
    state: S,
    routes: Routes,
}

/// What every replica hears, without a promise to hear each: keys, revocations, wake-ups.
#[must_use = "nothing is heard until the service consumes it"]
pub struct Broadcast<S> {
    from: From,
    state: S,
    routes: Routes,
}

/// Any of the ways to hear.
#[must_use = "nothing is heard until the service consumes it"]
pub struct Subscription {
    pub(super) kind: Kind,
    pub(super) routes: Routes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Work { name: String },
    Copies,
    Broadcast { from: From },
}

/// Where a broadcast begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    LastPerSubject,
    Ago(Duration),
    Now,
}

impl<S: Clone + Send + Sync + 'static> Work<S> {
    /// The name tells this work from the service's other work; durables bear it, so it stays.
    pub fn new(name: impl Into<String>, state: S) -> Self {
        Self { name: name.into(), state, routes: Routes::default() }
    }

    /// Hears the events that `handler` handles.
    ///
    /// # Panics
    /// When the same type is handled already.
    pub fn on<E, F, Fut>(mut self, handler: F) -> Self
    where
        E: Event,
        F: Fn(S, Fact<E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Handled> + Send + 'static,
    {
        self.routes.add(self.state.clone(), handler);
        self
    }
}

impl<S: Clone + Send + Sync + 'static> Copies<S> {
    /// Copies that are kept in `state`.
    pub fn new(state: S) -> Self {
        Self { state, routes: Routes::default() }
    }

    /// Hears the events that `handler` handles.
    ///
    /// # Panics
    /// When the same type is handled already.
    pub fn on<E, F, Fut>(mut self, handler: F) -> Self
    where
        E: Event,
        F: Fn(S, Fact<E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Handled> + Send + 'static,
    {
        self.routes.add(self.state.clone(), handler);
        self
    }
}

impl<S: Clone + Send + Sync + 'static> Broadcast<S> {
    /// Begins with the last event of every aggregate.
    pub fn last_per_subject(state: S) -> Self {
        Self { from: From::LastPerSubject, state, routes: Routes::default() }
    }

    /// Begins with what was told so long ago.
    pub fn since(ago: Duration, state: S) -> Self {
        Self { from: From::Ago(ago), state, routes: Routes::default() }
    }

    /// Begins with what is told from now on.
    pub fn new_only(state: S) -> Self {
        Self { from: From::Now, state, routes: Routes::default() }
    }

    /// Hears the events that `handler` handles, one after the other.
    ///
    /// # Panics
    /// When the same type is handled already.
    pub fn on<E, F, Fut>(mut self, handler: F) -> Self
    where
        E: Event,
        F: Fn(S, Fact<E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Handled> + Send + 'static,
    {
        self.routes.add(self.state.clone(), handler);
        self
    }
}

impl<S> std::convert::From<Work<S>> for Subscription {
    fn from(work: Work<S>) -> Self {
        Self { kind: Kind::Work { name: work.name }, routes: work.routes }
    }
}

impl<S> std::convert::From<Copies<S>> for Subscription {
    fn from(copies: Copies<S>) -> Self {
        Self { kind: Kind::Copies, routes: copies.routes }
    }
}

impl<S> std::convert::From<Broadcast<S>> for Subscription {
    fn from(broadcast: Broadcast<S>) -> Self {
        Self { kind: Kind::Broadcast { from: broadcast.from }, routes: broadcast.routes }
    }
}

type Hear = dyn Fn(Arc<str>, Envelope) -> BoxFuture<'static, Handled> + Send + Sync;

/// The handlers of a subscription by the type they handle.
#[derive(Clone, Default)]
pub(super) struct Routes(BTreeMap<String, Route>);

#[derive(Clone)]
struct Route {
    event_type: EventType,
    hear: Arc<Hear>,
}

impl Routes {
    fn add<S, E, F, Fut>(&mut self, state: S, handler: F)
    where
        S: Clone + Send + Sync + 'static,
        E: Event,
        F: Fn(S, Fact<E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Handled> + Send + 'static,
    {
        let hear = move |consumer: Arc<str>, envelope: Envelope| -> BoxFuture<'static, Handled> {
            match Fact::open(consumer, envelope) {
                Ok(fact) => Box::pin(handler(state.clone(), fact)),
                Err(malformed) => Box::pin(async move { Err(Trouble::Reject(why(&malformed))) }),
            }
        };
        let route = Route { event_type: E::TYPE, hear: Arc::new(hear) };
        let before = self.0.insert(E::TYPE.type_name(), route);
        assert!(before.is_none(), "{} is handled already", E::TYPE.type_name());
    }

    /// The types that are handled, stream by stream.
    pub(super) fn by_stream(&self) -> BTreeMap<String, Vec<EventType>> {
        let mut streams = BTreeMap::<_, Vec<_>>::new();
        for route in self.0.values() {
            streams.entry(route.event_type.stream()).or_default().push(route.event_type);
        }
        streams
    }

    /// Hands an event to its handler; none when the type is unknown here.
    pub(super) fn hear(
        &self,
        consumer: Arc<str>,
        envelope: Envelope,
    ) -> Option<BoxFuture<'static, Handled>> {
        let route = self.0.get(&envelope.event_type)?;
        Some((route.hear)(consumer, envelope))
    }
}

/// What does not fit, without what was written there: that may be personal.
pub(super) fn why(malformed: &Malformed) -> String {
    let (what, source) = match malformed {
        Malformed::Envelope(source) => ("an event".to_owned(), source),
        Malformed::Data { event_type, source, .. } => (event_type.clone(), source),
        Malformed::OtherType { event_type, .. } => return format!("is a {event_type}"),
    };
    format!("not {what} (line {}, column {})", source.line(), source.column())
}
