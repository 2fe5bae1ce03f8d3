//! What a gateway tells of its calls to those who watch it: spans and metrics, kept within bounds, and the two languages
//! that collectors understand, OTLP's protobuf and Prometheus's text.
//!
//! Nothing here does IO, reads a clock or draws a random number: whoever has them passes them in. OTLP is written by hand
//! because two messages of it are all that is needed: the OpenTelemetry crates (0.33, OTLP over HTTP with a client of one's
//! own) would add 19 crates and 0.95 MB to a program.

mod attribute;
mod context;
mod family;
mod histogram;
mod meter;
mod prometheus;
mod proto;
mod queue;
mod sampler;
mod span;

pub use attribute::{Attributes, Resource, Value};
pub use context::{Parent, TraceContext};
pub use family::{Family, Labels, Names};
pub use histogram::Histogram;
pub use meter::{Batch, Instrument, Meter, Temporality};
pub use prometheus::Page;
pub use queue::Queue;
pub use sampler::Sampler;
pub use span::{Kind, Span, trace_request};
