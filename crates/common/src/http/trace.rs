//! The trace a request is part of (W3C Trace Context, level 1).

use std::fmt;
use std::str::FromStr;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use uuid::Uuid;

/// Names a trace and the step in it that led here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    trace: u128,
    step: u64,
    sampled: bool,
}

/// A text that is not a `traceparent`; whoever meets it begins a trace of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct InvalidTraceparent;

impl Traceparent {
    /// A trace that begins here.
    pub fn begin(uuid: Uuid) -> Self {
        Self { trace: uuid.as_u128(), step: step(uuid), sampled: true }
    }

    /// The next step of the same trace.
    #[must_use]
    pub fn next(self, uuid: Uuid) -> Self {
        Self { step: step(uuid), ..self }
    }

    /// A step of a trace as it is told; nothing where it is not.
    pub(crate) fn of(step: &SpanContext) -> Option<Self> {
        step.is_valid().then(|| Self {
            trace: u128::from_be_bytes(step.trace_id().to_bytes()),
            step: u64::from_be_bytes(step.span_id().to_bytes()),
            sampled: step.is_sampled(),
        })
    }

    /// Names the whole trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl FromStr for Traceparent {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        parse(text).ok_or(InvalidTraceparent)
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.step, u8::from(self.sampled))
    }
}

impl From<Traceparent> for SpanContext {
    /// A step that was made elsewhere.
    fn from(it: Traceparent) -> Self {
        let flags = TraceFlags::default().with_sampled(it.sampled);
        let (trace, step) = (TraceId::from(it.trace), SpanId::from(it.step));
        Self::new(trace, step, flags, true, TraceState::NONE)
    }
}

fn parse(text: &str) -> Option<Traceparent> {
    let mut fields = text.split('-');
    let version = hex(fields.next()?, 2)?;
    let trace = hex(fields.next()?, 32)?;
    let step = u64::try_from(hex(fields.next()?, 16)?).ok()?;
    let flags = hex(fields.next()?, 2)?;
    // A later version may add fields; this one has none, and ff is never valid.
    let complete = fields.next().is_none() || version > 0;
    let valid = version != 0xff && trace != 0 && step != 0 && complete;
    valid.then_some(Traceparent { trace, step, sampled: flags & 1 == 1 })
}

fn hex(field: &str, digits: usize) -> Option<u128> {
    let lower = field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (field.len() == digits && lower).then(|| u128::from_str_radix(field, 16).ok())?
}

/// The random half of a UUID; its variant bits make sure that it is not 0.
fn step(uuid: Uuid) -> u64 {
    uuid.as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_goes_on_with_a_step_of_its_own() {
        let given: Traceparent = GIVEN.parse().unwrap();

        let next = given.next(Uuid::from_u128(0x8000_0000_0000_0007)).to_string();

        assert_eq!(given.to_string(), GIVEN);
        assert_eq!(next, "00-4bf92f3577b34da6a3ce929d0e0e4736-8000000000000007-01");
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let text = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more";

        assert_eq!(text.parse::<Traceparent>().unwrap().to_string().get(..3), Some("00-"));
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(text.parse::<Traceparent>(), Err(InvalidTraceparent), "{text}");
        }
    }

    #[test]
    fn whatever_the_text_it_is_refused_or_names_the_trace_that_goes_on() {
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more";

        fuzz::always(&fuzz::nearly_text(&[GIVEN, later]), |text| {
            if let Ok(one) = text.parse::<Traceparent>() {
                prop_assert!(text.contains(&one.trace_id()));
                prop_assert_eq!(one.to_string().parse(), Ok(one));
            }
            Ok(())
        });
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(trace in 1_u128.., step in 1_u64.., sampled: bool) {
            let one = Traceparent { trace, step, sampled };

            prop_assert_eq!(one.to_string().parse(), Ok(one));
        }
    }
}
