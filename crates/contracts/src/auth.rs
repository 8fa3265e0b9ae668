//! What auth tells: who may sign tokens, and which sign-ins ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::events;
use crate::{SessionId, Timestamp, UserId};

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Buys without an account.
    Guest,
    /// Buys with an account.
    Shopper,
    /// Minds catalogue, orders and refunds.
    Staff,
    /// Minds people and roles as well.
    Admin,
    /// A role that this version does not know: it may do nothing.
    #[serde(other)]
    Unknown,
}

/// The public keys that access tokens may be signed with; a newer set replaces the older.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = auth::Keys)]
pub struct Keys {
    /// Always `current`: there is one set.
    pub set: String,
    /// The keys; one that is missing is no longer trusted.
    pub keys: Vec<PublicKey>,
}

/// One Ed25519 public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = auth::PublicKey)]
pub struct PublicKey {
    /// Names the key in a token's header.
    pub kid: String,
    /// The 32 bytes of the key, base64url without padding (`x` of RFC 8037).
    pub x: String,
    /// Tokens issued earlier are not signed with it.
    pub not_before: Timestamp,
    /// It is not trusted any longer after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
}

/// Somebody has an account now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = auth::Registered)]
pub struct Registered {
    /// The person.
    pub user_id: UserId,
    /// What they may do.
    pub role: Role,
}

/// A guest turned out to be this person: what was the guest's is theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = auth::GuestMerged)]
pub struct GuestMerged {
    /// The guest that was.
    pub guest_id: UserId,
    /// The account it became part of.
    pub user_id: UserId,
}

/// A sign-in ended: its access tokens are worth nothing from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = auth::SessionRevoked)]
pub struct SessionRevoked {
    /// The sign-in.
    pub session_id: SessionId,
    /// Whose it was.
    pub user_id: UserId,
    /// When it ended.
    pub revoked_at: Timestamp,
}

events! { "auth":
    Keys = "keys" v 1 State of set;
    Registered = "registered" v 1 Fact of user_id;
    GuestMerged = "guest_merged" v 1 Fact of guest_id;
    SessionRevoked = "session_revoked" v 1 Fact of session_id;
}

#[expect(non_snake_case, reason = "each sample bears the name of its event")]
mod samples {
    use super::{GuestMerged, Keys, PublicKey, Registered, Role, SessionRevoked};
    use crate::event::example;

    pub(super) fn Keys() -> Keys {
        Keys {
            set: "current".into(),
            keys: vec![PublicKey {
                kid: "k-1".into(),
                x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into(),
                not_before: example::time(0),
                not_after: None,
            }],
        }
    }

    pub(super) fn Registered() -> Registered {
        Registered { user_id: example::user(), role: Role::Shopper }
    }

    pub(super) fn GuestMerged() -> GuestMerged {
        GuestMerged { guest_id: example::guest(), user_id: example::user() }
    }

    pub(super) fn SessionRevoked() -> SessionRevoked {
        SessionRevoked {
            session_id: example::session(),
            user_id: example::user(),
            revoked_at: example::time(0),
        }
    }
}
