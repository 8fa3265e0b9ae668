//! What the sandbox does when it is asked, as its scripts say.

use std::future::pending;

use contracts::Timestamp;
use contracts::payment::Failure;

use super::books::{RefundStanding, refused};
use super::charge::{self, ChargeRow};
use super::post::{Letter, Seal};
use super::script::{Ends, Refunds, Script, Tells, Way};
use super::webhook::Webhook;
use super::{SLOW, Sandbox, Standing};
use crate::domain::{DisputeState, Outcome, RefundOutcome};
use crate::provider::{Charge, GivingBack, ProviderError};

impl Sandbox {
    /// Takes or authorises the money of a charge, once for each key.
    pub(super) async fn take(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let now = self.clock.now();
        if let Some(known) = self.books.charge(charge.attempt).await? {
            return Ok(known.outcome(now));
        }
        let script = Script::of(&charge.method);
        self.arrives(script.charge, "charge", &charge.attempt).await?;
        let row = self.books.enter(ChargeRow::new(charge, script, now)).await?;
        self.tell_of(&row, script, now).await?;
        self.answers(script.charge, "charge", &charge.attempt).await?;
        Ok(row.outcome(now))
    }

    /// Collects the money of a charge that is authorised, once.
    pub(super) async fn collect(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let (now, way) = (self.clock.now(), Script::of(&charge.method).capture);
        self.arrives(way, "capture", &charge.attempt).await?;
        let row = self.books.capture(charge.attempt, now).await?;
        self.tell_dispute(&row, now).await?;
        self.answers(way, "capture", &charge.attempt).await?;
        Ok(row.outcome(now))
    }

    /// Ends a charge, whether it arrived or not.
    pub(super) async fn give_up(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let (now, way) = (self.clock.now(), Script::of(&charge.method).call_off);
        self.arrives(way, "call off", &charge.attempt).await?;
        let row = self.books.call_off(charge.attempt, now).await?;
        self.answers(way, "call off", &charge.attempt).await?;
        Ok(row.outcome(now))
    }

    /// Gives money back, once for each key.
    pub(super) async fn refund(&self, back: &GivingBack) -> Result<RefundOutcome, ProviderError> {
        let now = self.clock.now();
        let id = charge::named(&back.charge).ok_or_else(|| refused(&"there is no such charge"))?;
        let charge = self.books.charge(id).await?;
        let charge = charge.ok_or_else(|| refused(&"there is no such charge"))?;
        let Some(script) = charge.script() else { return Ok(RefundOutcome::Refused) };
        self.arrives(script.refund, "refund", &back.refund).await?;
        let standing = match script.refunds {
            Refunds::Done => RefundStanding::Done,
            Refunds::Slow => RefundStanding::Processing { until: now.plus(SLOW) },
            Refunds::Refused => RefundStanding::Refused,
        };
        let standing = self.books.give_back(back, standing).await?;
        if let RefundStanding::Processing { until } = standing {
            let id = format!("whk_{}", back.refund);
            let webhook = Webhook::of_refund(id.clone(), &charge, back.refund);
            self.post(id, webhook, Seal::True, until).await?;
        }
        self.answers(script.refund, "refund", &back.refund).await?;
        Ok(standing.outcome(now))
    }

    /// The webhook of what the shopper decided; if it does not arrive now, it does later.
    pub(super) async fn tell_decided(&self, charge: &ChargeRow) -> Result<(), ProviderError> {
        let (now, id) = (self.clock.now(), format!("whk_{}_decided", charge.id));
        let Some(webhook) = Webhook::of_charge(id.clone(), charge, &charge.outcome(now)) else {
            return Ok(());
        };
        let letter = Letter::new(id, webhook, Seal::True, now);
        self.post.put(&letter).await?;
        self.post.send(&letter, now).await
    }

    /// Goes on when an asking arrives; never when it is lost.
    async fn arrives(
        &self,
        way: Way,
        asking: &str,
        key: &impl ToString,
    ) -> Result<(), ProviderError> {
        let lost = match way {
            Way::Plain | Way::AnswerLost => false,
            Way::Lost => true,
            Way::LostOnce => self.books.lose(&format!("{asking}:{}", key.to_string())).await?,
        };
        if lost { pending().await } else { Ok(()) }
    }

