//! An answer that can be given again, word for word.

use serde::{Deserialize, Serialize};

use super::ETag;

/// What a caller is told: rendered before the commit and kept in its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The version that the body shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Where the thing can be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When to ask again, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Answer {
    /// An answer with a body.
    pub fn new(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("a view is plain JSON");
        Self { body: Some(body), ..Self::empty(status) }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, body: None, etag: None, location: None, retry_after: None }
    }

    /// Bears the version that the body shows.
    #[must_use]
    pub fn tagged(self, tag: &ETag) -> Self {
        Self { etag: Some(tag.to_string()), ..self }
    }

    /// Says where the thing can be found.
    #[must_use]
    pub fn located(self, path: impl Into<String>) -> Self {
        Self { location: Some(path.into()), ..self }
    }

    /// Says when to ask again.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}
