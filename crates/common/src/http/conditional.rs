//! Versions in requests and answers (RFC 9110, sections 8.8.3 and 13.1.1).

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Json, Problem};
use crate::store::{ETag, IfMatch};

/// What the thing must still be, on an edit that may not go without saying so: 428 when the
/// request does not (RFC 6585, section 3), 400 when it says nothing that reads.
#[derive(Clone, Debug)]
pub struct RequiredIfMatch(pub IfMatch);

/// A thing and the version of it that is shown.
#[derive(Clone, Debug)]
pub struct Tagged<T>(pub ETag, pub T);

impl<S: Sync> FromRequestParts<S> for RequiredIfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if_match(&parts.headers)?.map(Self).ok_or_else(Problem::precondition_required)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        if_match(&parts.headers)
    }
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        if let Ok(tag) = HeaderValue::try_from(self.0.to_string()) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

/// Several `If-Match` lines are one list (RFC 9110, section 5.3).
fn if_match(headers: &HeaderMap) -> Result<Option<IfMatch>, Problem> {
    let lines: Result<Vec<_>, _> =
        headers.get_all(IF_MATCH).iter().map(HeaderValue::to_str).collect();
    let lines = lines.map_err(|_| Problem::malformed().because("If-Match is not ASCII"))?;
    if lines.is_empty() {
        return Ok(None);
    }
    let read = IfMatch::parse(&lines.join(", "));
    read.map(Some).map_err(|error| Problem::malformed().because(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    const SHOWN: &str = r#""3-0a1b2c3d""#;

    #[test]
    fn whatever_if_match_says_only_a_version_that_it_names_fits() {
        let tag = ETag::new(3, "0a1b2c3d");
        let samples = ["*", SHOWN, r#"W/"3-0a1b2c3d", "4-0a1b2c3d""#, "\"4-ffffffff\","];
        let lines = prop::collection::vec(fuzz::nearly(&samples), 0..4);

        fuzz::always(&lines, |lines| {
            let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
            let headers: HeaderMap = values.map(|value| (IF_MATCH, value)).collect();
            let fits = |text: &str| text.trim() == "*" || text.contains(SHOWN);
            let named = || headers.values().any(|it| it.to_str().is_ok_and(fits));
            match if_match(&headers) {
                Ok(None) => prop_assert!(headers.is_empty()),
                Ok(Some(read)) => prop_assert!(!read.matches(&tag) || named()),
                Err(problem) => prop_assert_eq!(problem.status(), 400),
            }
            Ok(())
        });
    }
}
