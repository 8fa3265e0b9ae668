//! Reading the bus.

use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Info};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{RawMessageError, RawMessageErrorKind, Stream};
use async_nats::jetstream::{self, Context, ErrorCode, message::StreamMessage};
use futures_util::{StreamExt as _, TryStreamExt as _};
use secrecy::ExposeSecret as _;

use crate::{Bus, Error};

/// The consumer that a stream is read by while it is: its one right name.
const READER: &str = "auditor";
/// It ends by itself after this, should whoever reads be gone.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// How many messages come at once.
const BATCH: usize = 2_000;

/// What reads the bus.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    jetstream: Context,
}

impl Reader {
    pub(crate) async fn connect(bus: &Bus) -> Result<Self, Error> {
        let options = ConnectOptions::new().custom_inbox_prefix("_INBOX_auditor");
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

/// Goes through all that a stream has now; says how much that was.
pub(crate) async fn through(
    stream: &Stream,
    mut each: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<u64, Error> {
    let name = stream.cached_info().config.name.clone();
    let lost = |error: &dyn std::fmt::Display| Error::bus(&name, &error);
    // One that an audit left behind that did not come to its end.
    let _ = stream.delete_consumer(READER).await;
    let reader = stream.create_consumer(reader()).await.map_err(|error| lost(&error))?;
    let all = reader.cached_info().num_pending;
    let messages = reader.stream().max_messages_per_batch(BATCH).messages().await;
    let mut messages = messages.map_err(|error| lost(&error))?.take(count(all));
    let mut read = 0;
    while let Some(message) = messages.try_next().await.map_err(|error| lost(&error))? {
        each(&message.payload)?;
        read += 1;
    }
    let _ = stream.delete_consumer(READER).await;
    if read == all { Ok(all) } else { Err(lost(&format!("{read} of {all} messages came"))) }
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

fn count(messages: u64) -> usize {
    usize::try_from(messages).unwrap_or(usize::MAX)
}

/// The last message of a subject; none when there is none.
pub(crate) async fn last(stream: &Stream, subject: &str) -> Result<Option<StreamMessage>, Error> {
    found(stream, stream.get_last_raw_message_by_subject(subject).await)
}
