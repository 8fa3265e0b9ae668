//! An HTTP client that reads like what it asks.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::documents::undocumented;
use crate::events::Events;
use crate::fleet::Replicas;

/// Longer than the longest poll.
const TIMEOUT: Duration = Duration::from_secs(40);
const CONNECTING: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 3;

/// Asks a running shop, as one person or as nobody.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    shop: Shop,
    token: Option<String>,
}

/// Where the shop is.
#[derive(Clone, Debug)]
enum Shop {
    /// Behind one address.
    At(String),
    /// In the replicas of its services.
    Fleet(Arc<Replicas>),
}

impl Client {
    /// The access token it asks with; empty when it is nobody's.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Asks one address, such as `http://127.0.0.1:8080`.
    pub fn at(base: impl Into<String>) -> Self {
        Self::to(Shop::At(base.into()))
    }

    /// Asks the service that a path belongs to, its running replicas by turns.
    pub(crate) fn of(replicas: Arc<Replicas>) -> Self {
        Self::to(Shop::Fleet(replicas))
    }

    fn to(shop: Shop) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECTING)
            .build()
            .expect("no option of this client can fail");
        Self { http, shop, token: None }
    }

    /// The same as the person whose access token this is.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// Reads.
    pub fn get(&self, path: impl Into<String>) -> Request {
        self.request(Method::GET, path)
    }

    /// Makes something new, or has something done.
    pub fn post(&self, path: impl Into<String>) -> Request {
        self.request(Method::POST, path)
    }

    /// Puts something in the place of what is there.
    pub fn put(&self, path: impl Into<String>) -> Request {
        self.request(Method::PUT, path)
    }

    /// Changes a part.
    pub fn patch(&self, path: impl Into<String>) -> Request {
        self.request(Method::PATCH, path)
    }

    /// Takes away.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        self.request(Method::DELETE, path)
    }

    /// Asks in any other way.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request {
        let request = Request {
            client: self.clone(),
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
        };
        match &self.token {
            Some(token) => request.bearer(token),
            None => request,
        }
    }

    /// The full address of a path, at the replica whose turn it is.
    ///
    /// # Panics
    /// When no replica of its service runs.
    pub fn url(&self, path: &str) -> String {
        self.find(path).unwrap_or_else(|| panic!("no replica runs that serves {path}"))
    }

    fn find(&self, path: &str) -> Option<String> {
        match &self.shop {
            Shop::At(base) => Some(format!("{base}{path}")),
            Shop::Fleet(replicas) => Some(format!("{}{path}", replicas.base_of(path)?)),
        }
    }
}

/// A request that is sent when it is awaited.
#[derive(Clone, Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    client: Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Request {
    /// With a JSON body.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body(serde_json::to_vec(body).expect("the body can be written as JSON"))
            .header("content-type", "application/json")
    }

    /// With any body.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// With one more header; the later of two of one name holds.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header's value is visible ASCII");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// As the person whose access token this is.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With an idempotency key: repeated with the same, it happens once.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Only if the thing is still as it was when it bore this tag.
    pub fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// Sends it, and says when no answer came: then it may have been done or not.
    ///
    /// As an ingress would, it tries another replica when one does not take the connection, and
    /// answers 503 itself when none runs.
    pub async fn send(self) -> Result<Answer, reqwest::Error> {
        let mut attempt = 1;
        loop {
            match self.attempt().await {
                Err(error) if error.is_connect() && attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    /// Sends it, and gives the events that come as the answer.
    ///
    /// # Panics
    /// When the answer is none of events.
    pub async fn events(self) -> Events {
        let asked = format!("{} {}", self.method, self.path);
        let answered = self.begin(self.client.url(&self.path)).await;
        let response = answered.unwrap_or_else(|error| panic!("no answer to {asked}: {error:?}"));
        let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        assert_eq!(kind, Some(b"text/event-stream".as_slice()), "{asked}: {}", response.status());
        Events::of(asked, response)
    }

    async fn begin(&self, url: String) -> Result<reqwest::Response, reqwest::Error> {
        let mut request = self.client.http.request(self.method.clone(), url);
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        request.headers(self.headers.clone()).send().await
    }

    async fn attempt(&self) -> Result<Answer, reqwest::Error> {
        let asked = format!("{} {}", self.method, self.path);
        let Some(url) = self.client.find(&self.path) else {
            return Ok(Answer::unavailable(asked));
        };
        let response = self.begin(url).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { asked, status, headers, text, body })
    }
}

/// Sends it, for those who count on an answer.
///
/// # Panics
/// When none came, and when its problem or its headers are not in the document of the operation.
impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let asked = format!("{} {}", self.method, self.path);
            let (method, path) = (self.method.clone(), self.path.clone());
            let answer = self.send().await;
            let answer = answer.unwrap_or_else(|error| panic!("no answer to {asked}: {error:?}"));
            let undocumented = undocumented(&method, &path, &answer);
            assert_eq!(undocumented, None, "{asked}: not in docs/openapi: {}", answer.text);
            answer
        })
    }
}
