//! What the services told each other, and when: read from the streams afterwards.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::{self, consumer};
use contracts::{Envelope, Event, OrderId};
use futures_util::StreamExt as _;

/// The bus, for those who only read.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    jetstream: jetstream::Context,
}

/// When something was told; both since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// The service decided it, to the millisecond.
    pub(crate) decided: Duration,
    /// The stream had it on disk.
    pub(crate) kept: Duration,
}

impl Trail {
    /// Reads from this broker.
    pub(crate) async fn of(uri: &str) -> anyhow::Result<Self> {
        let client = async_nats::connect(uri).await.context("connecting to the broker")?;
        Ok(Self { jetstream: jetstream::new(client) })
    }

    /// When the events of a type were told, by the order they are about; of several the first.
    pub(crate) async fn of_each<E: Event>(
        &self,
        order: impl Fn(&E) -> OrderId,
    ) -> anyhow::Result<HashMap<OrderId, Told>> {
        let stream = self.jetstream.get_stream(E::TYPE.stream()).await?;
        let all = consumer::pull::OrderedConfig {
            filter_subject: E::TYPE.filter(),
            ..consumer::pull::OrderedConfig::default()
        };
        let mut reader = stream.create_consumer(all).await?;
        let mut left = reader.info().await?.num_pending;
        let mut messages = reader.messages().await?;
        let mut told = HashMap::new();
        while left > 0 {
            let message = messages.next().await.context("the broker ended")??;
            let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
            left = info.pending;
            let envelope = Envelope::parse(&message.payload)?;
            let decided = Duration::from_millis(u64::try_from(envelope.time.as_millis())?);
            let kept = u64::try_from(info.published.unix_timestamp_nanos())?;
            let at = Told { decided, kept: Duration::from_nanos(kept) };
            told.entry(order(&envelope.open::<E>()?)).or_insert(at);
        }
        Ok(told)
    }
}
