//! Who is asking: extractors that let in only those who may.

use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use contracts::auth::Role;
use contracts::{SessionId, Timestamp, UserId};

use super::{Claims, Denied, Identity};
use crate::http::{Problem, present};

/// Anyone who is signed in, guests included; 401 for others, and 503 while no keys are known.
///
/// As an `Option` it is `None` for a request without a token; a bad one is refused all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shopper {
    /// The person.
    pub id: UserId,
    /// The sign-in.
    pub session: SessionId,
    /// What they may do.
    pub role: Role,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// The guest this person was until a moment ago: what was the guest's is theirs.
    pub merged_from: Option<UserId>,
}

/// One who minds the shop, whether staff or admin; 403 for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff(pub Shopper);

/// One who minds people and roles; 403 for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin(pub Shopper);

impl Shopper {
    /// Whether they mind the shop.
    pub fn is_staff(&self) -> bool {
        match self.role {
            Role::Staff | Role::Admin => true,
            Role::Guest | Role::Shopper | Role::Unknown => false,
        }
    }

    /// Whether they have no account: guests become part of accounts, and nobody of a guest.
    pub fn is_guest(&self) -> bool {
        self.role == Role::Guest
    }
}

impl Identity {
    /// What the token of a request says, if it is good; for endpoints that go on without.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Claims, Denied> {
        let token = bearer(headers)?.ok_or(Denied::Missing)?;
        self.verify(token).await
    }
}

impl From<Claims> for Shopper {
    fn from(claims: Claims) -> Self {
        Self {
            id: claims.sub,
            session: claims.sid,
            role: claims.role,
            expires_at: claims.expires_at(),
            merged_from: claims.merged_from,
        }
    }
}

impl Deref for Staff {
    type Target = Shopper;

    fn deref(&self) -> &Shopper {
        &self.0
    }
}

impl Deref for Admin {
    type Target = Shopper;

    fn deref(&self) -> &Shopper {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Shopper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let identity: Identity = present(parts)?;
        let shopper = Self::from(identity.authenticate(&parts.headers).await?);
        if shopper.role == Role::Unknown {
            return Err(Problem::forbidden());
        }
        parts.extensions.insert(shopper.clone());
        Ok(shopper)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Shopper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        if parts.headers.contains_key(AUTHORIZATION) {
            <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let shopper = <Shopper as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        if shopper.is_staff() { Ok(Self(shopper)) } else { Err(Problem::forbidden()) }
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let shopper = <Shopper as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        if shopper.role == Role::Admin { Ok(Self(shopper)) } else { Err(Problem::forbidden()) }
    }
}

/// The token of RFC 6750, section 2.1; `None` when nobody claims to be signed in.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let text = Some(line).filter(|_| lines.next().is_none()).and_then(as_text);
    let (scheme, token) = text.and_then(|text| text.split_once(' ')).ok_or(Denied::Invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim()))
    } else {
        Err(Denied::Invalid)
    }
}

fn as_text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}
