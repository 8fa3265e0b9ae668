//! What a commit comes to, as an HTTP answer.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Problem;
use crate::store::{Answer, StoreError, UpdateError};

/// When to come back while the database is away, or too busy with the same things.
const SOON: Duration = Duration::from_secs(1);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Ok(status) = StatusCode::from_u16(self.status) else {
            tracing::error!(status = self.status, "an answer bears no HTTP status");
            return Problem::internal().into_response();
        };
        let kind = self.body.as_ref().map(|_| "application/json".to_owned());
        let after = self.retry_after.map(|seconds| seconds.to_string());
        let mut response = (status, self.body.map_or_else(Body::empty, Body::from)).into_response();
        let headers: [(HeaderName, Option<String>); 4] = [
            (CONTENT_TYPE, kind),
            (ETAG, self.etag),
            (LOCATION, self.location),
            (RETRY_AFTER, after),
        ];
        for (name, value) in headers {
            if let Some(value) = value.and_then(|text| HeaderValue::try_from(text).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl<R: Into<Self>> From<UpdateError<R>> for Problem {
    fn from(error: UpdateError<R>) -> Self {
        match error {
            UpdateError::Refused(refusal) => refusal.into(),
            UpdateError::KeyReused => Self::unprocessable("idempotency-key-reused")
                .because("this Idempotency-Key was used for another request"),
            UpdateError::Stale => Self::stale().because("it changed: read it again, then decide"),
            UpdateError::Busy => Self::unavailable(SOON).because("too many change this at once"),
            UpdateError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Away(_) | StoreError::Shut | StoreError::Newer { .. } => {
                Self::unavailable(SOON)
            }
            StoreError::TooLarge { .. } => {
                Self::unprocessable("too-large").because("this is too much at once: send less")
            }
            StoreError::Refused { .. }
            | StoreError::Unreadable { .. }
            | StoreError::Unwritable(_)
            | StoreError::OutOfScope { .. }
            | StoreError::Panicked { .. } => {
                tracing::error!(%error, "store failed");
                Self::internal()
            }
        }
    }
}
