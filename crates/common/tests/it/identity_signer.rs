//! Signs tokens as the auth service does, and as its attackers would like to.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::identity::Claims;
use contracts::auth::{Keys, PublicKey, Role};
use contracts::{SessionId, Timestamp, UserId};
use jsonwebtoken::EncodingKey;
use serde_json::Value;
use uuid::Uuid;

pub(crate) const ALICE: UserId = UserId::from_uuid(Uuid::from_u128(0xa11ce));
pub(crate) const SESSION: SessionId = SessionId::from_uuid(Uuid::from_u128(0x5e5));

/// A key pair and its name.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub(crate) fn new(kid: &'static str, seed: u8) -> Self {
        Self { kid, pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    pub(crate) fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.public())
    }

    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public half, as auth tells it.
    pub(crate) fn told(&self, not_before: Timestamp, not_after: Option<Timestamp>) -> PublicKey {
        PublicKey { kid: self.kid.into(), x: self.x(), not_before, not_after }
    }

    /// A token of the proper kind.
    pub(crate) fn sign(&self, claims: &Claims) -> String {
        let pkcs8 = self.pair.to_pkcs8v1().unwrap();
        claims.signed(self.kid, &EncodingKey::from_ed_der(pkcs8.as_ref())).unwrap()
    }

    /// Whatever header and claims, with a valid signature.
    pub(crate) fn sign_raw(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(crate) fn keys(keys: Vec<PublicKey>) -> Keys {
    Keys { set: "current".into(), keys }
}

pub(crate) fn claims(role: Role, now: Timestamp) -> Claims {
    Claims::new(ALICE, SESSION, role, now)
}
