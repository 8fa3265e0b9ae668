//! Signed webhooks: only who knows the secret can send one.
//!
//! The signature travels in a header, as Stripe defines it: `t=<seconds since 1970>,v1=<hex>`, where
//! `v1` is the HMAC-SHA256 of `<t>.<body>`. There may be several `v1`; one that fits will do.

use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use axum::http::HeaderMap;
use contracts::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Forged;

/// An older webhook may be a repeat by somebody who overheard it.
const TOLERANCE: Duration = Duration::from_mins(5);

/// Signs webhooks with a secret.
#[derive(Clone)]
pub(super) struct Signer(Key);

impl Signer {
    pub(super) fn new(secret: &SecretString) -> Self {
        Self(key(secret))
    }

    /// The value of the header for this body.
    pub(super) fn sign(&self, body: &[u8], now: Timestamp) -> String {
        let seconds = now.as_millis().div_euclid(1000);
        let tag = sign(&self.0, &message(&seconds.to_string(), body));
        format!("t={seconds},v1={}", hex(tag.as_ref()))
    }
}

/// Tells webhooks that were signed with one of its secrets from others; while a secret is being
/// replaced there are two.
#[derive(Clone)]
pub(super) struct Verifier {
    header: &'static str,
    keys: Vec<Key>,
}

impl Verifier {
    /// For signatures that travel in this header.
    pub(super) fn new<'a>(
        header: &'static str,
        secrets: impl IntoIterator<Item = &'a SecretString>,
    ) -> Self {
        Self { header, keys: secrets.into_iter().map(key).collect() }
    }

    /// Whether a body was signed with one of the secrets, a short while ago.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Forged> {
        let header = headers.get(self.header).and_then(|value| value.to_str().ok());
        let header = header.ok_or(Forged::Unsigned)?;
        let seconds = fields(header, "t").next().ok_or(Forged::Unsigned)?;
        let signed_at = time(seconds).ok_or(Forged::Unsigned)?;
        let message = message(seconds, body);
        let fits = |tag: &str| {
            // In constant time, as `verify` compares.
            let by = |tag: Vec<u8>| self.keys.iter().any(|key| verify(key, &message, &tag).is_ok());
            bytes(tag).is_some_and(by)
        };
        if !fields(header, "v1").any(fits) {
            return Err(Forged::Mismatch);
        }
        let apart = now.since(signed_at).max(signed_at.since(now));
        if apart > TOLERANCE { Err(Forged::OutOfTime) } else { Ok(()) }
    }
}

/// Bytes as text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn key(secret: &SecretString) -> Key {
    Key::new(HMAC_SHA256, secret.expose_secret().as_bytes())
}

fn message(seconds: &str, body: &[u8]) -> Vec<u8> {
    [seconds.as_bytes(), b".", body].concat()
}

fn fields<'a>(header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    header.split(',').filter_map(move |field| {
        let (key, value) = field.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

fn time(seconds: &str) -> Option<Timestamp> {
    let millis = seconds.parse::<i64>().ok()?.checked_mul(1000)?;
    Timestamp::from_millis(millis).ok()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let whole = digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
    if whole { digits.chunks(2).map(pair).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    const HEADER: &str = "a-signature";

    fn signer() -> Signer {
        Signer::new(&"a secret".into())
    }

    fn noon() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn verifier() -> Verifier {
        Verifier::new(HEADER, [&"a secret".into(), &"its successor".into()])
    }

    fn check(header: &str, body: &[u8], now: Timestamp) -> Result<(), Forged> {
        let value = HeaderValue::from_str(header).unwrap();
        let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), value)]);
        verifier().check(&headers, body, now)
    }

    #[test]
    fn what_was_signed_a_moment_ago_is_trusted() {
        let header = signer().sign(b"{}", noon());

        assert_eq!(check(&header, b"{}", noon().plus(TOLERANCE)), Ok(()));
        assert_eq!(check(&format!("{header},v1=00"), b"{}", noon()), Ok(()));
    }

    #[test]
    fn either_of_two_secrets_will_do() {
        let next = Signer::new(&"its successor".into()).sign(b"{}", noon());
        let both = format!("{next},{}", signer().sign(b"{}", noon()));

        assert_eq!(check(&next, b"{}", noon()), Ok(()));
        assert_eq!(check(&both, b"{}", noon()), Ok(()));
        assert_eq!(check(&format!("v0=00,{next},v1=xyz"), b"{}", noon()), Ok(()));
    }

    #[test]
    fn what_was_changed_or_is_old_is_not() {
        let header = signer().sign(b"{}", noon());
        let other = Signer::new(&"another".into()).sign(b"{}", noon());
        let late = noon().plus(TOLERANCE).plus(Duration::from_secs(1));
        let moved = header.replacen("t=", "t=1", 1);

        assert_eq!(check(&header, b"{ }", noon()), Err(Forged::Mismatch));
        assert_eq!(check(&other, b"{}", noon()), Err(Forged::Mismatch));
        assert_eq!(check(&moved, b"{}", noon()), Err(Forged::Mismatch));
        assert_eq!(check(&header, b"{}", late), Err(Forged::OutOfTime));
        let early = noon().minus(Duration::from_mins(6));
        assert_eq!(check(&header, b"{}", early), Err(Forged::OutOfTime));
        assert_eq!(verifier().check(&HeaderMap::new(), b"{}", noon()), Err(Forged::Unsigned));
    }

    #[test]
    fn whatever_the_header_and_the_body_only_what_was_signed_is_trusted() {
        const BODY: &[u8] = br#"{"id":"evt_1","type":"charge.captured"}"#;
        let one = signer().sign(BODY, noon());
        let next = Signer::new(&"its successor".into()).sign(BODY, noon());
        let tags = [&one, &next].map(|header| header.replace("t=1769860800,v1=", ""));
        let headers = fuzz::nearly(&[one.clone(), format!("{one},v1=00"), format!("{next},{one}")]);
        let bodies = prop_oneof![2 => Just(BODY.to_vec()), 1 => fuzz::nearly(&[BODY])];

        fuzz::always(&(headers, bodies), |(header, body)| {
            let Ok(value) = HeaderValue::from_bytes(&header) else { return Ok(()) };
            let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), value)]);
            if verifier().check(&headers, &body, noon()).is_ok() {
                let header = String::from_utf8_lossy(&header).to_lowercase();
                prop_assert_eq!(body, BODY);
                prop_assert!(header.contains("t=1769860800"));
                prop_assert!(tags.iter().any(|tag| header.contains(tag)));
            }
            Ok(())
        });
    }
}
