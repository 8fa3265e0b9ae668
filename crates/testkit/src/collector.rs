//! An OpenTelemetry collector that keeps what it is told.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Hears traces by OTLP over HTTP, in protobuf, on a free port of 127.0.0.1, until it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    told: Arc<Mutex<Told>>,
    /// Ends with the collector.
    _serving: JoinSet<()>,
}

/// A step of a trace: a span, as OpenTelemetry calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whose step it is.
    pub service: String,
    /// What was done.
    pub name: String,
    /// Names the trace: 32 hexadecimal digits.
    pub trace: String,
    /// Names the step: 16 hexadecimal digits.
    pub id: String,
    /// The step that led to it; empty for the first one.
    pub parent: String,
    /// What kind of step it is, as OTLP counts them: 2 answers a request, 5 hears a message.
    pub kind: i32,
    /// What else is said of it.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Told {
    bodies: Vec<Bytes>,
    steps: Vec<Step>,
}

impl Collector {
    /// Begins to listen.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let told = Arc::<Mutex<Told>>::default();
        let api = Router::new().route("/v1/traces", post(hear)).with_state(Arc::clone(&told));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            // It ends when the collector is dropped, and not before.
            let _ = axum::serve(listener, api).await;
        });
        Ok(Self { address, told, _serving: serving })
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to be.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All steps that were told.
    pub fn steps(&self) -> Vec<Step> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).steps.clone()
    }

    /// All that was told, as it came.
    pub fn bodies(&self) -> Vec<Bytes> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).bodies.clone()
    }
}

async fn hear(State(told): State<Arc<Mutex<Told>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let protobuf =
        headers.get(header::CONTENT_TYPE).is_some_and(|it| it == "application/x-protobuf");
    let Some(request) =
        protobuf.then(|| ExportTraceServiceRequest::decode(body.clone()).ok()).flatten()
    else {
        return StatusCode::BAD_REQUEST;
    };
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    told.steps.extend(steps(request));
    told.bodies.push(body);
    StatusCode::OK
}

fn steps(request: ExportTraceServiceRequest) -> impl Iterator<Item = Step> {
    request.resource_spans.into_iter().flat_map(|of_one| {
        let whose = attributes(&of_one.resource.unwrap_or_default().attributes);
        let service = whose.get("service.name").cloned().unwrap_or_default();
        let spans = of_one.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.map(move |span| step(&service, span)).collect::<Vec<_>>()
    })
}

fn step(service: &str, span: Span) -> Step {
    Step {
        service: service.to_owned(),
        attributes: attributes(&span.attributes),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        kind: span.kind,
        name: span.name,
    }
}

fn attributes(told: &[KeyValue]) -> BTreeMap<String, String> {
    told.iter().map(|it| (it.key.clone(), text(it.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(yes)) => yes.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
