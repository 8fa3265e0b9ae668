//! What the sandbox remembers.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use common::store::{Records, Store, StoreError};
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
    charges: Records,
    refunds: Records,
    /// What was lost on the way.
    lost: Records,
    settings: Records,
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
            charges: store.records("sandbox_charges"),
            refunds: store.records("sandbox_refunds"),
            lost: store.records("sandbox_lost"),
            settings: store.records("sandbox_settings"),
        }
    }

    /// The secret of this database, drawn when it is asked for first.
    pub(super) async fn secret(&self) -> Result<SecretString, ProviderError> {
        let mut drawn = [0; 32];
        SystemRandom::new()
            .fill(&mut drawn)
            .map_err(|_| ProviderError::Away("the system has no random numbers".to_owned()))?;
        let fresh = doc! { "$setOnInsert": { "value": hex(&drawn) } };
        let keep = async move |settings: Collection<Document>| {
            let kept = settings.find_one_and_update(doc! { "_id": "webhook_secret" }, fresh);
            kept.upsert(true).return_document(ReturnDocument::After).await
        };
        let kept = self.settings.run(keep).await??.unwrap_or_default();
        Ok(kept.get_str("value").unwrap_or_default().into())
    }

    pub(super) async fn charge(&self, id: AttemptId) -> Result<Option<ChargeRow>, ProviderError> {
        let this = doc! { "_id": id.to_string() };
        let found = self.charges.run(async move |charges| charges.find_one(this).await).await??;
        found.map(read).transpose()
    }

    /// Enters a charge, unless there is one of its key: that one is it.
    pub(super) async fn enter(&self, charge: ChargeRow) -> Result<ChargeRow, ProviderError> {
        let body = bson::serialize_to_document(&charge).map_err(|error| refused(&error))?;
        if insert(&self.charges, body).await? {
            return Ok(charge);
        }
        self.charge(charge.id).await?.ok_or_else(|| refused(&"the charge is gone"))
    }

    /// Whether this is the first time that something of this name is lost.
    pub(super) async fn lose(&self, name: &str) -> Result<bool, ProviderError> {
        insert(&self.lost, doc! { "_id": name }).await
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
        if insert(&self.refunds, row).await? {
            return Ok(standing);
        }
        self.refund(back.refund).await?.ok_or_else(|| refused(&"the refund is gone"))
    }

    pub(super) async fn refund(
        &self,
        id: RefundId,
    ) -> Result<Option<RefundStanding>, ProviderError> {
        let this = doc! { "_id": id.to_string() };
        let found = self.refunds.run(async move |refunds| refunds.find_one(this).await).await??;
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
        let become_it = doc! { "$set": fields(to)? };
        let change = async move |charges: Collection<Document>| {
            let changed = charges.find_one_and_update(open, become_it);
            changed.return_document(ReturnDocument::After).await
        };
        self.charges.run(change).await??.map(read).transpose()
    }
}

impl From<StoreError> for ProviderError {
    fn from(error: StoreError) -> Self {
        Self::Away(error.to_string())
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
pub(super) async fn insert(records: &Records, body: Document) -> Result<bool, ProviderError> {
    match records.run(async move |records| records.insert_one(body).await).await? {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn is_duplicate(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(failed))
        if failed.code == DUPLICATE_KEY)
}
