//! Traces, told to an OpenTelemetry collector where there is one.
//!
//! A step of a trace is a request or an event that is handled, and nothing else is told: neither
//! what is logged meanwhile nor what libraries do.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::{Status, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::{Metadata, Span, Subscriber, error};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::ServiceConfig;
use crate::http::Traceparent;

/// What is told: by the name of its span.
const STEPS: [&str; 2] = ["request", "event"];
/// How long the last steps may take to be told when the process ends.
const LAST: Duration = Duration::from_secs(3);

/// Who tells the steps of this process.
static TELLER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Tells the steps of this service, where its configuration names a collector.
pub(super) fn layer<S>(
    service: &'static str,
    config: &ServiceConfig,
) -> Option<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let collector = config.otlp_endpoint.as_deref()?;
    let teller = TELLER.get_or_init(|| {
        teller(service, collector, config.trace_share).unwrap_or_else(|wrong| {
            error!(error = %wrong, "traces are not told");
            SdkTracerProvider::default()
        })
    });
    Some(steps(teller))
}

fn steps<S>(teller: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(teller.tracer("souk"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(filter_fn(is_step))
}

fn is_step(meta: &Metadata<'_>) -> bool {
    let ours = meta.target().starts_with(env!("CARGO_PKG_NAME"));
    meta.is_span() && ours && STEPS.contains(&meta.name())
}

fn teller(
    service: &'static str,
    collector: &str,
    share: f64,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .build()?;
    let whose = Resource::builder_empty()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.namespace", "souk"))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler(share))
        .with_resource(whose)
        .build())
}

fn sampler(share: f64) -> Sampler {
    Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share)))
}

/// Tells what is not told yet; the last thing that a process does.
pub(crate) fn end() {
    if let Some(Err(error)) = TELLER.get().map(|teller| teller.shutdown_with_timeout(LAST)) {
        error!(%error, "the last traces are lost");
    }
}

/// Makes the span a step of the trace that led here, or the first of a trace of its own, and names
/// it; nothing where traces are not told. To be called before anything enters the span.
pub(crate) fn join(span: &Span, led_here: Option<Traceparent>) -> Option<Traceparent> {
    if let Some(parent) = led_here {
        let parent = Context::new().with_remote_span_context(parent.into());
        // Fails where traces are not told.
        let _ = span.set_parent(parent);
    }
    named(span)
}

/// The step that is under way; nothing where traces are not told.
pub(crate) fn here() -> Option<Traceparent> {
    named(&Span::current())
}

/// Shows that a step failed. Why stands in the log.
pub(crate) fn failed(span: &Span) {
    span.set_status(Status::error(""));
}

fn named(span: &Span) -> Option<Traceparent> {
    Traceparent::of(span.context().span().span_context())
}

#[cfg(test)]
mod tests {
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// Tells such a share of what begins here, to nobody.
    fn telling(share: f64) -> impl Subscriber {
        let teller = SdkTracerProvider::builder().with_sampler(sampler(share)).build();
        tracing_subscriber::registry().with(steps(&teller))
    }

    fn given() -> Traceparent {
        GIVEN.parse().unwrap()
    }

    #[test]
    fn a_step_is_the_next_of_the_trace_that_led_here() {
        let (step, inside) = tracing::subscriber::with_default(telling(1.0), || {
            let span = info_span!("request");
            (join(&span, Some(given())), span.in_scope(here))
        });

        let step = step.unwrap();
        assert_eq!(step.trace_id(), given().trace_id());
        assert_ne!(step, given());
        assert_eq!(inside, Some(step));
    }

    #[test]
    fn where_nothing_led_here_a_trace_begins() {
        let (one, other) = tracing::subscriber::with_default(telling(1.0), || {
            (join(&info_span!("event"), None), join(&info_span!("event"), None))
        });

        assert_ne!(one.unwrap().trace_id(), other.unwrap().trace_id());
    }

    #[test]
    fn whether_a_trace_is_told_is_said_where_it_began() {
        let unsampled = GIVEN.replace("-01", "-00").parse().unwrap();

        let steps = tracing::subscriber::with_default(telling(0.0), || {
            [None, Some(given()), Some(unsampled)].map(|led| join(&info_span!("request"), led))
        });

        let flags = steps.map(|step| step.unwrap().to_string().split_off(53));
        assert_eq!(flags, ["00", "01", "00"]);
    }

    #[test]
    fn nothing_else_is_a_step() {
        let step = tracing::subscriber::with_default(telling(1.0), || {
            join(&info_span!("chore"), Some(given()))
        });

        assert_eq!(step, None);
    }

    #[test]
    fn without_a_collector_there_are_no_steps() {
        let silent = tracing_subscriber::registry();

        let step = tracing::subscriber::with_default(silent, || {
            join(&info_span!("request"), Some(given()))
        });

        assert_eq!(step, None);
    }
}
