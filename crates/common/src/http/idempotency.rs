//! Requests that may be sent twice (draft-ietf-httpapi-idempotency-key-header).

use std::fmt::Display;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::Problem;
use crate::store::{Cause, Receipt};

/// Where the key travels.
const HEADER: &str = "idempotency-key";
/// No key is longer.
const LONGEST: usize = 255;

/// The client's name for this asking: sent again, it has the effect of one.
///
/// 400 when it is missing or is not 1 to 255 visible ASCII characters, quoted or bare. Endpoints
/// that can do without take `Option<IdempotencyKey>`.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    key: String,
    /// Method, path and query: with the body they tell this request from any other.
    target: String,
    cause: Cause,
}

impl IdempotencyKey {
    /// The receipt of this asking by `subject`, which is told by its body from any other asking.
    pub fn by(&self, subject: impl Display, body: &impl Serialize) -> Receipt {
        let body = serde_json::to_value(body).unwrap_or_default();
        let print = digest(&SHA256, format!("{}\n{body}", self.target).as_bytes());
        let print = URL_SAFE_NO_PAD.encode(print);
        Receipt::http(&subject.to_string(), &self.key, print, self.cause.clone())
    }

    /// What led to the change.
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        key.ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-required")
                .because("send an Idempotency-Key, and the same one with every repeat")
        })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        let Some(key) = key(&parts.headers)? else { return Ok(None) };
        let address = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
        let target = format!("{} {address}", parts.method);
        let cause = Cause::from_request_parts(parts, state).await?;
        Ok(Some(Self { key, target, cause }))
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut lines = headers.get_all(HEADER).iter();
    let Some(first) = lines.next() else { return Ok(None) };
    let given = first.to_str().ok().filter(|_| lines.next().is_none()).and_then(plain);
    given.map(Some).ok_or_else(|| {
        let detail = format!("an Idempotency-Key is 1 to {LONGEST} visible ASCII characters");
        Problem::malformed().because(detail)
    })
}

/// The key itself: an sf-string (RFC 8941, section 3.3.3) without its quotes, or as it is.
fn plain(value: &str) -> Option<String> {
    let value = value.trim();
    let key = match value.strip_prefix('"') {
        Some(rest) => unescaped(rest.strip_suffix('"')?)?,
        None => value.to_owned(),
    };
    let visible = key.bytes().all(|b| b.is_ascii_graphic());
    ((1..=LONGEST).contains(&key.len()) && visible).then_some(key)
}

fn unescaped(text: &str) -> Option<String> {
    let mut rest = text.chars();
    let mut key = String::with_capacity(text.len());
    while let Some(next) = rest.next() {
        key.push(match next {
            '\\' => rest.next().filter(|c| matches!(c, '"' | '\\'))?,
            '"' => return None,
            plain => plain,
        });
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    #[test]
    fn a_key_is_the_same_quoted_or_bare() {
        for (value, key) in [
            ("8e03978e-40d5-43e8", Some("8e03978e-40d5-43e8")),
            ("\"8e03978e-40d5-43e8\"", Some("8e03978e-40d5-43e8")),
            (r#""a\"b\\c""#, Some(r#"a"b\c"#)),
            ("", None),
            ("\"\"", None),
            ("\"", None),
            ("a b", None),
            (r#""a"b""#, None),
            (r#""a\b""#, None),
            ("\"a", None),
        ] {
            assert_eq!(plain(value).as_deref(), key, "{value}");
        }
        assert!(plain(&"k".repeat(255)).is_some());
        assert!(plain(&"k".repeat(256)).is_none());
    }

    fn quoted(key: &str) -> String {
        format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
    }

    proptest! {
        #[test]
        fn a_quoted_key_means_what_it_quotes(key in "[!-~]{1,255}") {
            prop_assert_eq!(plain(&quoted(&key)), Some(key));
        }
    }

    #[test]
    fn whatever_the_header_it_is_refused_or_is_one_key() {
        let samples = ["8e03978e-40d5-43e8", r#""a\"b\\c""#, &"k".repeat(LONGEST)];
        let lines = prop::collection::vec(fuzz::nearly(&samples), 0..3);

        fuzz::always(&lines, |lines| {
            let name = HeaderName::from_static(HEADER);
            let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
            let headers: HeaderMap = values.map(|value| (name.clone(), value)).collect();
            match key(&headers) {
                Ok(None) => prop_assert!(headers.is_empty()),
                Ok(Some(key)) => {
                    prop_assert!(headers.len() == 1 && (1..=LONGEST).contains(&key.len()));
                    prop_assert_eq!(plain(&quoted(&key)), Some(key));
                }
                Err(problem) => prop_assert_eq!(problem.status(), 400),
            }
            Ok(())
        });
    }
}
