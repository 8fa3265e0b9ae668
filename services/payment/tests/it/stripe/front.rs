//! What stands before localstripe: it does what that lacks as Stripe documents it, notes what is
//! asked, and fails when it is told to.
//!
//! It adds idempotency keys, the search by metadata and the page where a shopper confirms, and takes
//! away the `return_url` that localstripe does not know.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use reqwest::Url;
use serde_json::{Value, json};
use testkit::{LocalStripe, Scratch};
use tokio::net::TcpListener;
use tokio::sync::{Notify, OnceCell};
use tokio::task::JoinSet;

pub(crate) const KEY: &str = "sk_test_souk";
const MOST: usize = 1 << 20;

/// More than one localstripe ever has.
const ALL: &str = "limit=100000";

/// A stand-in for Stripe of one test; the localstripe behind it is shared.
pub(crate) struct Front {
    pub(crate) url: String,
    desk: Arc<Desk>,
    _serving: JoinSet<()>,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) call: String,
    pub(crate) key: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) form: HashMap<String, String>,
}

/// How something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Too much is asked: it is not done.
    Busy,
    /// It is not done.
    Fails,
    /// It is not done, and every repeat with the key is told the same.
    FailsForGood,
    /// It is done, and every repeat with the key is told that it failed.
    DoneAndFails,
    /// It is refused, and every repeat with the key is told the same.
    Refuses,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is done, and no answer comes.
    Silent,
    /// It is done when the test says so.
    Held,
}

struct Desk {
    stripe: String,
    own: String,
    http: reqwest::Client,
    asked: Mutex<Vec<Asked>>,
    faults: Mutex<VecDeque<(&'static str, Fault)>>,
    kept: Mutex<HashMap<String, Kept>>,
    /// What is held goes on.
    gate: Notify,
    /// The intents that were made here.
    made: Mutex<HashSet<String>>,
}

/// What is kept of a key: who used it first, and what was answered as soon as it was.
struct Kept {
    first: String,
    answer: Option<(StatusCode, Bytes)>,
}

/// What is known of a key.
enum Known {
    New,
    Busy,
    Other,
    Answered(StatusCode, Bytes),
}

impl Front {
    pub(crate) async fn open() -> Self {
        let stripe = shared().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk {
            stripe,
            own: url.clone(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            asked: Mutex::default(),
            faults: Mutex::default(),
            kept: Mutex::default(),
            gate: Notify::new(),
            made: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&desk));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk, _serving: serving }
    }

    /// The next request whose path ends so fails.
    pub(crate) fn fail(&self, path: &'static str, fault: Fault) {
        open(&self.desk.faults).push_back((path, fault));
    }

    /// What is held goes on.
    pub(crate) fn let_go(&self) {
        self.desk.gate.notify_one();
    }

