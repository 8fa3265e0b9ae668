//! How a line of the log looks.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::Clock;

/// One JSON object a line: when, how grave, which service, where, and all fields of the event and of
/// the spans around it side by side. Where names meet, the innermost wins.
pub(super) struct LogLine {
    service: &'static str,
    clock: Clock,
}

/// What begins so tells a trace what a span is.
const FOR_TRACES: &str = "otel.";

/// Fields by name.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl LogLine {
    pub(super) fn of(service: &'static str, clock: Clock) -> Self {
        Self { service, clock }
    }
}

impl<S> FormatEvent<S, JsonFields> for LogLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(formatted) = span.extensions().get::<FormattedFields<JsonFields>>() {
                fields.add(formatted);
            }
        }
        event.record(&mut fields);
        let Fields(mut line) = fields;
        let meta = event.metadata();
        line.insert("timestamp".into(), self.clock.now().to_string().into());
        line.insert("level".into(), meta.level().as_str().into());
        line.insert("service".into(), self.service.into());
        line.insert("target".into(), meta.target().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

impl Fields {
    /// Adds the fields of a span, which are JSON already.
    fn add(&mut self, span: &str) {
        if let Ok(fields) = serde_json::from_str::<Map<String, Value>>(span) {
            self.0.extend(fields.into_iter().filter(|(name, _)| !name.starts_with(FOR_TRACES)));
        }
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use contracts::Timestamp;
    use serde_json::json;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Page {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn logged(log: impl FnOnce()) -> Value {
        let page = Page::default();
        let noon = Timestamp::from_millis(1_769_860_800_000).unwrap();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(JsonFields::new())
            .event_format(LogLine::of("order", Clock::manual(noon)))
            .with_writer(page.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        serde_json::from_slice(&page.0.lock().unwrap()).unwrap()
    }

    #[test]
    fn a_line_has_the_fields_of_the_event_and_of_its_spans() {
        let line = logged(|| {
            let _request =
                tracing::info_span!("request", trace_id = "t1", attempt = 1, otel.kind = "server")
                    .entered();
            let _order = tracing::info_span!("order", order.id = %"ord_1", attempt = 2).entered();
            tracing::info!(pieces = 3, ok = true, "order cancelled");
        });

        let expected = json!({
            "timestamp": "2026-01-31T12:00:00.000Z", "level": "INFO", "service": "order",
            "target": module_path!(), "message": "order cancelled", "pieces": 3, "ok": true,
            "trace_id": "t1", "order.id": "ord_1", "attempt": 2,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_line_stays_one_line_whatever_is_in_it() {
        let line = logged(|| tracing::warn!(reason = "two\nlines \"quoted\"", "refused"));

        assert_eq!(line["reason"], "two\nlines \"quoted\"");
    }
}
