//! Whatever is made of tokens, nobody is let in by what auth did not sign.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fuzz;

use super::*;

const NOON: i64 = 1_769_860_800;

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap()
}

/// Trusts one key, since noon, and waits for no other.
fn identity() -> Identity {
    let noon = Timestamp::from_millis(NOON * 1000).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair().public_key());
    let key = PublicKey { kid: "k-1".into(), x, not_before: noon, not_after: None };
    let identity = Identity::new(Clock::manual(noon));
    identity.install(&Keys { set: "current".into(), keys: vec![key] }, 1);
    identity.0.waiters.close();
    identity
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k-1" })
}

fn claims(role: &str) -> Value {
    json!({
        "iss": "souk", "aud": "souk", "sub": "usr_0190b0e1c7f67c3e9d1a2b3c4d5e6f70",
        "sid": "ses_0190b0e1c7f67c3e9d1a2b3c4d5e6f70", "role": role,
        "iat": NOON, "nbf": NOON, "exp": NOON + 300,
    })
}

fn signed(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(pair().sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn verified(identity: &Identity, token: &str) -> Result<Claims, Denied> {
    identity.verify(token).now_or_never().expect("nothing is waited for")
}

#[test]
fn whatever_is_made_of_a_token_only_the_token_itself_lets_somebody_in() {
    let identity = identity();
    let tokens = ["shopper", "admin"].map(|role| signed(&header(), &claims(role)));
    for token in &tokens {
        assert!(verified(&identity, token).is_ok());
    }

    fuzz::always(&fuzz::nearly_text(&tokens), |text| {
        let is_one = tokens.contains(&text);
        prop_assert_eq!(verified(&identity, &text).is_ok(), is_one);
        Ok(())
    });
}

#[test]
fn whatever_stands_in_authorization_only_a_token_lets_somebody_in() {
    let identity = identity();
    let token = signed(&header(), &claims("shopper"));
    let lines = fuzz::nearly(&[format!("Bearer {token}"), "Basic YTpi".to_owned(), token.clone()]);

    fuzz::always(&prop::collection::vec(lines, 0..3), |lines| {
        let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
        let headers: HeaderMap = values.map(|value| (AUTHORIZATION, value)).collect();
        let asked = identity.authenticate(&headers).now_or_never().expect("nothing is waited for");
        let bears = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains(&token));
        prop_assert!(asked.is_err() || (headers.len() == 1 && headers.values().all(bears)));
        prop_assert_eq!(asked == Err(Denied::Missing), headers.is_empty());
        Ok(())
    });
}

#[test]
fn whatever_is_signed_it_lets_in_only_whom_it_names_for_us_and_now() {
    let identity = identity();
    let heads = prop_oneof![2 => Just(vec![]), 1 => fuzz::choices()];

    fuzz::always(&(heads, fuzz::choices()), |(head, body)| {
        let (head, body) = (fuzz::json(&header(), &head), fuzz::json(&claims("shopper"), &body));
        if let Ok(said) = verified(&identity, &signed(&head, &body)) {
            let ours = head["alg"] == "EdDSA" && head["kid"] == "k-1" && head["crit"].is_null();
            prop_assert!(ours && body["iss"] == ISSUER && body["aud"] == AUDIENCE);
            prop_assert!(said.nbf <= NOON + 5 && said.iat <= NOON + 5 && said.exp > NOON - 5);
            prop_assert_eq!(&body["sub"], &said.sub.to_string());
        }
        Ok(())
    });
}
