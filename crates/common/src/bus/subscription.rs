//! What a service wants to hear, and who handles it.

use std::sync::Arc;
use std::time::Duration;

use contracts::Event;

use super::routes::Routes;
use super::{Fact, Handled};

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
#[derive(Clone)]
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

impl Subscription {
    /// One for each name: the durables of a name are shared by all that hear under it.
    ///
    /// # Panics
    /// When a type is handled twice under one name.
    pub(super) fn merged(subscriptions: Vec<Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for subscription in subscriptions {
            let alike = merged.iter_mut().find(|other| other.kind == subscription.kind);
            match alike.filter(|other| !matches!(other.kind, Kind::Broadcast { .. })) {
                Some(other) => other.routes.extend(subscription.routes),
                None => merged.push(subscription),
            }
        }
        merged
    }

    /// Who hears by it, as receipts and dead letters name it; nobody in particular in a broadcast.
    pub(super) fn consumer(&self, service: &str) -> Option<Arc<str>> {
        match &self.kind {
            Kind::Work { name } => Some(format!("{service}-{name}").into()),
            Kind::Copies => Some(format!("{service}-copies").into()),
            Kind::Broadcast { .. } => None,
        }
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
