//! Reading the bus.

use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Info};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{RawMessageError, RawMessageErrorKind, State, Stream};
use async_nats::jetstream::{self, Context, ErrorCode, message::StreamMessage};
use futures_util::TryStreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::{Bus, Error};

/// The consumer that a stream is read by while it is: its one right name.
const READER: &str = "auditor";
/// It ends by itself after this, should whoever reads be gone.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// How many messages come at once.
const BATCH: usize = 2_000;
/// When for so long nothing comes, nothing will.
const STILL: Duration = Duration::from_secs(10);

/// What reads the bus.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    jetstream: Context,
}

impl Reader {
    pub(crate) async fn connect(bus: &Bus) -> Result<Self, Error> {
        let options = ConnectOptions::new().custom_inbox_prefix("_INBOX_auditor");
        let options = match &bus.ca_file {
            Some(file) => options.add_root_certificates(file.clone()),
            None => options,
        };
        let options = match &bus.credentials {
            Some((user, password)) => {
                options.user_and_password(user.clone(), password.expose_secret().to_owned())
            }
            None => options,
        };
        let client = options.connect(bus.url.expose_secret()).await;
        let client = client.map_err(|error| Error::bus("the bus", &error))?;
        Ok(Self { jetstream: jetstream::new(client) })
    }

    /// A stream; none when it was never declared.
    pub(crate) async fn stream(&self, name: &str) -> Result<Option<Stream>, Error> {
        match self.jetstream.get_stream(name).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(told)
                    if told.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                _ => Err(Error::bus(name, &error)),
            },
        }
    }
}

/// The consumers of a stream.
pub(crate) async fn consumers(stream: &Stream) -> Result<Vec<Info>, Error> {
    let name = stream.cached_info().config.name.clone();
    stream.consumers().try_collect().await.map_err(|error| Error::bus(&name, &error))
}

/// The message at this place of a stream; none when it was taken out.
pub(crate) async fn message(stream: &Stream, place: u64) -> Result<Option<StreamMessage>, Error> {
    found(stream, stream.get_raw_message(place).await)
}

fn found(
    stream: &Stream,
    message: Result<StreamMessage, RawMessageError>,
) -> Result<Option<StreamMessage>, Error> {
    match message {
        Ok(message) => Ok(Some(message)),
        Err(error) => match error.kind() {
            RawMessageErrorKind::JetStream(told)
                if told.error_code() == ErrorCode::NO_MESSAGE_FOUND =>
            {
                Ok(None)
            }
            _ => Err(Error::bus(&stream.cached_info().config.name, &error)),
        },
    }
}

/// Goes through all that a stream has now; says how much that was. What ends meanwhile need not
/// come any more.
pub(crate) async fn through(
    stream: &Stream,
    mut each: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<u64, Error> {
    let name = stream.cached_info().config.name.clone();
    let lost = |error: &dyn std::fmt::Display| Error::bus(&name, &error);
    // One that an audit left behind that did not come to its end.
    let _ = stream.delete_consumer(READER).await;
    let reader = stream.create_consumer(reader()).await.map_err(|error| lost(&error))?;
    let end = state(stream).await?.last_sequence;
    let mut left = reader.cached_info().num_pending;
    let messages = reader.stream().max_messages_per_batch(BATCH).messages().await;
    let mut messages = messages.map_err(|error| lost(&error))?;
    let (mut place, mut read) = (0, 0);
    while left > 0 && place < end {
        let Ok(message) = timeout(STILL, messages.try_next()).await else {
            ended_meanwhile(stream, end, left).await?;
            break;
        };
        let message = message.map_err(|error| lost(&error))?;
        let message = message.ok_or_else(|| lost(&"it ended before its end"))?;
        let info = message.info().map_err(|error| lost(&error))?;
        each(&message.payload)?;
        read += 1;
        (place, left) = (info.stream_sequence, info.pending);
        if info.consumer_sequence != read {
            return Err(lost(&format!("{read} of {} messages came", info.consumer_sequence)));
        }
    }
    let _ = stream.delete_consumer(READER).await;
    Ok(read)
}

/// Nothing comes any more: that is right when all that was left has ended.
async fn ended_meanwhile(stream: &Stream, end: u64, left: u64) -> Result<(), Error> {
    if state(stream).await?.first_sequence > end {
        return Ok(());
    }
    let why = format!("{left} messages were left, and none came for {STILL:?}");
    Err(Error::bus(&stream.cached_info().config.name, &why))
}

/// How a stream stands now.
async fn state(stream: &Stream) -> Result<State, Error> {
    let info = stream.get_info().await;
    let info = info.map_err(|error| Error::bus(&stream.cached_info().config.name, &error))?;
    Ok(info.state)
}

fn reader() -> Config {
    Config {
        name: Some(READER.to_owned()),
        ack_policy: AckPolicy::None,
        inactive_threshold: FORGOTTEN,
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    }
}

/// The last message of a subject; none when there is none.
pub(crate) async fn last(stream: &Stream, subject: &str) -> Result<Option<StreamMessage>, Error> {
    found(stream, stream.get_last_raw_message_by_subject(subject).await)
}

#[cfg(test)]
mod tests {
    use std::future::IntoFuture as _;

    use futures_util::future::try_join_all;
    use testkit::World;
    use tokio::runtime::Handle;
    use tokio::task::block_in_place;

    use super::*;

    /// More than are on their way at once.
    const MESSAGES: u64 = 5_000;

    async fn filled(world: &World) -> Stream {
        let bus = Bus { url: world.nats().url().into(), credentials: None, ca_file: None };
        let jetstream = Reader::connect(&bus).await.unwrap().jetstream;
        let config = jetstream::stream::Config { name: "ORDER".into(), ..Default::default() };
        let stream = jetstream.create_stream(config).await.unwrap();
        for _ in 0..MESSAGES / 500 {
            let told = (0..500).map(async |_| jetstream.publish("ORDER", "1".into()).await?.await);
            try_join_all(told).await.unwrap();
        }
        stream
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_ends_while_a_stream_is_read_is_not_waited_for() {
        let world = World::start().await;
        let stream = filled(&world).await;
        let (ending, runtime) = (stream.clone(), Handle::current());
        let mut first = true;

        let read = through(&stream, |_| {
            if std::mem::take(&mut first) {
                let ended = ending.purge().into_future();
                block_in_place(|| runtime.block_on(ended)).unwrap();
            }
            Ok(())
        });

        let read = read.await.unwrap();
        assert!(read > 0 && read < MESSAGES, "{read}");
    }
}
