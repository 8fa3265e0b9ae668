//! Which handler handles which type of event.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use contracts::{Envelope, Event, EventType, Malformed};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::{Fact, Handled, Trouble};

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
    pub(super) fn add<S, E, F, Fut>(&mut self, state: S, handler: F)
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
        self.insert(Route { event_type: E::TYPE, hear: Arc::new(hear) });
    }

    pub(super) fn extend(&mut self, other: Self) {
        other.0.into_values().for_each(|route| self.insert(route));
    }

    fn insert(&mut self, route: Route) {
        let name = route.event_type.type_name();
        let before = self.0.insert(name.clone(), route);
        assert!(before.is_none(), "{name} is handled already");
    }

    /// The types that are handled, stream by stream.
    pub(super) fn by_stream(&self) -> BTreeMap<String, Vec<EventType>> {
        let mut streams = BTreeMap::<_, Vec<_>>::new();
        for route in self.0.values() {
            streams.entry(route.event_type.stream()).or_default().push(route.event_type);
        }
        streams
    }

    /// Lets its handler handle an event, in bounded time; a panic is a failure like any other.
    pub(super) async fn hear(
        &self,
        consumer: &Arc<str>,
        envelope: Envelope,
        bound: Duration,
    ) -> Handled {
        let Some(route) = self.0.get(&envelope.event_type) else {
            // A newer replica shares the durable: it will handle it.
            return Err(Trouble::Wait("this version does not know its type".to_owned()));
        };
        let handling = async { (route.hear)(Arc::clone(consumer), envelope).await };
        match timeout(bound, AssertUnwindSafe(handling).catch_unwind()).await {
            Ok(Ok(handled)) => handled,
            Ok(Err(_)) => Err(Trouble::Retry("the handler panicked".to_owned())),
            Err(_) => Err(Trouble::Retry("it took too long".to_owned())),
        }
    }
}

/// Opens an envelope; says why when it is none, or is not what its subject says: a service may
/// tell under its own subjects only, and so cannot speak for another.
pub(super) fn open(nats_subject: &str, event: &[u8]) -> Result<Envelope, String> {
    let envelope = Envelope::parse(event).map_err(|malformed| why(&malformed))?;
    let told_as = envelope.event_type.strip_prefix("souk.").unwrap_or_default();
    if nats_subject == format!("{told_as}.{}", envelope.subject) {
        Ok(envelope)
    } else {
        Err("the envelope names another type or aggregate than its subject".to_owned())
    }
}

/// What does not fit, without what was written there: that may be personal.
fn why(malformed: &Malformed) -> String {
    let (what, source) = match malformed {
        Malformed::Envelope(source) => ("an event".to_owned(), source),
        Malformed::Data { event_type, source, .. } => (event_type.clone(), source),
        Malformed::OtherType { event_type, .. } => return format!("is a {event_type}"),
    };
    format!("not {what} (line {}, column {})", source.line(), source.column())
}
