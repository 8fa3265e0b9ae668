//! Asking a consumer for as many messages as can be used at once, and no more.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::BatchConfig;
use async_nats::jetstream::{Context, Message};
use async_nats::{StatusCode, Subject, Subscriber};
use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::client::{Bus, Link};
use super::streams::DeclareError;

const ASKING: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(2);
/// The server missed two heartbeats: it, or the consumer, is not there any more.
const SILENCE: Duration = Duration::from_secs(5);
const CLOSING: Duration = Duration::from_secs(2);

/// Why a consumer has to be found again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the connection was lost")]
    Link,
    #[error("the server fell silent")]
    Silent,
    #[error("the consumer is gone")]
    Gone,
    #[error("the server said {0}")]
    Refused(String),
    #[error(transparent)]
    Undeclared(#[from] DeclareError),
}

/// The messages of one consumer over one connection.
pub(super) struct Pull {
    jetstream: Context,
    consumer: PullConsumer,
    inbox: Subject,
    subscriber: Subscriber,
    link: watch::Receiver<Link>,
    epoch: u64,
    asked: usize,
    heard: Instant,
}

impl Pull {
    pub(super) async fn open(bus: &Bus, consumer: PullConsumer) -> Result<Self, Lost> {
        let mut link = bus.link.clone();
        let epoch = link.borrow_and_update().epoch;
        let inbox = Subject::from(bus.client.new_inbox());
        let subscriber = bus.client.subscribe(inbox.clone()).await;
        let subscriber = subscriber.map_err(|error| Lost::Refused(error.to_string()))?;
        let (jetstream, heard) = (bus.jetstream.clone(), Instant::now());
        Ok(Self { jetstream, consumer, inbox, subscriber, link, epoch, asked: 0, heard })
    }

    /// How many messages were asked for and did not come yet.
    pub(super) const fn asked(&self) -> usize {
        self.asked
    }

    /// Asks for so many more.
    pub(super) async fn ask(&mut self, batch: usize) -> Result<(), Lost> {
        let request = BatchConfig {
            batch,
            expires: Some(ASKING),
            idle_heartbeat: HEARTBEAT,
            ..BatchConfig::default()
        };
        let sent = timeout(SILENCE, self.consumer.request_batch(request, self.inbox.clone())).await;
        sent.map_err(|_| Lost::Silent)?.map_err(|error| Lost::Refused(error.to_string()))?;
        if self.asked == 0 {
            self.heard = Instant::now();
        }
        self.asked += batch;
        Ok(())
    }

    /// The next message; `None` when all that was asked for came or ended, so that it is time to
    /// ask anew. Nothing is lost when this is not awaited to its end.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, Lost> {
        loop {
            let silence = sleep_until(self.heard + SILENCE);
            tokio::select! {
                biased;
                message = self.subscriber.next() => {
                    let message = self.sort(message.ok_or(Lost::Link)?)?;
                    if message.is_some() || self.asked == 0 {
                        return Ok(message);
                    }
                }
                changed = self.link.changed() => {
                    let link = *self.link.borrow_and_update();
                    if changed.is_err() || !link.up || link.epoch != self.epoch {
                        return Err(Lost::Link);
                    }
                }
                () = silence, if self.asked > 0 => return Err(Lost::Silent),
            }
        }
    }

    /// Ends the asking; gives what came in the meantime.
    pub(super) async fn close(mut self) -> Vec<Message> {
        let mut left = Vec::new();
        // Bounded: without a connection nobody confirms the end.
        let _ = timeout(CLOSING, async {
            if self.subscriber.drain().await.is_ok() {
                while let Some(message) = self.subscriber.next().await {
                    left.extend(self.sort(message).ok().flatten());
                }
            }
        })
        .await;
        left
    }

    /// Tells messages from what the server says about the asking.
    fn sort(&mut self, message: async_nats::Message) -> Result<Option<Message>, Lost> {
        self.heard = Instant::now();
        match message.status {
            None | Some(StatusCode::OK) => {
                self.asked = self.asked.saturating_sub(1);
                return Ok(Some(Message { message, context: self.jetstream.clone() }));
            }
            Some(StatusCode::IDLE_HEARTBEAT) => {}
            Some(StatusCode::NO_RESPONDERS) => return Err(Lost::Gone),
            Some(status) => {
                let said = message.description.as_deref().unwrap_or_default();
                if said == "Consumer Deleted" {
                    return Err(Lost::Gone);
                }
                match unmet(&message) {
                    Some(unmet) => self.asked = self.asked.saturating_sub(unmet),
                    None => return Err(Lost::Refused(format!("{status} {said}"))),
                }
            }
        }
        Ok(None)
    }
}

/// How many messages of an asking that ended did not come.
fn unmet(message: &async_nats::Message) -> Option<usize> {
    let headers = message.headers.as_ref()?;
    headers.get("Nats-Pending-Messages")?.as_str().parse().ok()
}
