//! A call as one span of a trace.

use crate::attribute::{Attributes, Resource};
use crate::context::TraceContext;
use crate::proto::Message;

/// Whose side of a call a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The side that is asked.
    Server,
    /// The side that asks.
    Client,
}

/// What happened from the arrival of a call to its last byte.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its place in a trace.
    pub context: TraceContext,
    /// What was done.
    pub name: String,
    /// Whose side it is.
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// What is told of it.
    pub attributes: Attributes,
    /// What went wrong, in a word.
    pub error: Option<String>,
}

/// The request that tells spans to a collector (OTLP's `ExportTraceServiceRequest`).
#[must_use]
pub fn trace_request(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    resource.wrap(|scope| spans.iter().for_each(|span| scope.message(2, &span.message())))
}

/// Says in a span's flags that it is known whether its parent is remote…
const HAS_IS_REMOTE: u32 = 0x100;
/// …and that it is.
const IS_REMOTE: u32 = 0x200;

impl Span {
    fn message(&self) -> Message {
        let context = &self.context;
        let mut span = Message::default();
        span.bytes(1, &context.trace);
        span.bytes(2, &context.span);
        span.text(3, &context.state);
        span.bytes(4, context.parent.as_ref().map_or(&[][..], |parent| parent));
        span.text(5, &self.name);
        span.integer(6, if self.kind == Kind::Server { 2 } else { 3 });
        span.fixed64(7, self.start);
        span.fixed64(8, self.end);
        self.attributes.write(&mut span, 9);
        if let Some(error) = &self.error {
            span.message(15, &status(error));
        }
        let remote = if context.parent.is_some() { IS_REMOTE } else { 0 };
        span.fixed32(16, u32::from(context.flags) | HAS_IS_REMOTE | remote);
        span
    }
}

/// The status of a span that failed.
fn status(error: &str) -> Message {
    let mut status = Message::default();
    status.text(2, error);
    status.integer(3, 2);
    status
}

#[cfg(test)]
mod tests {
    use super::{Kind, Span, trace_request};
    use crate::attribute::{Attributes, Resource};
    use crate::context::{Parent, TraceContext};

    /// Decoded with opentelemetry-proto 1.45 for Python, and found to say what the span says, on 2026-11-21.
    const GOLDEN: &str = include_str!("span.golden");

    fn span() -> Span {
        let parent =
            Parent::read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("a parent");
        let mut attributes = Attributes::default();
        attributes.set("gen_ai.operation.name", "chat");
        attributes.set("gen_ai.usage.input_tokens", 150_u64);
        attributes.set("gen_ai.response.time_to_first_chunk", 0.5);
        attributes.set("gen_ai.request.stream", true);
        attributes.set("empty", "");
        attributes.set_some("absent", None::<u64>);
        Span {
            context: TraceContext::within(parent, [7; 8], "vendor=1".to_owned(), true),
            name: "chat gpt-5".to_owned(),
            kind: Kind::Client,
            start: 1_795_000_000_000_000_000,
            end: 1_795_000_001_000_000_000,
            attributes,
            error: Some("truncated".to_owned()),
        }
    }

    #[test]
    fn a_span_is_written_as_otlp_says() {
        let mut resource = Resource { version: "1.2.3", ..Resource::default() };
        resource.attributes.set("service.name", "twinlane");
        let written = trace_request(&resource, &[span()]);
        let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN.split_whitespace().collect::<String>());
    }
}
