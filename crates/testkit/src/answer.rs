//! What a service answered.

use std::ops::Index;

use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and path of what was asked.
    pub asked: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

impl Answer {
    /// What an ingress answers for a service of which nothing runs.
    pub(crate) fn unavailable(asked: String) -> Self {
        let (headers, text) = (HeaderMap::new(), "no replica runs".to_owned());
        Self { asked, status: 503, headers, text, body: Value::Null }
    }

    /// Whether what was asked for was done.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// This answer, which has to be a 2xx.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "most callers want no more of it")]
    pub fn ok(self) -> Self {
        assert!(self.is_ok(), "{}: {} {}", self.asked, self.status, self.text);
        self
    }

    /// This answer, which has to have this status.
    ///
    /// # Panics
    /// When it has another.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "most callers want no more of it")]
    pub fn status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self
    }

    /// A header, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The tag to give with `If-Match`.
    ///
    /// # Panics
    /// When the answer has none.
    #[track_caller]
    pub fn etag(&self) -> &str {
        self.header("etag").unwrap_or_else(|| panic!("{}: no ETag", self.asked))
    }

    /// The body as a type.
    ///
    /// # Panics
    /// When it does not fit.
    #[track_caller]
    pub fn parse<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{}: {error} in {}", self.asked, self.text))
    }

    /// A field of the body that is text.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn text_of(&self, field: &str) -> String {
        let text = self.body[field].as_str().map(str::to_owned);
        text.unwrap_or_else(|| panic!("{}: no text `{field}` in {}", self.asked, self.text))
    }
}

/// A field of the body; null when there is none.
impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.body[field]
    }
}
