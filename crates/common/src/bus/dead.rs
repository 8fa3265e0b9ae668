//! Dead letters: what could not be handled, with the reason, for somebody to look at.

use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use async_nats::jetstream::message::PublishMessage;

use super::durable::Durable;
use super::streams::DEAD;
use super::{Bus, PublishError};

/// A reason longer than this says no more.
const LONGEST_REASON: usize = 500;

/// Why an event is given up.
pub(super) struct Letter<'a> {
    pub(super) durable: &'a Durable,
    pub(super) consumer: &'a str,
    pub(super) reason: &'a str,
    pub(super) attempts: u32,
    /// Whether it is handled anew automatically.
    pub(super) is_parked: bool,
}

/// Marks the letters that are handled anew automatically.
pub(super) const REDRIVE: &str = "Souk-Redrive";
/// What it says then.
pub(super) const AUTOMATIC: &str = "automatic";

impl Bus {
    /// Puts a copy of the event among the dead letters, and returns when the stream has it.
    pub(super) async fn bury(
        &self,
        message: &Message,
        letter: Letter<'_>,
    ) -> Result<(), PublishError> {
        let Letter { durable, consumer, reason, attempts, is_parked } = letter;
        let (sequence, told) = message
            .info()
            .map_or((0, 0), |info| (info.stream_sequence, info.published.unix_timestamp_nanos()));
        let mut headers = HeaderMap::new();
        headers.insert("Souk-Reason", plain(reason));
        headers.insert("Souk-Attempts", attempts.to_string());
        headers.insert("Souk-Consumer", consumer);
        headers.insert("Souk-Durable", durable.name.as_str());
        headers.insert("Souk-Stream", durable.stream.as_str());
        headers.insert("Souk-Stream-Sequence", sequence.to_string());
        headers.insert("Souk-Subject", message.subject.as_str());
        headers.insert("Souk-Time", self.clock.now().to_string());
        if is_parked {
            headers.insert(REDRIVE, AUTOMATIC);
        }
        let subject = self.dead_subject(&durable.name, &message.subject);
        // The same event at the same place: a repeat is one.
        let id = format!("{}:{sequence}:{told}", durable.name);
        let publish = PublishMessage::build().headers(headers).payload(message.payload.clone());
        self.send(DEAD, &subject, publish.message_id(&id)).await.map(drop)
    }

    /// `dead.<service>.<durable>.<type>`.
    fn dead_subject(&self, durable: &str, subject: &str) -> String {
        let type_name: Vec<_> = subject.split('.').take(3).collect();
        format!("dead.{}.{durable}.{}", self.config.service, type_name.join("-"))
    }
}

/// One line that fits a header.
pub(super) fn plain(reason: &str) -> String {
    let line = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(plain("no\r\nInjected: yes"), "no  Injected: yes");
        assert_eq!(plain(&"x".repeat(9_999)).len(), LONGEST_REASON);
    }
}
