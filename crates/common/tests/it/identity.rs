//! Access tokens, good and forged (RFC 8725).

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::Clock;
use common::identity::{Claims, Denied, Identity, LIFE};
use contracts::auth::Role;
use contracts::{SessionId, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::identity_signer::{ALICE, SESSION, Signer, claims, keys, part};

const SECOND: Duration = Duration::from_secs(1);

fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn signer() -> Signer {
    Signer::new("k-1", 1)
}

/// Knows one key, since an hour.
fn identity(clock: &Clock) -> Identity {
    let identity = Identity::new(clock.clone());
    let told = signer().told(noon().minus(Duration::from_hours(1)), None);
    identity.install(&keys(vec![told]), 1);
    identity
}

fn good() -> Claims {
    claims(Role::Shopper, noon())
}

fn header() -> Value {
    json!({"typ": "at+jwt", "alg": "EdDSA", "kid": "k-1"})
}

/// The header of a good token, but for one member.
fn header_with(name: &str, value: Value) -> Value {
    let mut header = header();
    header[name] = value;
    header
}

/// What a good token says, but for one claim; without it when `value` is null.
fn claims_with(name: &str, value: Value) -> Value {
    let mut said = serde_json::to_value(good()).unwrap();
    match value {
        Value::Null => drop(said.as_object_mut().unwrap().remove(name)),
        value => said[name] = value,
    }
    said
}

fn seconds(time: Timestamp) -> i64 {
    time.as_millis() / 1000
}

#[tokio::test]
async fn a_good_token_says_who_asks() {
    let identity = identity(&Clock::manual(noon()));

    let said = identity.verify(&signer().sign(&good())).await;

    assert_eq!(said, Ok(good()));
}

#[tokio::test]
async fn forged_headers_let_nobody_in() {
    let identity = identity(&Clock::manual(noon()));
    let said = serde_json::to_value(good()).unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": Signer::new("evil", 9).x()});

    for header in [
        header_with("alg", json!("none")),
        header_with("alg", json!("None")),
        header_with("alg", json!("HS256")),
        header_with("alg", json!("ES256")),
        header_with("alg", json!("EdDSA ")),
        header_with("alg", Value::Null),
        header_with("typ", json!("refresh+jwt")),
        header_with("typ", json!("dpop+jwt")),
        header_with("typ", Value::Null),
        header_with("kid", Value::Null),
        header_with("kid", json!(7)),
        header_with("crit", json!(["exp"])),
    ] {
        let denied = identity.verify(&signer().sign_raw(&header, &said)).await;

        assert_eq!(denied, Err(Denied::Invalid), "{header}");
    }
    for carried in [header_with("jwk", jwk), header_with("jku", json!("https://evil.example"))] {
        let denied = identity.verify(&Signer::new("k-1", 9).sign_raw(&carried, &said)).await;

        assert_eq!(denied, Err(Denied::Invalid), "{carried}");
    }
}

#[tokio::test]
async fn a_token_without_a_signature_lets_nobody_in() {
    let identity = identity(&Clock::manual(noon()));
    let said = part(&serde_json::to_value(good()).unwrap());
    let none = part(&header_with("alg", json!("none")));

    for token in [format!("{none}.{said}."), format!("{none}.{said}"), format!("{said}.")] {
        assert_eq!(identity.verify(&token).await, Err(Denied::Invalid), "{token}");
    }
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let identity = identity(&Clock::manual(noon()));
    let said = part(&serde_json::to_value(good()).unwrap());
    let x = signer().x();

    for secret in [signer().public(), x.as_bytes()] {
        for header in [header_with("alg", json!("HS256")), header()] {
            let message = format!("{}.{said}", part(&header));
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));

            let denied = identity.verify(&format!("{message}.{signature}")).await;

            assert_eq!(denied, Err(Denied::Invalid), "{header}");
        }
    }
}

#[tokio::test]
async fn claims_that_are_not_ours_let_nobody_in() {
    let identity = identity(&Clock::manual(noon()));

    for (name, value) in [
        ("iss", json!("evil")),
        ("iss", json!(["souk", "evil"])),
        ("iss", Value::Null),
        ("aud", json!("bank")),
        ("aud", json!(["bank", "souk"])),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("exp", json!(1e300)),
        ("nbf", Value::Null),
        ("nbf", json!(seconds(noon()) + 6)),
        ("nbf", json!(i64::MAX)),
        ("iat", json!(seconds(noon()) + 6)),
        ("iat", json!(i64::MAX)),
        ("iat", Value::Null),
        ("iat", json!(seconds(noon()) - 3606)),
        ("sub", Value::Null),
        ("sub", json!(SESSION)),
        ("sub", json!({"$ne": null})),
        ("sid", Value::Null),
        ("sid", json!(ALICE)),
        ("role", Value::Null),
        ("role", json!(["admin"])),
    ] {
        let said = claims_with(name, value);
        let denied = identity.verify(&signer().sign_raw(&header(), &said)).await;

        assert_eq!(denied, Err(Denied::Invalid), "{said}");
    }
}

