//! Content codings of request bodies (RFC 9110, sections 8.4 and 15.5.16).

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};

use super::Problem;

/// The one coding that is read: none.
const IDENTITY: &str = "identity";

/// The refusal of a body with a content coding, such as gzip: 415 with `Accept-Encoding`.
pub(super) fn refusal(request: &Request) -> Option<Response> {
    let refused = !request.body().is_end_stream() && is_coded(request.headers());
    refused.then(|| {
        let detail = "send the body without a Content-Encoding";
        let mut response = Problem::unsupported_media_type().because(detail).into_response();
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(IDENTITY));
        response
    })
}

fn is_coded(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| {
        let coding = coding.trim_ascii();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(IDENTITY.as_bytes())
    })
}
