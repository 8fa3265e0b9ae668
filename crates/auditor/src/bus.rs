//! Reading the bus.

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use async_nats::jetstream::{self, Context, ErrorCode, message::StreamMessage};
use futures_util::TryStreamExt as _;
use secrecy::ExposeSecret as _;

use crate::{Bus, Error};

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
    match stream.get_raw_message(place).await {
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
