//! Webhooks on their way to the shop.

use std::time::Duration;

use common::store::Records;
use contracts::Timestamp;
use futures_util::TryStreamExt as _;
use mongodb::Collection;
use mongodb::bson::{self, Document, doc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::books::{insert, refused};
use super::webhook::Webhook;
use crate::provider::ProviderError;
use crate::provider::signature::Signer;

/// Where their signature travels.
pub(super) const HEADER: &str = "souk-sandbox-signature";
/// How long the shop may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a webhook is sent before the shop has to ask by itself.
const TELLINGS: i32 = 5;
/// How many webhooks one round sends.
const ROUND: i64 = 100;
/// How long a webhook rests that cannot be read.
const UNREADABLE: Duration = Duration::from_hours(1);
/// The shop takes no webhook that was signed so long ago.
const LONG_AGO: Duration = Duration::from_mins(10);

/// Keeps webhooks until they arrived.
#[derive(Clone)]
pub(super) struct Post {
    letters: Records,
    http: reqwest::Client,
    url: String,
    signer: Signer,
    /// Whoever forges webhooks does not know the secret.
    forger: Signer,
}

/// A webhook that is to be sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Letter {
    #[serde(rename = "_id")]
    id: String,
    webhook: Webhook,
    seal: Seal,
    /// When it is to be sent; never again when absent.
    due_at: Timestamp,
}

/// How a webhook is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Seal {
    True,
    Forged,
    /// Truly, but long ago.
    Outdated,
}

impl Letter {
    /// Sent when it is due; one of the same name is sent once.
    pub(super) fn new(id: String, webhook: Webhook, seal: Seal, due_at: Timestamp) -> Self {
        Self { id, webhook, seal, due_at }
    }
}

impl Post {
    pub(super) async fn open(
        letters: Records,
        url: String,
        secret: &SecretString,
    ) -> Result<Self, ProviderError> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        let http = http.map_err(|error| refused(&error))?;
        let index = mongodb::IndexModel::builder().keys(doc! { "due_at": 1 }).build();
        letters.run(async move |letters| letters.create_index(index).await).await??;
        let forger = Signer::new(&"somebody else's".into());
        Ok(Self { letters, http, url, signer: Signer::new(secret), forger })
    }

    /// Keeps a letter until it arrived.
    pub(super) async fn put(&self, letter: &Letter) -> Result<(), ProviderError> {
        let body = bson::serialize_to_document(letter).map_err(|error| refused(&error))?;
        insert(&self.letters, body).await.map(drop)
    }

    /// Sends what is due.
    pub(super) async fn deliver(&self, now: Timestamp) -> Result<(), ProviderError> {
        let due = doc! { "due_at": { "$lte": now.to_string() } };
        let sort = doc! { "due_at": 1, "_id": 1 };
        let find = async move |letters: Collection<Document>| {
            letters.find(due).sort(sort).limit(ROUND).await?.try_collect().await
        };
        let found: Vec<Document> = self.letters.run(find).await??;
        for body in found {
            let id = body.get("_id").cloned();
            match bson::deserialize_from_document(body) {
                Ok(letter) => self.send(&letter, now).await?,
                Err(error) => {
                    warn!(%error, "a webhook cannot be read");
                    let later = now.plus(UNREADABLE).to_string();
                    let (this, rest) = (doc! { "_id": id }, doc! { "$set": { "due_at": later } });
                    let put_off = async move |letters: Collection<Document>| {
                        letters.update_one(this, rest).await
                    };
                    self.letters.run(put_off).await??;
                }
            }
        }
        Ok(())
    }

    /// Sends one; it is done when the shop says so. A later round repeats it a few times if that
    /// fails; nobody repeats what is not true.
    pub(super) async fn send(&self, letter: &Letter, now: Timestamp) -> Result<(), ProviderError> {
        let sent = self.bring(letter, now).await;
        if let Err(error) = &sent {
            warn!(webhook.id = letter.id, %error, "webhook not taken");
        }
        let tellings = doc! { "$add": [{ "$ifNull": ["$tellings", 0] }, 1] };
        let enough = doc! { "$gte": [tellings.clone(), TELLINGS] };
        let over = doc! { "$or": [sent.is_ok(), letter.seal != Seal::True, enough] };
        let due_at = doc! { "$cond": [over, "$$REMOVE", "$due_at"] };
        let update = vec![doc! { "$set": { "due_at": due_at, "tellings": tellings } }];
        let this = doc! { "_id": &letter.id };
        self.letters.run(async move |letters| letters.update_one(this, update).await).await??;
        Ok(())
    }

    async fn bring(&self, letter: &Letter, now: Timestamp) -> reqwest::Result<()> {
        let body = serde_json::to_string(&letter.webhook).unwrap_or_default();
        let signature = match letter.seal {
            Seal::True => self.signer.sign(body.as_bytes(), now),
            Seal::Forged => self.forger.sign(body.as_bytes(), now),
            Seal::Outdated => self.signer.sign(body.as_bytes(), now.minus(LONG_AGO)),
        };
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header(HEADER, signature)
            .body(body);
        request.send().await?.error_for_status().map(drop)
    }
}
