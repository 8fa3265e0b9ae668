//! What the auth service told: heard by every replica at once, and kept for one that starts while
//! the bus is away.

use contracts::auth::{Keys, PublicKey, SessionRevoked};
use contracts::{SessionId, Timestamp};
use mongodb::bson::{DateTime, doc};
use serde::{Deserialize, Serialize};

use super::Identity;
use super::sessions::REMEMBERED;
use crate::Document;
use crate::bus::{Broadcast, Copies, Fact, Handled, Subscription, Work};
use crate::store::{Store, StoreError};

/// The keys, as they were told last.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KnownKeys {
    #[serde(rename = "_id")]
    set: String,
    keys: Vec<PublicKey>,
}

/// A sign-in that ended, until none of its tokens is good any longer.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RevokedSession {
    #[serde(rename = "_id")]
    id: SessionId,
    revoked_at: Timestamp,
    expires_at: DateTime,
}

impl Document for KnownKeys {
    const COLLECTION: &'static str = "identity_keys";
    type Id = String;

    fn id(&self) -> String {
        self.set.clone()
    }
}

impl Document for RevokedSession {
    const COLLECTION: &'static str = "revoked_sessions";
    type Id = SessionId;

    fn id(&self) -> SessionId {
        self.id
    }
}

/// Tells `identity` what the service's own database remembers; to be called before it serves.
pub async fn load(identity: &Identity, store: &Store) -> Result<(), StoreError> {
    store.collection_of::<KnownKeys>().await?;
    store.collection_of::<RevokedSession>().await?;
    store.ends_by_itself(RevokedSession::COLLECTION).await?;
    for known in store.find::<KnownKeys>(doc! {}, doc! {}, 0).await? {
        let sequence = u64::try_from(known.version()).unwrap_or(0);
        let KnownKeys { set, keys } = known.value;
        identity.install(&Keys { set, keys }, sequence);
    }
    for ended in store.find::<RevokedSession>(doc! {}, doc! {}, 0).await? {
        identity.revoke(ended.id);
    }
    Ok(())
}

/// Keeps `identity` up to date, and what [`load`] reads at the next start.
pub fn subscriptions(identity: &Identity, store: &Store) -> Vec<Subscription> {
    vec![
        Broadcast::last_per_subject(identity.clone()).on(trust).into(),
        Broadcast::since(REMEMBERED, identity.clone()).on(revoke).into(),
        Copies::new(store.clone()).on(keep_keys).into(),
        Work::new("revocations", store.clone()).on(keep_revocation).into(),
    ]
}

async fn trust(identity: Identity, told: Fact<Keys>) -> Handled {
    identity.install(&told.event, told.sequence());
    Ok(())
}

async fn revoke(identity: Identity, told: Fact<SessionRevoked>) -> Handled {
    identity.revoke(told.event.session_id);
    Ok(())
}

async fn keep_keys(store: Store, told: Fact<Keys>) -> Handled {
    let Keys { set, keys } = told.event.clone();
    store.keep_copy(&KnownKeys { set, keys }, told.sequence()).await?;
    Ok(())
}

/// Keeps it whatever this replica's clock says, which may be ahead; the database ends it in time.
async fn keep_revocation(store: Store, told: Fact<SessionRevoked>) -> Handled {
    let SessionRevoked { session_id, revoked_at, .. } = told.event;
    let expires_at = DateTime::from_millis(revoked_at.plus(REMEMBERED).as_millis());
    let ended = RevokedSession { id: session_id, revoked_at, expires_at };
    store.keep_copy(&ended, told.sequence()).await?;
    Ok(())
}
