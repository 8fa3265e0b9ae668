//! Logs, metrics and traces.

mod log_line;
pub(crate) mod traces;

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::fmt::TestWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::ServiceConfig;
use log_line::LogLine;

/// How often the recorder tidies up what was measured; it would grow otherwise.
pub(crate) const UPKEEP: Duration = Duration::from_secs(5);

/// Seconds; from a lookup in memory to what is only just bearable.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Writes logs from now on, and tells traces where that is configured. One process has one log: the first service in it names it.
pub(crate) fn log(service: &'static str, config: &ServiceConfig) {
    let output = if config.in_test {
        BoxMakeWriter::new(TestWriter::new())
    } else {
        BoxMakeWriter::new(std::io::stdout)
    };
    let log = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(LogLine::of(service, config.clock.clone()))
        .with_writer(output)
        .with_filter(EnvFilter::new(&config.log));
    let traced = tracing_subscriber::registry().with(log).with(traces::layer(service, config));
    // Fails when there is a log already.
    let _ = traced.try_init();
}

/// Logs where the process panics, from now on. What is said there is left out: it may hold what
/// nobody should read.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "panicked");
    }));
}

/// What is measured in this process; all services in it share it.
pub(crate) fn metrics() -> &'static PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .expect("there are buckets")
            .build_recorder();
        let handle = recorder.handle();
        // Fails when something else records already; then there is nothing to show.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}