#[tokio::test]
async fn a_token_that_was_tampered_with_lets_nobody_in() {
    let identity = identity(&Clock::manual(noon()));
    let token = signer().sign(&good());
    let [head, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let admin = part(&claims_with("role", json!("admin")));

    let tampered = format!("{head}.{admin}.{signature}");

    assert_eq!(identity.verify(&tampered).await, Err(Denied::Invalid));
    for end in 0..token.len() {
        let cut = token.get(..end).unwrap();
        assert_eq!(identity.verify(cut).await, Err(Denied::Invalid), "{cut}");
    }
    for text in ["", ".", "..", "...", "a.b.c", "\0.\0.\0", "Bearer", &format!("{token}.{token}")] {
        assert_eq!(identity.verify(text).await, Err(Denied::Invalid), "{text}");
    }
}

#[tokio::test]
async fn an_oversized_token_is_not_even_read() {
    let identity = identity(&Clock::manual(noon()));
    let mut said = serde_json::to_value(good()).unwrap();
    said["filler"] = json!("x".repeat(4096));

    let denied = identity.verify(&signer().sign_raw(&header(), &said)).await;

    assert_eq!(denied, Err(Denied::Invalid));
}

#[tokio::test]
async fn a_token_ends() {
    let clock = Clock::manual(noon());
    let identity = identity(&clock);
    let token = signer().sign(&good());

    clock.advance(LIFE + 4 * SECOND);
    assert!(identity.verify(&token).await.is_ok(), "clocks may differ a little");
    clock.advance(SECOND);

    assert_eq!(identity.verify(&token).await, Err(Denied::Expired));
}

#[tokio::test]
async fn a_sign_in_that_ended_lets_nobody_in() {
    let identity = identity(&Clock::manual(noon()));
    let other = SessionId::from_uuid(Uuid::from_u128(7));

    identity.revoke(SESSION);

    assert_eq!(identity.verify(&signer().sign(&good())).await, Err(Denied::Revoked));
    let of_other = Claims { sid: other, ..good() };
    assert!(identity.verify(&signer().sign(&of_other)).await.is_ok());
}

#[tokio::test]
async fn without_keys_nobody_can_be_let_in() {
    let identity = Identity::new(Clock::manual(noon()));

    assert!(!identity.is_ready());
    assert_eq!(identity.verify(&signer().sign(&good())).await, Err(Denied::NoKeys));
}

#[tokio::test]
async fn a_newer_set_replaces_the_older() {
    let identity = identity(&Clock::manual(noon()));
    let second = Signer::new("k-2", 2);
    let token = signer().sign(&good());

    identity.install(&keys(vec![second.told(noon(), None)]), 3);
    identity.install(&keys(vec![signer().told(noon(), None)]), 2);

    assert!(identity.verify(&second.sign(&good())).await.is_ok());
    assert_eq!(identity.verify(&token).await, Err(Denied::Invalid));
}

#[tokio::test]
async fn a_key_is_trusted_only_in_its_time() {
    let clock = Clock::manual(noon());
    let identity = Identity::new(clock.clone());
    let until = noon().plus(60 * SECOND);
    identity.install(&keys(vec![signer().told(noon(), Some(until))]), 1);
    let too_early = claims(Role::Shopper, noon().minus(10 * SECOND));

    assert!(identity.verify(&signer().sign(&good())).await.is_ok());
    assert_eq!(identity.verify(&signer().sign(&too_early)).await, Err(Denied::Invalid));
    clock.advance(66 * SECOND);

    assert_eq!(identity.verify(&signer().sign(&good())).await, Err(Denied::Invalid));
}

#[tokio::test]
async fn a_token_that_is_faster_than_its_key_waits_for_it() {
    let identity = identity(&Clock::manual(noon()));
    let second = Signer::new("k-2", 2);
    let token = second.sign(&good());

    let (said, ()) = tokio::join!(identity.verify(&token), async {
        identity.install(&keys(vec![second.told(noon(), None)]), 2);
    });

    assert_eq!(said, Ok(good()));
}

#[tokio::test]
async fn a_token_of_an_unknown_key_waits_a_second_at_most() {
    let identity = identity(&Clock::manual(noon()));
    let token = Signer::new("k-9", 9).sign(&good());
    let started = Instant::now();

    let many = (0..200).map(|_| identity.verify(&token));
    let denied = futures_util::future::join_all(many).await;

    assert!(denied.iter().all(|denied| *denied == Err(Denied::Invalid)));
    assert!(started.elapsed() < 3 * SECOND);
}

#[tokio::test]
async fn a_role_of_a_later_version_is_read_as_unknown() {
    let identity = identity(&Clock::manual(noon()));
    let said = claims_with("role", json!("auditor"));

    let claims = identity.verify(&signer().sign_raw(&header(), &said)).await.unwrap();

    assert_eq!(claims.role, Role::Unknown);
}
