//! What an access token says.

use std::time::Duration;

use contracts::auth::Role;
use contracts::{SessionId, Timestamp, UserId};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

/// Who issues access tokens.
pub const ISSUER: &str = "souk";
/// Whom access tokens are for.
pub const AUDIENCE: &str = "souk";
/// How long an access token is good for.
pub const LIFE: Duration = Duration::from_mins(5);
/// What an access token calls itself (RFC 9068, section 2.1): no token of another kind passes for
/// one (RFC 8725, section 3.11).
pub(super) const KIND: &str = "at+jwt";

/// What an access token says: who asks, since which sign-in, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: always [`ISSUER`].
    pub iss: String,
    /// Whom it is for: always [`AUDIENCE`].
    pub aud: String,
    /// The person.
    pub sub: UserId,
    /// The sign-in that it comes from.
    pub sid: SessionId,
    /// What the person may do.
    pub role: Role,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// It is not good before, in seconds since 1970.
    pub nbf: i64,
    /// It is not good from then on, in seconds since 1970.
    pub exp: i64,
    /// The guest this person was until a moment ago: what was the guest's is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<UserId>,
}

impl Claims {
    /// What a token says that is issued now, good for [`LIFE`].
    pub fn new(sub: UserId, sid: SessionId, role: Role, now: Timestamp) -> Self {
        let iat = now.as_millis().div_euclid(1000);
        Self {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub,
            sid,
            role,
            iat,
            nbf: iat,
            exp: now.plus(LIFE).as_millis().div_euclid(1000),
            merged_from: None,
        }
    }

    /// The token, signed with the Ed25519 key that `kid` names (RFC 8037).
    pub fn signed(&self, kid: &str, key: &EncodingKey) -> jsonwebtoken::errors::Result<String> {
        let header = Header {
            typ: Some(KIND.into()),
            kid: Some(kid.into()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, self, key)
    }

    /// When it was issued; never, when that is beyond all time.
    pub(super) fn issued_at(&self) -> Option<Timestamp> {
        seconds(self.iat)
    }

    /// From when on it is good; never, when that is beyond all time.
    pub(super) fn good_from(&self) -> Option<Timestamp> {
        seconds(self.nbf)
    }

    /// Until when it is good; one whose end is beyond all time never was.
    pub fn expires_at(&self) -> Timestamp {
        seconds(self.exp).unwrap_or_else(|| Timestamp::from_millis(0).expect("1970 is a time"))
    }
}

fn seconds(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_millis(seconds.checked_mul(1000)?).ok()
}
