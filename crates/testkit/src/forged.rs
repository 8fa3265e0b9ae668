//! Access tokens that let nobody in, for every service to be tried with (RFC 8725; RFC 9068).

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::Role;
use contracts::{SessionId, Timestamp, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Request;

/// The secret key of RFC 8037, appendix A.1.
pub const RFC_8037: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
/// Signs what nobody trusts.
const STRANGER: [u8; 32] = [9; 32];
const PERSON: UserId = UserId::from_uuid(Uuid::from_u128(0xa11ce));
/// How long a good token lasts, in seconds.
const LIFE: i64 = 300;

/// Has the key that a service trusts, and makes of it what the service is not to trust.
pub struct Forger {
    kid: String,
    key: Ed25519KeyPair,
    /// In seconds since 1970.
    now: i64,
}

/// A token that lets nobody in, and what is wrong with it.
pub type Forged = (&'static str, String);

impl Forger {
    /// Has this key, which a service trusts under this name, at this time.
    ///
    /// # Panics
    /// Never: 32 bytes are a key.
    pub fn new(kid: impl Into<String>, secret: &[u8; 32], now: Timestamp) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(secret).expect("32 bytes are a seed");
        Self { kid: kid.into(), key, now: now.as_millis() / 1000 }
    }

    /// A good token of an administrator's sign-in.
    pub fn good(&self, session: SessionId) -> String {
        self.signed(&self.header(), &self.claims(session))
    }

    /// Tries to get in: with a good token somebody is known, with each of the others nobody is.
    ///
    /// # Panics
    /// When somebody is let in, or anything else is answered than 401.
    pub async fn tries(&self, ask: impl Fn() -> Request) {
        let good = ask().bearer(&self.good(SessionId::from_uuid(Uuid::from_u128(1)))).await;
        assert!(!matches!(good.status, 401 | 403), "a good token: {}", good.text);
        for (wrong, token) in self.all() {
            let answer = ask().bearer(&token).await;
            assert_eq!(answer.status, 401, "{wrong}: {}", answer.text);
            assert_eq!(answer["type"], "urn:souk:problem:unauthorized", "{wrong}");
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer"), "{wrong}: {challenge}");
            assert!(token.len() < 8 || !answer.text.contains(&token), "{wrong}: {}", answer.text);
        }
    }

    /// Every token that lets nobody in.
    pub fn all(&self) -> Vec<Forged> {
        [self.headers(), self.keys(), self.said(), self.times(), self.broken()].concat()
    }

    /// Another algorithm, kind or key in the header; the signature is right wherever it can be.
    fn headers(&self) -> Vec<Forged> {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": public(&stranger()) });
        [
            ("alg none, and a signature", "alg", json!("none")),
            ("alg HS256, and the signature of EdDSA", "alg", json!("HS256")),
            ("alg ES256", "alg", json!("ES256")),
            ("no alg", "alg", Value::Null),
            ("no typ", "typ", Value::Null),
            ("typ of an identity token", "typ", json!("JWT")),
            ("typ of another token", "typ", json!("refresh+jwt")),
            ("no kid", "kid", Value::Null),
            ("an unknown kid", "kid", json!("nobody-knows")),
            ("a kid that is a path", "kid", json!("../../../../dev/null")),
            ("a kid that is a query", "kid", json!("' OR '1'='1")),
            ("a kid that is no text", "kid", json!({ "$ne": null })),
            ("something critical", "crit", json!(["exp"])),
            ("a key that it carries", "jwk", jwk),
            ("a key that it points to", "jku", json!("https://evil.example/keys")),
        ]
        .map(|(wrong, name, value)| {
            let carried = matches!(name, "jwk" | "jku");
            let header = with(self.header(), name, value);
            let claims = self.some_claims();
            let strange = || sign(&stranger(), &header, &claims);
            (wrong, if carried { strange() } else { self.signed(&header, &claims) })
        })
        .into()
    }

    /// Signed with what is no secret, or with nothing.
    fn keys(&self) -> Vec<Forged> {
        let (claims, x) = (self.some_claims(), public(&self.key));
        let hs256 = with(self.header(), "alg", json!("HS256"));
        let mac = |secret: &[u8]| {
            let message = message(&hs256, &claims);
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
        };
        let unsigned = |alg: &str| message(&with(self.header(), "alg", json!(alg)), &claims) + ".";
        vec![
            ("alg none, unsigned", unsigned("none")),
            ("alg None, unsigned", unsigned("None")),
            ("alg EdDSA, unsigned", unsigned("EdDSA")),
            ("HS256 with the public key", mac(self.key.public_key().as_ref())),
            ("HS256 with the public key as text", mac(x.as_bytes())),
            ("HS256 with nothing", mac(b"")),
            ("another's key", sign(&stranger(), &self.header(), &claims)),
        ]
    }

    /// Well signed, and not for us.
    fn said(&self) -> Vec<Forged> {
        [
            ("another issuer", "iss", json!("evil")),
            ("several issuers", "iss", json!(["souk", "evil"])),
            ("no issuer", "iss", Value::Null),
            ("another audience", "aud", json!("bank")),
            ("several audiences", "aud", json!(["bank", "souk"])),
            ("no audience", "aud", Value::Null),
            ("nobody", "sub", Value::Null),
            ("somebody who is a sign-in", "sub", json!(SessionId::from_uuid(Uuid::nil()))),
            ("somebody who is a query", "sub", json!({ "$ne": null })),
            ("no sign-in", "sid", Value::Null),
            ("no role", "role", Value::Null),
            ("several roles", "role", json!(["shopper", "admin"])),
        ]
        .map(|(wrong, name, value)| (wrong, self.claiming(name, value)))
        .into()
    }

    /// Well signed, and not good now.
    fn times(&self) -> Vec<Forged> {
        let now = self.now;
        [
            ("no end", "exp", Value::Null),
            ("an end that is no time", "exp", json!("tomorrow")),
            ("an end beyond numbers", "exp", json!(1e300)),
            ("just over", "exp", json!(now - 10)),
            ("long over", "exp", json!(0)),
            ("not yet good", "nbf", json!(now + 30)),
            ("no beginning", "nbf", Value::Null),
            ("issued tomorrow", "iat", json!(now + 86_400)),
            ("issued at no time", "iat", Value::Null),
        ]
        .map(|(wrong, name, value)| (wrong, self.claiming(name, value)))
        .into()
    }

    /// Not as it was signed, or no token at all.
    fn broken(&self) -> Vec<Forged> {
        let token =
            self.signed(&self.header(), &with(self.some_claims(), "role", json!("shopper")));
        let parts: Vec<_> = token.split('.').collect();
        let [head, claims, signature] = parts[..] else { unreachable!("three parts") };
        let admin = part(&self.some_claims());
        let other_head = part(&with(self.header(), "x", json!(1)));
        let large = with(self.some_claims(), "filler", json!("x".repeat(5_000)));
        vec![
            ("a tampered role", format!("{head}.{admin}.{signature}")),
            ("a tampered header", format!("{other_head}.{claims}.{signature}")),
            ("a tampered signature", format!("{head}.{claims}.{}", swapped(signature))),
            ("the signature cut short", token[..token.len() - 4].to_owned()),
            ("the signature cut off", format!("{head}.{claims}")),
            ("half of it", token[..token.len() / 2].to_owned()),
            ("the header alone", head.to_owned()),
            ("one part more", format!("{token}.{signature}")),
            ("twice", format!("{token}.{token}")),
            ("padded", format!("{token}==")),
            ("nonsense", "a.b.c".to_owned()),
            ("dots", "..".to_owned()),
            ("more than any token has", self.signed(&self.header(), &large)),
        ]
    }

    fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.kid })
    }

    fn claims(&self, session: SessionId) -> Value {
        json!({
            "iss": "souk", "aud": "souk", "sub": PERSON, "sid": session, "role": Role::Admin,
            "iat": self.now, "nbf": self.now, "exp": self.now + LIFE,
        })
    }

    fn some_claims(&self) -> Value {
        self.claims(SessionId::from_uuid(Uuid::from_u128(2)))
    }

    /// Well signed, but for one claim; without it when `value` is null.
    fn claiming(&self, name: &str, value: Value) -> String {
        self.signed(&self.header(), &with(self.some_claims(), name, value))
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        sign(&self.key, header, claims)
    }
}

impl fmt::Debug for Forger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Forger({})", self.kid)
    }
}

fn stranger() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&STRANGER).expect("32 bytes are a seed")
}

fn public(key: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(key.public_key().as_ref())
}

fn sign(key: &Ed25519KeyPair, header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", part(header), part(claims))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// With another member; without it when `value` is null.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(object.as_object_mut().map(|members| members.remove(name))),
        value => object[name] = value,
    }
    object
}

/// With its first character replaced, so that other bytes are meant.
fn swapped(signature: &str) -> String {
    let first = if signature.starts_with('A') { "B" } else { "A" };
    format!("{first}{}", &signature[1..])
}
