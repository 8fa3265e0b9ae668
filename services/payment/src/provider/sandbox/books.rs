//! What the sandbox remembers.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use common::store::Store;
use contracts::payment::Failure;
use contracts::{AttemptId, RefundId, Timestamp};
use mongodb::bson::{self, Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{IndexOptions, ReturnDocument};
use mongodb::{Collection, IndexModel};
use secrecy::SecretString;

use super::Standing;
use super::charge::ChargeRow;
use crate::provider::signature::hex;
use crate::provider::{GivingBack, ProviderError};

/// How often a webhook is sent before the shop has to ask by itself.
const TELLINGS: i32 = 5;
/// How many webhooks one round repeats.
const ROUND: i64 = 100;
const DUPLICATE_KEY: i32 = 11000;

/// The sandbox's own collections, beside those of the service.
#[derive(Clone)]
pub(super) struct Books {
    charges: Collection<Document>,
    refunds: Collection<Document>,
    /// Charges that were lost on the way.
    lost: Collection<Document>,
    settings: Collection<Document>,
}

impl Books {
    pub(super) async fn open(store: &Store) -> Result<Self, ProviderError> {
        let charges = store.collection("sandbox_charges");
        let untold = IndexOptions::builder()
            .name("untold".to_owned())
            .partial_filter_expression(doc! { "notice": { "$exists": true } })
            .build();
        let index = IndexModel::builder().keys(doc! { "notice": 1 }).options(untold).build();
        charges.create_index(index).await?;
        Ok(Self {
            charges,
            refunds: store.collection("sandbox_refunds"),
            lost: store.collection("sandbox_lost"),
            settings: store.collection("sandbox_settings"),
        })
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

    /// Whether a charge is lost now: it is the first time only.
    pub(super) async fn lose(&self, id: AttemptId) -> Result<bool, ProviderError> {
        inserted(self.lost.insert_one(doc! { "_id": id.to_string() }).await)
    }

    /// Ends a charge that has not ended, whether it arrived or not.
    pub(super) async fn call_off(
        &self,
        id: AttemptId,
        now: Timestamp,
    ) -> Result<ChargeRow, ProviderError> {
        let charge = self.enter(ChargeRow::never_arrived(id, now)).await?;
        let failure = match charge.standing(now) {
            Standing::RequiresAction => Failure::NotAuthenticated,
            Standing::Authorized { .. } | Standing::Processing { .. } => Failure::CalledOff,
            Standing::Captured | Standing::Declined { .. } => return Ok(charge),
        };
        let open = doc! {
            "_id": id.to_string(),
            "standing": { "$in": ["requires_action", "processing"] },
        };
        let ended = fields(&Standing::Declined { failure })?;
        self.charges.update_one(open, doc! { "$set": ended }).await?;
        self.charge(id).await?.ok_or_else(|| refused(&"the charge is gone"))
    }

    /// Ends a charge that waits for the shopper; `None` when it does not.
    pub(super) async fn decide(
        &self,
        id: AttemptId,
        standing: &Standing,
        notice: &str,
    ) -> Result<Option<ChargeRow>, ProviderError> {
        let mut decided = fields(standing)?;
        decided.insert("notice", notice);
        let waiting = doc! { "_id": id.to_string(), "standing": "requires_action" };
        let found = self
            .charges
            .find_one_and_update(waiting, doc! { "$set": decided })
            .return_document(ReturnDocument::After)
            .await?;
        found.map(read).transpose()
    }

    /// The charges whose webhooks did not arrive yet.
    pub(super) async fn untold(&self) -> Result<Vec<ChargeRow>, ProviderError> {
        let mut found =
            self.charges.find(doc! { "notice": { "$exists": true } }).limit(ROUND).await?;
        let mut untold = Vec::new();
        while found.advance().await? {
            untold.push(read(found.deserialize_current()?)?);
        }
        Ok(untold)
    }

    /// Notes that a webhook was sent: it is over when it arrived, or was sent often enough.
    pub(super) async fn note_told(
        &self,
        id: AttemptId,
        arrived: bool,
    ) -> Result<(), ProviderError> {
        let tellings = doc! { "$add": [{ "$ifNull": ["$tellings", 0] }, 1] };
        let over = doc! { "$or": [arrived, { "$gte": [tellings.clone(), TELLINGS] }] };
        let notice = doc! { "$cond": [over, "$$REMOVE", "$notice"] };
        let update = vec![doc! { "$set": { "notice": notice, "tellings": tellings } }];
        self.charges.update_one(doc! { "_id": id.to_string() }, update).await?;
        Ok(())
    }

    /// Gives money back, once for each key.
    pub(super) async fn give_back(&self, back: &GivingBack) -> Result<(), ProviderError> {
        let row = doc! {
            "_id": back.refund.to_string(),
            "charge": &back.charge.0,
            "amount": back.amount.amount,
            "currency": back.amount.currency.as_str(),
        };
        inserted(self.refunds.insert_one(row).await).map(drop)
    }

    pub(super) async fn gave_back(&self, id: RefundId) -> Result<bool, ProviderError> {
        Ok(self.refunds.find_one(doc! { "_id": id.to_string() }).await?.is_some())
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

fn fields(standing: &Standing) -> Result<Document, ProviderError> {
    bson::serialize_to_document(standing).map_err(|error| refused(&error))
}

fn refused(why: &impl ToString) -> ProviderError {
    ProviderError::Refused(why.to_string())
}

/// Whether it is new; false when its key is there already.
fn inserted<T>(outcome: Result<T, Error>) -> Result<bool, ProviderError> {
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
