//! Asking Stripe, again and again where that helps.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use common::bus::Backoff;
use reqwest::{Response, StatusCode, Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use tracing::warn;

use super::NAME;
use super::breaker::Breaker;
use super::call::Call;
use super::config::is_here;
use super::error::{CallError, Refused};

/// The shapes that are read here are those of this version, whatever the account's default is.
const VERSION: &str = "2024-12-18.acacia";
/// How often something is asked; whoever waits may give up sooner.
const TRIES: u32 = 4;
const BETWEEN: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
const CONNECTING: Duration = Duration::from_secs(3);
/// Stripe itself gives up before.
const LONGEST: Duration = Duration::from_mins(1);

const UNKNOWN_KEY: &str = "Stripe does not accept the key in SOUK_STRIPE_SECRET_KEY";
const NARROW_KEY: &str = "the key in SOUK_STRIPE_SECRET_KEY may not do this: it has to be allowed \
    to write payment intents and refunds";

/// Speaks to Stripe with the key of one account. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    key: SecretString,
    breaker: Breaker,
}

/// What Stripe answered.
#[derive(Clone, Debug)]
pub(super) struct Reply<T> {
    pub(super) value: T,
    /// Whether this is what was answered when the key came first; it may no longer be so.
    pub(super) replayed: bool,
}

/// What became of one try.
enum Try {
    Done {
        body: Vec<u8>,
        replayed: bool,
    },
    /// Asking again may help, after so long if Stripe says so.
    Again {
        why: String,
        after: Option<Duration>,
    },
    Failed(CallError),
}

impl Client {
    pub(super) fn new(base: Url, key: SecretString) -> reqwest::Result<Self> {
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("Souk/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECTING)
            .timeout(LONGEST);
        if is_here(&base) {
            http = http.no_proxy();
        }
        Ok(Self { http: http.build()?, base, key, breaker: Breaker::default() })
    }

    /// Asks until there is an answer, a few times.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<Reply<T>, CallError> {
        let mut tries = 1;
        loop {
            match self.attempt(&call).await? {
                Try::Done { body, replayed } => {
                    let value = serde_json::from_slice(&body).map_err(|_| unreadable(&call))?;
                    return Ok(Reply { value, replayed });
                }
                Try::Failed(error) => return Err(error),
                Try::Again { why, .. } if tries == TRIES => return Err(CallError::Away(why)),
                Try::Again { why, after } => {
                    warn!(provider = NAME, path = call.path, why, tries, "asking again");
                    metrics::counter!("souk_provider_retries_total", "provider" => NAME)
                        .increment(1);
                    let pause = BETWEEN.after(tries);
                    tokio::time::sleep(after.map_or(pause, |after| after.max(pause))).await;
                    tries += 1;
                }
            }
        }
    }

    /// Asks once, unless Stripe is known to be away.
    async fn attempt(&self, call: &Call) -> Result<Try, CallError> {
        let away = || CallError::Away("it did not answer lately, and is left alone".to_owned());
        let turn = self.breaker.turn().ok_or_else(away)?;
        let answered = match self.send(call).await {
            Ok(response) => read(call, response).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok((status, tried)) if status.is_server_error() => {
                turn.failed();
                Ok(tried)
            }
            Ok((_, tried)) => {
                turn.answered();
                Ok(tried)
            }
            Err(error) => {
                turn.failed();
                // Addresses name payments, and people do not need to read them here.
                Ok(Try::Again { why: error.without_url().to_string(), after: None })
            }
        }
    }

    async fn send(&self, call: &Call) -> reqwest::Result<Response> {
        let (url, form) = call.to(&self.base);
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .bearer_auth(self.key.expose_secret())
            .header("stripe-version", VERSION);
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(form) = form {
            request =
                request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        request.send().await
    }
}

async fn read(call: &Call, response: Response) -> reqwest::Result<(StatusCode, Try)> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?;
    Ok((status, judge(call, status, &headers, &body)))
}

/// What an answer means.
fn judge(call: &Call, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Try {
    let replayed = says(headers, "idempotent-replayed") == Some("true");
    let again = |after| Try::Again { why: format!("it answered {status}"), after };
    match status.as_u16() {
        200..=299 => Try::Done { body: body.to_vec(), replayed },
        401 => Try::Failed(CallError::NotAllowed(UNKNOWN_KEY)),
        403 => Try::Failed(CallError::NotAllowed(NARROW_KEY)),
        500.. if replayed => Try::Failed(CallError::Spent),
        _ if says(headers, "stripe-should-retry") == Some("true") => again(rest(headers)),
        409 | 424 | 429 | 500.. => again(rest(headers)),
        status => {
            let refused = Refused::read(status, body);
            let request = says(headers, "request-id").unwrap_or_default();
            // A bank that says no is everyday.
            if status != 402 {
                warn!(provider = NAME, path = call.path, request, why = %refused, "refused");
            }
            Try::Failed(CallError::Refused(refused))
        }
    }
}

/// How long Stripe wants to be left alone.
fn rest(headers: &HeaderMap) -> Option<Duration> {
    says(headers, "retry-after")?.parse().ok().map(Duration::from_secs)
}

fn says<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(HeaderValue::to_str)?.ok()
}

fn unreadable(call: &Call) -> CallError {
    CallError::Away(format!("its answer to {} does not read", call.path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ProviderError;

    fn judged(status: u16, headers: &[(&'static str, &'static str)]) -> Try {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let status = StatusCode::from_u16(status).unwrap();
        judge(&Call::get("/"), status, &headers.collect(), b"{}")
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        for status in [409, 424, 429, 500, 502, 503, 504] {
            assert!(matches!(judged(status, &[]), Try::Again { after: None, .. }), "{status}");
        }
        for status in [400, 402, 404] {
            assert!(matches!(judged(status, &[]), Try::Failed(CallError::Refused(_))), "{status}");
        }
    }

    #[test]
    fn it_is_left_alone_for_as_long_as_it_says() {
        let busy = judged(429, &[("retry-after", "7")]);
        let told = judged(400, &[("stripe-should-retry", "true")]);

        let Try::Again { after, .. } = busy else { panic!("it is told to come back") };
        assert_eq!(after, Some(Duration::from_secs(7)));
        assert!(matches!(told, Try::Again { .. }));
    }

    #[test]
    fn a_failure_that_is_repeated_word_for_word_stays() {
        let spent = judged(500, &[("idempotent-replayed", "true")]);

        assert!(matches!(spent, Try::Failed(CallError::Spent)));
    }

    #[test]
    fn a_wrong_key_is_said_without_the_key() {
        let Try::Failed(error) = judged(401, &[]) else { panic!("it is no answer") };

        let told = ProviderError::from(error).to_string();

        assert!(told.contains("SOUK_STRIPE_SECRET_KEY"), "{told}");
    }
}
