//! The broker by itself: messages that it acknowledges when it has them on disk.

use anyhow::Context as _;
use async_nats::jetstream::{self, stream};

use super::{PUBLISHES, Rows};

/// The size of an event in its envelope.
const BYTES: usize = 600;

pub(super) async fn measure(rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let client =
        async_nats::connect(&rows.stage.broker).await.context("connecting to the broker")?;
    let jetstream = jetstream::new(client);
    let stream = stream::Config {
        name: "BENCH".to_owned(),
        subjects: vec!["bench.>".to_owned()],
        ..stream::Config::default()
    };
    jetstream.create_stream(stream).await.context("making a stream")?;
    let publisher = jetstream.clone();
    let publish = move |number: u32| {
        let jetstream = publisher.clone();
        async move {
            let message = vec![b'x'; BYTES];
            let acknowledged = jetstream.publish(format!("bench.told.{number}"), message.into());
            acknowledged.await?.await?;
            Ok(())
        }
    };
    rows.each("raw JetStream: acknowledged, 1 in flight", &[1], publish.clone()).await?;
    rows.each(PUBLISHES, &[64], publish).await?;
    jetstream.delete_stream("BENCH").await.context("ending the stream")?;
    Ok(())
}
