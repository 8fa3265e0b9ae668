//! What led to a change: the request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::call::present;
use super::{Call, Problem};
use crate::store::Cause;

impl From<&Call> for Cause {
    fn from(call: &Call) -> Self {
        Self {
            correlation_id: call.request_id().to_owned(),
            causation_id: call.request_id().to_owned(),
            traceparent: Some(call.traceparent().to_string()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Cause {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        present::<Call>(parts).map(|call| Self::from(&call))
    }
}
