//! How much one may ask in a while, as answers tell it (draft-ietf-httpapi-ratelimit-headers).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};

/// What is left, and when there is more.
pub(super) const RATE_LIMIT: &str = "ratelimit";
/// How much there is in all, in which time.
pub(super) const RATE_POLICY: &str = "ratelimit-policy";

/// A bound that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// What is bounded, such as `sign-in`: a token in lower case.
    pub name: &'static str,
    /// How often it may be asked.
    pub quota: u32,
    /// In how long a time.
    pub window: Duration,
    /// When there is more.
    pub reset: Duration,
}

impl RateLimit {
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let Self { name, quota, window, reset } = self;
        let policy = format!("\"{name}\";q={quota};w={}", whole(*window));
        let limit = format!("\"{name}\";r=0;t={}", whole(*reset));
        for (header, text) in [(RATE_POLICY, policy), (RATE_LIMIT, limit)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(header, value);
            }
        }
    }
}

/// In whole seconds, never too few.
fn whole(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