    /// Goes on when an answer comes back; never when it is lost.
    async fn answers(
        &self,
        way: Way,
        asking: &str,
        key: &impl ToString,
    ) -> Result<(), ProviderError> {
        let lost = match way {
            Way::Plain | Way::Lost | Way::LostOnce => false,
            Way::AnswerLost => self.books.lose(&format!("{asking}:{}", key.to_string())).await?,
        };
        if lost { pending().await } else { Ok(()) }
    }

    /// The webhooks that a script wants of a charge.
    async fn tell_of(
        &self,
        charge: &ChargeRow,
        script: Script,
        now: Timestamp,
    ) -> Result<(), ProviderError> {
        self.tell_dispute(charge, now).await?;
        let later = now.plus(SLOW);
        let after = if script.ends == Ends::TakesItsTime { later } else { now };
        let ends = charge.outcome(after);
        match script.tells {
            Tells::Nothing => Ok(()),
            Tells::Twice => {
                self.tell(charge, "1", &ends, Seal::True, now).await?;
                self.tell_as(charge, "1", "again", &ends, Seal::True, now).await
            }
            Tells::First => {
                self.tell(charge, "1", &ends, Seal::True, now).await?;
                self.post.deliver(now).await
            }
            Tells::OutOfOrder => {
                let early = charge.outcome(now);
                self.tell(charge, "2", &ends, Seal::True, later).await?;
                self.tell(charge, "1", &early, Seal::True, later.plus(SLOW)).await
            }
            Tells::Forged => {
                self.lie_about(charge, now).await?;
                self.tell(charge, "3", &ends, Seal::True, later).await
            }
        }
    }

    /// Webhooks that nobody is to believe.
    async fn lie_about(&self, charge: &ChargeRow, now: Timestamp) -> Result<(), ProviderError> {
        let lie = Outcome::Declined { failure: Failure::Declined };
        self.tell(charge, "1", &lie, Seal::Forged, now).await?;
        self.tell(charge, "2", &lie, Seal::Outdated, now).await
    }

    /// The webhooks of the dispute about a charge, if there is to be one and its money moved.
    async fn tell_dispute(&self, charge: &ChargeRow, now: Timestamp) -> Result<(), ProviderError> {
        let won = charge.script().and_then(|script| script.dispute);
        let (Some(won), Standing::Captured) = (won, charge.standing(now)) else { return Ok(()) };
        let end = if won { DisputeState::Won } else { DisputeState::Lost };
        let opens_at = now.plus(SLOW);
        for (name, state, due_at) in
            [("opened", DisputeState::Opened, opens_at), ("closed", end, opens_at.plus(SLOW))]
        {
            let id = format!("whk_{}_dispute_{name}", charge.id);
            let webhook = Webhook::of_dispute(id.clone(), charge, state);
            self.post(id, webhook, Seal::True, due_at).await?;
        }
        Ok(())
    }

    async fn tell(
        &self,
        charge: &ChargeRow,
        name: &str,
        outcome: &Outcome,
        seal: Seal,
        due_at: Timestamp,
    ) -> Result<(), ProviderError> {
        self.tell_as(charge, name, "once", outcome, seal, due_at).await
    }

    /// A webhook of the same name says the same, in however many letters it is sent.
    async fn tell_as(
        &self,
        charge: &ChargeRow,
        name: &str,
        letter: &str,
        outcome: &Outcome,
        seal: Seal,
        due_at: Timestamp,
    ) -> Result<(), ProviderError> {
        let id = format!("whk_{}_{name}", charge.id);
        let webhook = Webhook::of_charge(id.clone(), charge, outcome);
        self.post(format!("{id}_{letter}"), webhook, seal, due_at).await
    }

    async fn post(
        &self,
        id: String,
        webhook: Option<Webhook>,
        seal: Seal,
        due_at: Timestamp,
    ) -> Result<(), ProviderError> {
        match webhook {
            Some(webhook) => self.post.put(&Letter::new(id, webhook, seal, due_at)).await,
            None => Ok(()),
        }
    }
}
