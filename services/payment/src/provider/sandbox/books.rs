//! What the sandbox remembers.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use common::store::Store;
use contracts::payment::Failure;
use contracts::{AttemptId, RefundId, Timestamp};
use mongodb::Collection;
use mongodb::bson::{self, Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::ReturnDocument;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Standing;
use super::charge::ChargeRow;
use crate::domain::RefundOutcome;
use crate::provider::signature::hex;
use crate::provider::{GivingBack, ProviderError};

const DUPLICATE_KEY: i32 = 11000;

/// The sandbox's own collections, beside those of the service.
#[derive(Clone)]
pub(super) struct Books {
    charges: Collection<Document>,
    refunds: Collection<Document>,
    /// What was lost on the way.
    lost: Collection<Document>,
    settings: Collection<Document>,
}

/// How a refund stands at the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub(super) enum RefundStanding {
    /// The money went back.
    Done,
    /// It goes back at this time.
    Processing { until: Timestamp },
    /// It does not.
    Refused,
}

impl RefundStanding {
    pub(super) fn outcome(self, now: Timestamp) -> RefundOutcome {
        match self {
            Self::Done => RefundOutcome::Done,
            Self::Processing { until } if until <= now => RefundOutcome::Done,
            Self::Processing { .. } => RefundOutcome::Processing,
            Self::Refused => RefundOutcome::Refused,
        }
    }
}

impl Books {
    pub(super) fn open(store: &Store) -> Self {
        Self {
            charges: store.collection("sandbox_charges"),
            refunds: store.collection("sandbox_refunds"),
            lost: store.collection("sandbox_lost"),
            settings: store.collection("sandbox_settings"),
        }
    }

    /// The secret of this database, drawn when it is asked for first.
    pub(super) async fn secret(&self) -> Result<SecretString, ProviderError> {
        let mut drawn = [0; 32];
        SystemRandom::new()
            .fill(&mut drawn)
            .map_err(|_| ProviderError::Away("the system has no random numbers".to_owned()))?;
        let kept = self
            .settings
            .find_one_and_update(
                doc! { "_id": "webhook_secret" },
                doc! { "$setOnInsert": { "value": hex(&drawn) } },
            )
            .upsert(true)
            .return_document(ReturnDocument::After)
            .await?
            .unwrap_or_default();
        Ok(kept.get_str("value").unwrap_or_default().into())
    }

    pub(super) async fn charge(&self, id: AttemptId) -> Result<Option<ChargeRow>, ProviderError> {
        let found = self.charges.find_one(doc! { "_id": id.to_string() }).await?;
        found.map(read).transpose()
    }

    /// Enters a charge, unless there is one of its key: that one is it.
    pub(super) async fn enter(&self, charge: ChargeRow) -> Result<ChargeRow, ProviderError> {
        let body = bson::serialize_to_document(&charge).map_err(|error| refused(&error))?;
        if inserted(self.charges.insert_one(body).await)? {
            return Ok(charge);
        }
        self.charge(charge.id).await?.ok_or_else(|| refused(&"the charge is gone"))
    }

    /// Whether this is the first time that something of this name is lost.
    pub(super) async fn lose(&self, name: &str) -> Result<bool, ProviderError> {
        inserted(self.lost.insert_one(doc! { "_id": name }).await)
    }

    /// Ends a charge that has not ended, whether it arrived or not.
    pub(super) async fn call_off(
        &self,
        id: AttemptId,
        now: Timestamp,
    ) -> Result<ChargeRow, ProviderError> {
        let charge = self.enter(ChargeRow::never_arrived(id, now)).await?;
        match charge.standing(now) {
            Standing::Captured | Standing::Declined { .. } => Ok(charge),
            Standing::RequiresAction
            | Standing::Processing { .. }
            | Standing::Authorized { .. } => {
                let off = Standing::Declined { failure: Failure::CalledOff };
                let open = ["requires_action", "processing", "authorized"];
                self.become_one(id, &open, &off).await?;
                self.charge(id).await?.ok_or_else(|| refused(&"the charge is gone"))
            }
        }
    }

    /// Collects what is authorised; anything else stays as it is.
    pub(super) async fn capture(
        &self,
        id: AttemptId,
        now: Timestamp,
    ) -> Result<ChargeRow, ProviderError> {
        let known = self.charge(id).await?.ok_or_else(|| refused(&"there is no such charge"))?;
        if let Standing::Authorized { .. } = known.standing(now) {
            self.become_one(id, &["processing", "authorized"], &Standing::Captured).await?;
        }
        self.charge(id).await?.ok_or_else(|| refused(&"the charge is gone"))
    }

    /// Ends a charge that waits for the shopper; `None` when it does not.
    pub(super) async fn decide(
        &self,
        id: AttemptId,
        standing: &Standing,
    ) -> Result<Option<ChargeRow>, ProviderError> {
        self.become_one(id, &["requires_action"], standing).await
    }

    /// Enters a refund, unless there is one of its key: that one is it.
    pub(super) async fn give_back(
        &self,
        back: &GivingBack,
        standing: RefundStanding,
    ) -> Result<RefundStanding, ProviderError> {
        let mut row = fields(&standing)?;
        row.extend(doc! {
            "_id": back.refund.to_string(),
            "charge": &back.charge.0,
            "amount": back.amount.amount,
            "currency": back.amount.currency.as_str(),
        });
        if inserted(self.refunds.insert_one(row).await)? {
            return Ok(standing);
        }
        self.refund(back.refund).await?.ok_or_else(|| refused(&"the refund is gone"))
    }

    pub(super) async fn refund(
        &self,
        id: RefundId,
    ) -> Result<Option<RefundStanding>, ProviderError> {
        let found = self.refunds.find_one(doc! { "_id": id.to_string() }).await?;
        let read = |row| bson::deserialize_from_document(row).map_err(|error| refused(&error));
        found.map(read).transpose()
    }

    /// A charge that stands like one of these comes to stand like that; `None` when it does not.
    async fn become_one(
        &self,
        id: AttemptId,
        from: &[&str],
        to: &Standing,
    ) -> Result<Option<ChargeRow>, ProviderError> {
        let open = doc! { "_id": id.to_string(), "standing": { "$in": from } };
        let found = self
            .charges
            .find_one_and_update(open, doc! { "$set": fields(to)? })
            .return_document(ReturnDocument::After)
            .await?;
        found.map(read).transpose()
    }
}

impl From<Error> for ProviderError {
    fn from(error: Error) -> Self {
        Self::Away(error.kind.to_string())
    }
}

fn read(body: Document) -> Result<ChargeRow, ProviderError> {
    bson::deserialize_from_document(body).map_err(|error| refused(&error))
}

fn fields(standing: &impl Serialize) -> Result<Document, ProviderError> {
    bson::serialize_to_document(standing).map_err(|error| refused(&error))
}

pub(super) fn refused(why: &impl ToString) -> ProviderError {
    ProviderError::Refused(why.to_string())
}

/// Whether it is new; false when its key is there already.
pub(super) fn inserted<T>(outcome: Result<T, Error>) -> Result<bool, ProviderError> {
    match outcome {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn is_duplicate(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(failed))
        if failed.code == DUPLICATE_KEY)
}
