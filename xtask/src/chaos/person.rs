//! Somebody who asks with patience, as a good client does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Value, json};
use testkit::fleet::Service;
use testkit::{Answer, Request};
use tokio::time::{Instant, sleep, timeout};

use super::house::House;
use super::ledger::Ledger;
use super::record::Record;

/// How long one answer is waited for; longer than a long poll.
const ANSWER: Duration = Duration::from_secs(12);
/// How long somebody tries one thing.
const PATIENCE: Duration = Duration::from_secs(90);
/// Before something is tried again.
const PAUSE: Duration = Duration::from_millis(300);

/// What all share who come to the shop.
#[derive(Debug)]
pub(crate) struct Street {
    pub(crate) house: House,
    pub(crate) record: Record,
    pub(crate) ledger: Ledger,
}

/// Somebody with or without an account.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) street: Arc<Street>,
    tokens: Mutex<Tokens>,
}

#[derive(Clone, Debug, Default)]
struct Tokens {
    access: String,
    refresh: String,
}

/// Something that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    name: &'static str,
    verb: Verb,
    path: String,
    body: Option<Value>,
    key: Option<String>,
    /// Statuses that mean: not yet.
    not_yet: &'static [u16],
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Get,
    Put,
    Post,
}

impl Ask {
    pub(crate) fn get(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Verb::Get, path)
    }

    pub(crate) fn put(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Verb::Put, path)
    }

    pub(crate) fn post(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Verb::Post, path)
    }

    fn new(name: &'static str, verb: Verb, path: impl Into<String>) -> Self {
        Self { name, verb, path: path.into(), body: None, key: None, not_yet: &[] }
    }

    pub(crate) fn json(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Repeated under the same key it happens once.
    pub(crate) fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// An amount of money in the body, in cents.
    pub(crate) fn amount(&self, field: &str) -> i64 {
        let body = self.body.as_ref();
        body.and_then(|body| body[field]["amount"].as_i64()).unwrap_or_default()
    }

    /// Is asked again when it is answered with one of these.
    pub(crate) fn not_yet(self, not_yet: &'static [u16]) -> Self {
        Self { not_yet, ..self }
    }
}

impl Person {
    /// Nobody yet.
    pub(crate) fn nobody(street: &Arc<Street>) -> Self {
        Self { street: Arc::clone(street), tokens: Mutex::default() }
    }

    /// Comes without an account.
    pub(crate) async fn guest(street: &Arc<Street>) -> anyhow::Result<Self> {
        let person = Self::nobody(street);
        person.sign("guest", "/api/auth/guest", None).await?;
        Ok(person)
    }

    /// Gets an account, or signs in to it; what the guest had is theirs then.
    pub(crate) async fn sign(
        &self,
        name: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<()> {
        let ask = Ask { body, ..Ask::post(name, path) };
        self.remember(&self.done(&ask).await?);
        Ok(())
    }

    /// What has to succeed.
    pub(crate) async fn done(&self, ask: &Ask) -> anyhow::Result<Answer> {
        let answer = self.ask(ask).await?;
        if !answer.is_ok() {
            let problem = answer["type"].as_str().unwrap_or_default();
            bail!("{}: {} {problem}", ask.name, answer.status);
        }
        Ok(answer)
    }

    /// Asks until there is an answer that will not change by asking again.
    pub(crate) async fn ask(&self, ask: &Ask) -> anyhow::Result<Answer> {
        let (began, mut last) = (Instant::now(), "nobody was there".to_owned());
        while began.elapsed() < PATIENCE {
            let Some(answer) = self.once(ask).await else { continue };
            let come_back = answer.header("retry-after").is_some();
            match answer.status {
                401 if !ask.path.starts_with("/api/auth/") => self.refresh().await?,
                429 | 503 => {}
                409 if come_back => {}
                status if ask.not_yet.contains(&status) => {}
                _ => return Ok(answer),
            }
            last = answer.status.to_string();
            sleep(PAUSE).await;
        }
        Err(anyhow!("{}: no answer within {PATIENCE:?}, the last was {last}", ask.name))
    }

    /// Asks once, and takes down what came of it.
    async fn once(&self, ask: &Ask) -> Option<Answer> {
        let began = Instant::now();
        let Some(request) = self.request(ask) else {
            self.street.record.answered(ask.name, "nobody", began.elapsed());
            sleep(PAUSE).await;
            return None;
        };
        let outcome = timeout(ANSWER, request.send()).await;
        let record = |answer: &str| {
            self.street.record.answered(ask.name, answer, began.elapsed());
        };
        match outcome {
            Ok(Ok(answer)) => {
                record(&answer.status.to_string());
                if answer.status >= 500 && answer.status != 503 {
                    let said = format!("{}: {} {}", answer.asked, answer.status, answer.text);
                    self.street.house.violated(said);
                }
                Some(answer)
            }
            Ok(Err(_)) => {
                record("none");
                sleep(PAUSE).await;
                None
            }
            Err(_) => {
                record("late");
                None
            }
        }
    }

    /// The request, if anybody is there to be asked.
    fn request(&self, ask: &Ask) -> Option<Request> {
        let service = Service::of_path(&ask.path)?;
        let client = self.street.house.asked(service)?;
        let token = self.tokens().access;
        let client = if token.is_empty() { client.clone() } else { client.with_token(token) };
        let mut request = match ask.verb {
            Verb::Get => client.get(&ask.path),
            Verb::Put => client.put(&ask.path),
            Verb::Post => client.post(&ask.path),
        };
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        Some(match &ask.key {
            Some(key) => request.key(key),
            None => request,
        })
    }

    /// Gets the next token; the old one may be too old, or seem so to a clock that is wrong.
    async fn refresh(&self) -> anyhow::Result<()> {
        let token = self.tokens().refresh;
        let ask = Ask::post("refresh", "/api/auth/refresh").json(json!({ "refresh_token": token }));
        let answer = Box::pin(self.done(&ask)).await.context("signed out")?;
        self.remember(&answer);
        Ok(())
    }

    fn remember(&self, signed_in: &Answer) {
        let text = |field: &str| signed_in[field].as_str().unwrap_or_default().to_owned();
        let tokens = Tokens { access: text("access_token"), refresh: text("refresh_token") };
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    fn tokens(&self) -> Tokens {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
