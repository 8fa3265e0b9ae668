//! One event: opened, handled, judged, and the server told so.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use async_nats::{Request, Subject};
use contracts::{Envelope, EventType};
use metrics::counter;
use tokio::time::timeout;
use tracing::{Instrument as _, debug, error, warn};

use super::Bus;
use super::dead::Letter;
use super::durable::Durable;
use super::gauge::Gauge;
use super::routes::{Routes, open};
use super::step::step;
use super::verdict::{Attempts, Delivery, Verdict};
use crate::crash::{Point, point};
use crate::telemetry::traces;

const ANSWER: Duration = Duration::from_secs(5);

/// What it takes to handle the events of one durable.
pub(super) struct Handling {
    pub(super) bus: Bus,
    pub(super) durable: Durable,
    /// The name that receipts bear: the same whichever durable an event comes by.
    pub(super) consumer: Arc<str>,
    pub(super) routes: Routes,
    pub(super) attempts: Attempts,
}

impl Handling {
    /// The same for a durable of its own that hears only this type.
    pub(super) fn beside(&self, newcomer: EventType) -> Self {
        Self {
            bus: self.bus.clone(),
            durable: self.durable.beside(newcomer),
            consumer: Arc::clone(&self.consumer),
            routes: self.routes.clone(),
            attempts: Attempts::default(),
        }
    }

    /// Handles an event and settles it with the server.
    pub(super) async fn handle(&self, message: &Message, gauge: &Gauge) -> Verdict {
        let delivery = Delivery { delivered: delivered(message), crowded: gauge.is_crowded() };
        let opened = open(&message.subject, &message.payload);
        let id = opened.as_ref().ok().map(|envelope| envelope.id);
        let verdict = match opened {
            Ok(envelope) => self.judge(envelope, delivery).await,
            Err(why) => reject(message, why),
        };
        let (durable, name) = (self.durable.name.clone(), verdict.name());
        counter!("souk_verdicts_total", "durable" => durable, "verdict" => name).increment(1);
        let over = self.settle(message, &verdict).await;
        if let Some(id) = id.filter(|_| over) {
            self.attempts.forget(id);
        }
        verdict
    }

    async fn judge(&self, envelope: Envelope, delivery: Delivery) -> Verdict {
        let id = envelope.id;
        let span = step(&envelope, &self.durable.name, Some(self.attempts.next(id)));
        let patience = &self.bus.config.patience;
        let judging = async {
            if let Some(verdict) = self.attempts.suspects(id, delivery.delivered, patience) {
                say(&verdict);
                return verdict;
            }
            point(Point::BeforeHandler);
            let handled = self.routes.hear(&self.consumer, envelope, patience.handling).await;
            point(Point::AfterHandler);
            let verdict = self.attempts.judge(id, handled, delivery, patience);
            say(&verdict);
            verdict
        };
        let verdict = judging.instrument(span.clone()).await;
        if !matches!(verdict, Verdict::Done | Verdict::Wait { .. }) {
            traces::failed(&span);
        }
        verdict
    }

    /// Tells the server; says whether that was the end of it.
    ///
    /// When the server does not hear it, the event comes again, and its repeat changes nothing.
    async fn settle(&self, message: &Message, verdict: &Verdict) -> bool {
        let kind = match verdict {
            Verdict::Done => AckKind::Ack,
            Verdict::Wait { after, .. }
            | Verdict::Retry { after, .. }
            | Verdict::Away { after, .. } => AckKind::Nak(Some(*after)),
            Verdict::Park { why, attempts } => self.give_up(message, why, *attempts, true).await,
            Verdict::Reject { why, attempts } => self.give_up(message, why, *attempts, false).await,
        };
        let over = matches!(kind, AckKind::Ack | AckKind::Term);
        point(if over { Point::BeforeAck } else { Point::BeforeNak });
        self.bus.answer(message, kind).await;
        if over {
            point(Point::AfterAck);
        }
        over
    }

    /// Makes a dead letter of it; only then the stream may let go of it.
    async fn give_up(
        &self,
        message: &Message,
        reason: &str,
        attempts: u32,
        is_parked: bool,
    ) -> AckKind {
        let durable = &self.durable;
        let letter = Letter { durable, consumer: &self.consumer, reason, attempts, is_parked };
        point(Point::BeforeDeadLetter);
        match self.bus.bury(message, letter).await {
            Ok(()) => {
                point(Point::DeadLetter);
                let durable = durable.name.clone();
                counter!("souk_dead_letters_total", "durable" => durable).increment(1);
                AckKind::Term
            }
            Err(error) => {
                warn!(durable = durable.name, %error, "dead letter not stored");
                AckKind::Nak(Some(self.bus.config.patience.wait.after(1)))
            }
        }
    }
}

impl Bus {
    /// Tells the server what became of a message, and waits until it knows.
    pub(super) async fn answer(&self, message: &Message, kind: AckKind) {
        if let Some(reply) = message.reply.clone() {
            self.settle(reply, kind).await;
        }
    }

    /// The same, by where the message is answered; says whether the server knows.
    pub(super) async fn settle(&self, reply: Subject, kind: AckKind) -> bool {
        let request = Request::new().payload(kind.into()).timeout(None);
        let knows = timeout(ANSWER, self.client.send_request(reply, request)).await;
        let knows = matches!(knows, Ok(Ok(_)));
        if !knows {
            debug!("the server may not know what became of an event");
        }
        knows
    }
}

/// How often the server gave it to anyone.
fn delivered(message: &Message) -> u32 {
    let delivered = message.info().map_or(1, |info| info.delivered);
    u32::try_from(delivered).unwrap_or(1)
}

fn reject(message: &Message, why: String) -> Verdict {
    error!(subject = %message.subject, why, "event given up");
    Verdict::Reject { why, attempts: 1 }
}

fn say(verdict: &Verdict) {
    match verdict {
        Verdict::Done => debug!("event handled"),
        Verdict::Wait { why, .. } => debug!(why, "event waits"),
        Verdict::Retry { why, .. } => warn!(why, "event failed"),
        Verdict::Park { why, attempts } => error!(why, attempts, "event parked"),
        Verdict::Reject { why, attempts } => error!(why, attempts, "event given up"),
        Verdict::Away { why, .. } => warn!(why, "event held up"),
    }
}
