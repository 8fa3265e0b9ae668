//! What an event is: a fact one service tells and others may hear.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// Whether an event tells what happened, or how a thing is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something happened. Kept 14 days, in order, each once.
    Fact,
    /// How a thing is now. Only the newest per aggregate is kept, for ever, for others to copy.
    State,
}

/// Names a kind of event: who tells it, what it is, and the version of its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventType {
    /// The service that tells it, such as `order`.
    pub publisher: &'static str,
    /// What is told, such as `placed`.
    pub name: &'static str,
    /// The version of its shape, from 1.
    pub version: u32,
    /// Fact or state.
    pub kind: Kind,
}

impl EventType {
    /// The `CloudEvents` type, such as `souk.order.placed.v1`.
    pub fn type_name(&self) -> String {
        format!("souk.{}.{}.v{}", self.publisher, self.name, self.version)
    }

    /// The NATS subject for an aggregate, such as `order.placed.v1.ord_…`.
    pub fn subject(&self, aggregate: &str) -> String {
        format!("{}.{}.v{}.{aggregate}", self.publisher, self.name, self.version)
    }

    /// The NATS subjects of this type for every aggregate.
    pub fn filter(&self) -> String {
        self.subject("*")
    }

    /// The stream that holds it, such as `ORDER` or `PRODUCT_STATE`.
    pub fn stream(&self) -> String {
        let publisher = self.publisher.to_ascii_uppercase();
        match self.kind {
            Kind::Fact => publisher,
            Kind::State => publisher + "_STATE",
        }
    }
}

/// The data of one type of event.
///
/// Contracts only grow: a field may be added with a default, never removed or retyped.
pub trait Event: Serialize + DeserializeOwned + ToSchema + Clone + Send + Sync + 'static {
    /// Which type this is.
    const TYPE: EventType;

    /// The id of the aggregate it is about.
    fn subject(&self) -> String;

    /// An example, kept as a golden file and shown in the documentation.
    fn sample() -> Self;
}

/// An event type with everything a document about it needs.
#[derive(Clone)]
pub struct Described {
    /// Which type.
    pub event_type: EventType,
    /// The name of the Rust type, which names the schema.
    pub name: String,
    /// The shape of the data.
    pub schema: RefOr<Schema>,
    /// Shapes that `schema` refers to.
    pub parts: Vec<(String, RefOr<Schema>)>,
    /// An example of the data.
    pub sample: Value,
    /// Reads data and writes it again; used to check golden files.
    pub reread: fn(&Value) -> Result<Value, serde_json::Error>,
}

impl Described {
    fn of<E: Event>() -> Self {
        let mut parts = Vec::new();
        E::schemas(&mut parts);
        Self {
            event_type: E::TYPE,
            name: format!("{}.{}", E::TYPE.publisher, E::name()),
            schema: <E as PartialSchema>::schema(),
            parts,
            sample: serde_json::to_value(E::sample()).unwrap_or_default(),
            reread: |value| serde_json::to_value(E::deserialize(value)?),
        }
    }
}

/// Declares the events of a publisher and lists them.
macro_rules! events {
    ($publisher:literal: $($event:ident = $name:literal v $version:literal $kind:ident of $subject:ident;)+) => {
        $(impl $crate::Event for $event {
            const TYPE: $crate::EventType = $crate::EventType {
                publisher: $publisher,
                name: $name,
                version: $version,
                kind: $crate::Kind::$kind,
            };

            fn subject(&self) -> String {
                self.$subject.to_string()
            }

            fn sample() -> Self {
                samples::$event()
            }
        })+

        /// Every event type of this publisher.
        pub fn catalogue() -> Vec<$crate::Described> {
            vec![$($crate::event::describe::<$event>()),+]
        }
    };
}
pub(crate) use events;

pub(crate) fn describe<E: Event>() -> Described {
    Described::of::<E>()
}

/// Every event type of the whole shop.
pub fn catalogue() -> Vec<Described> {
    [
        crate::auth::catalogue(),
        crate::product::catalogue(),
        crate::cart::catalogue(),
        crate::order::catalogue(),
        crate::payment::catalogue(),
    ]
    .concat()
}

/// Values that the samples share.
pub(crate) mod example {
    use std::time::Duration;

    use uuid::Uuid;

    use crate::product::Pieces;
    use crate::{
        AttemptId, CartId, Currency, Money, OrderId, PaymentId, ProductId, Quantity, RefundId,
        ReturnId, SessionId, Sku, Timestamp, UserId,
    };

    const fn uuid(last: u128) -> Uuid {
        Uuid::from_u128(0x0190_b0e1_c7f6_7c3e_9d1a_0000_0000_0000 + last)
    }

    pub(crate) const fn user() -> UserId {
        UserId::from_uuid(uuid(1))
    }

    pub(crate) const fn guest() -> UserId {
        UserId::from_uuid(uuid(2))
    }

    pub(crate) const fn session() -> SessionId {
        SessionId::from_uuid(uuid(3))
    }

    pub(crate) const fn product() -> ProductId {
        ProductId::from_uuid(uuid(4))
    }

    pub(crate) const fn cart() -> CartId {
        CartId::from_uuid(uuid(5))
    }

    pub(crate) const fn order() -> OrderId {
        OrderId::from_uuid(uuid(6))
    }

    pub(crate) fn payment() -> PaymentId {
        PaymentId::of(order())
    }

    pub(crate) const fn attempt() -> AttemptId {
        AttemptId::from_uuid(uuid(7))
    }

    pub(crate) const fn refund() -> RefundId {
        RefundId::from_uuid(uuid(8))
    }

    pub(crate) const fn goods_back() -> ReturnId {
        ReturnId::from_uuid(uuid(9))
    }

    pub(crate) fn sku() -> Sku {
        "MUG-BLUE".parse().expect("a SKU")
    }

    pub(crate) const fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    pub(crate) fn pieces() -> Vec<Pieces> {
        vec![Pieces { sku: sku(), quantity: Quantity::new(2).expect("2 is a quantity") }]
    }

    pub(crate) fn time(seconds: u64) -> Timestamp {
        let noon = Timestamp::from_millis(1_769_860_800_000).expect("a time");
        noon.plus(Duration::from_secs(seconds))
    }
}