    /// Everything that was asked with a path that ends so.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = open(&self.desk.asked);
        asked.iter().filter(|asked| asked.call.ends_with(path)).cloned().collect()
    }

    /// Method and path of everything that was asked, in order; names are left out.
    pub(crate) fn calls(&self) -> Vec<String> {
        let plain = |asked: &Asked| {
            let parts = asked.call.split('/').filter(|part| !part.starts_with("pi_"));
            parts.collect::<Vec<_>>().join("/")
        };
        open(&self.desk.asked).iter().map(plain).collect()
    }

    /// A card of this number, as the shopper's browser would leave it with Stripe.
    pub(crate) async fn card(&self, number: &str) -> String {
        let form = format!(
            "type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123"
        );
        self.post("/v1/payment_methods", form).await["id"].as_str().unwrap().to_owned()
    }

    /// The shopper does, or does not do, what their bank asks of them.
    pub(crate) async fn authenticate(&self, intent: &str, success: bool) {
        let path = format!("/v1/payment_intents/{intent}");
        let secret = self.get(&path).await["client_secret"].as_str().unwrap().to_owned();
        let form = format!("client_secret={secret}&success={success}");
        self.post(&format!("{path}/_authenticate"), form).await;
    }

    /// Has localstripe send what it says by itself, which is about every payment that it knows.
    pub(crate) async fn send_webhooks(&self, to: &str, secret: &str) {
        self.post("/_config/webhooks/shop", format!("url={to}&secret={secret}")).await;
    }

    /// The payment intents that were made here.
    pub(crate) async fn intents(&self) -> Vec<Value> {
        self.list("payment_intents", "id").await
    }

    /// All charges that took money, each with how much of it.
    pub(crate) async fn taken(&self) -> Vec<i64> {
        let charges = self.list("charges", "payment_intent").await;
        let took =
            charges.iter().filter(|it| it["status"] == "succeeded" && it["captured"] == true);
        took.map(|charge| charge["amount"].as_i64().unwrap()).collect()
    }

    /// How much each refund gave back.
    pub(crate) async fn given_back(&self) -> Vec<i64> {
        let refunds = self.list("refunds", "payment_intent").await;
        refunds.iter().map(|refund| refund["amount"].as_i64().unwrap()).collect()
    }

    /// All of a kind that are of an intent that was made here.
    async fn list(&self, kind: &str, intent: &str) -> Vec<Value> {
        let all = self.get(&format!("/v1/{kind}?{ALL}")).await["data"].as_array().unwrap().clone();
        let made = open(&self.desk.made);
        all.into_iter()
            .filter(|it| made.contains(it[intent].as_str().unwrap_or_default()))
            .collect()
    }

    async fn get(&self, path: &str) -> Value {
        self.desk.get(path).await
    }

    async fn post(&self, path: &str, form: String) -> Value {
        let request = self.desk.http.post(format!("{}{path}", self.desk.stripe));
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer = request.bearer_auth(KEY).send().await.unwrap();
        answer.json().await.unwrap_or_default()
    }
}

/// The localstripe that all tests of this process share; it ends with the process.
async fn shared() -> String {
    static STARTED: OnceCell<(LocalStripe, Scratch)> = OnceCell::const_new();

    let started = STARTED.get_or_init(async || {
        let scratch = Scratch::new().unwrap();
        (LocalStripe::start(scratch.path()).await.unwrap(), scratch)
    });
    started.await.0.url()
}

/// Takes a request to localstripe, and brings the answer back.
async fn pass(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = to_bytes(body, MOST).await.unwrap();
    let path = parts.uri.path().to_owned();
    let asked = Asked {
        call: format!("{} {path}", parts.method),
        key: says(&parts.headers, "idempotency-key"),
        version: says(&parts.headers, "stripe-version"),
        form: fields(&form),
    };
    open(&desk.asked).push(asked.clone());
    let first = format!("{} {}", asked.call, String::from_utf8_lossy(&form));
    let fault = desk.fault(&path);
    let (status, body) = match desk.known(asked.key.as_ref(), &first) {
        Known::Answered(status, body) => return replay(status, body),
        Known::Busy => return refuse(StatusCode::CONFLICT, "idempotency_key_in_use"),
        Known::Other => return refuse(StatusCode::BAD_REQUEST, "other_parameters"),
        Known::New => match fault {
            Some(Fault::Busy) => (StatusCode::TOO_MANY_REQUESTS, Bytes::new()),
            Some(Fault::Fails | Fault::FailsForGood) => {
                (StatusCode::INTERNAL_SERVER_ERROR, Bytes::new())
            }
            Some(Fault::Refuses) => (StatusCode::BAD_REQUEST, Bytes::new()),
            Some(Fault::DoneAndFails) => {
                desk.send(&parts.method, &parts.headers, &parts.uri.to_string(), &asked).await;
                (StatusCode::INTERNAL_SERVER_ERROR, Bytes::new())
            }
            Some(Fault::Held) => {
                desk.gate.notified().await;
                desk.send(&parts.method, &parts.headers, &parts.uri.to_string(), &asked).await
            }
            Some(Fault::AnswerLost | Fault::Silent) | None => {
                desk.send(&parts.method, &parts.headers, &parts.uri.to_string(), &asked).await
            }
        },
    };
    desk.keep(asked.key, fault, (status, body.clone()));
    match fault {
        Some(Fault::Silent) => pending().await,
        Some(Fault::AnswerLost) => broken(),
        Some(Fault::Busy) => (status, [("retry-after", "0")]).into_response(),
        Some(
            Fault::Fails | Fault::FailsForGood | Fault::DoneAndFails | Fault::Refuses | Fault::Held,
        )
        | None => (status, body).into_response(),
    }
}

impl Desk {
    /// The fault that is next, if it is of this path.
    fn fault(&self, path: &str) -> Option<Fault> {
        let mut faults = open(&self.faults);
        let (_, fault) = faults.pop_front_if(|(end, _)| path.ends_with(*end))?;
        Some(fault)
    }

    fn known(&self, key: Option<&String>, first: &str) -> Known {
        let Some(key) = key else { return Known::New };
        let mut kept = open(&self.kept);
        match kept.get(key) {
            Some(kept) if kept.first != first => Known::Other,
            Some(Kept { answer: Some((status, body)), .. }) => {
                Known::Answered(*status, body.clone())
            }
            Some(_) => Known::Busy,
            None => {
                kept.insert(key.clone(), Kept { first: first.to_owned(), answer: None });
                Known::New
            }
        }
    }

    /// Keeps what was done, and forgets what was never begun.
    fn keep(&self, key: Option<String>, fault: Option<Fault>, answer: (StatusCode, Bytes)) {
        let Some(key) = key else { return };
        let mut kept = open(&self.kept);
        if let Some(Fault::Busy | Fault::Fails) = fault {
            kept.remove(&key);
        } else if let Some(kept) = kept.get_mut(&key) {
            kept.answer = Some(answer);
        }
    }

    async fn send(
        &self,
        method: &Method,
        headers: &HeaderMap,
        uri: &str,
        asked: &Asked,
    ) -> (StatusCode, Bytes) {
        if asked.call.ends_with("/search") {
            return self.search(uri).await;
        }
        let mut request = self.http.request(method.clone(), format!("{}{uri}", self.stripe));
        if let Some(key) = says(headers, "authorization") {
            request = request.header("authorization", key);
        }
        let known = asked.form.iter().filter(|(name, _)| *name != "return_url");
        if method == Method::POST {
            let form = encoded(known);
            request =
                request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap_or_default());
        if asked.call == "POST /v1/payment_intents" {
            open(&self.made).extend(body["id"].as_str().map(str::to_owned));
        }
        (status, self.adapted(body))
    }

    /// Names a page where the shopper confirms, as Stripe does for who gives a `return_url`.
    fn adapted(&self, mut answer: Value) -> Bytes {
        if answer["next_action"]["type"] == "use_stripe_sdk" {
            let url = format!("{}/3ds/{}", self.own, answer["id"].as_str().unwrap());
            answer["next_action"] =
                json!({ "type": "redirect_to_url", "redirect_to_url": { "url": url } });
        }
        Bytes::from(answer.to_string())
    }

    /// The intents of one attempt.
    async fn search(&self, uri: &str) -> (StatusCode, Bytes) {
        let url: Url = format!("{}{uri}", self.stripe).parse().unwrap();
        let (_, query) = url.query_pairs().find(|(name, _)| name == "query").unwrap();
        let attempt = query.strip_prefix("metadata['attempt_id']:'").unwrap().trim_matches('\'');
        let all = self.get(&format!("/v1/payment_intents?{ALL}")).await;
        let all = all["data"].as_array().unwrap().iter();
        let of_it = all.filter(|intent| intent["metadata"]["attempt_id"] == attempt);
        let found: Vec<_> = of_it.cloned().collect();
        (StatusCode::OK, Bytes::from(json!({ "data": found, "has_more": false }).to_string()))
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.stripe)).bearer_auth(KEY);
        request.send().await.unwrap().json().await.unwrap()
    }
}

fn fields(form: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(form);
    let url: Url = format!("http://form/?{text}").parse().unwrap();
    url.query_pairs().into_owned().collect()
}

fn encoded<'a>(fields: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut url: Url = "http://form/".parse().unwrap();
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

fn replay(status: StatusCode, body: Bytes) -> Response {
    (status, [("idempotent-replayed", "true")], body).into_response()
}

fn refuse(status: StatusCode, code: &str) -> Response {
    let error = json!({ "error": { "type": "idempotency_error", "code": code } });
    (status, error.to_string()).into_response()
}

/// An answer that breaks off.
fn broken() -> Response {
    let nothing = std::io::Error::other("the line is cut");
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(nothing)])))
}

fn says(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn open<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
