//! What is remembered of a call, written once its last byte has left: ids, lane, sizes and times; never a key, a prompt,
//! a query string or a reply.

mod notes;
mod recording;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use twinlane_dialects::chat::Usage;
use twinlane_telemetry::TraceContext;

use crate::Error;
use crate::lane::Choice;
use crate::upstream::Fault;
pub(crate) use notes::name;
pub use notes::{Noted, Notes};
pub use recording::Recording;

/// A call, as it is remembered.
#[derive(Debug, Clone)]
pub struct Record {
    /// The call's id.
    pub id: String,
    /// The caller's address, where the door knows it.
    pub address: Option<IpAddr>,
    /// The id of the signed token, or the key, that the call was made with.
    pub token: Option<String>,
    /// The session it belongs to.
    pub session: Option<String>,
    /// Its span, where spans are collected.
    pub trace: Option<TraceContext>,
    /// Whether it came from our own edge, which keeps a record of it, too.
    pub hopped: bool,
    /// The method.
    pub method: Method,
    /// What it does, in a word that telemetry has for it.
    pub operation: &'static str,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The alias of the service, once known.
    pub service: Option<String>,
    /// The model, as the client named it.
    pub model: Option<String>,
    /// The target that served such a call, as `provider/model`.
    pub served: Option<String>,
    /// The model that answered, where the provider told it.
    pub model_served: Option<String>,
    /// The targets that did not serve, each with the reason.
    pub fallbacks: Vec<String>,
    /// The tokens it cost, where they are known.
    pub usage: Option<Usage>,
    /// The lane and its reason, once chosen.
    pub choice: Option<Choice>,
    /// The status of the answer.
    pub status: StatusCode,
    /// The code of the error, where the gateway made the answer.
    pub error: Option<&'static str>,
    /// How often a provider was tried.
    pub attempts: u32,
    /// The size of the request body.
    pub bytes_in: u64,
    /// How many bytes of the answer's body went out.
    pub bytes_out: u64,
    /// From the arrival to the first byte of the answer's body.
    pub first_byte: Option<Duration>,
    /// From the arrival to the end.
    pub total: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The answer went out whole, be it an error.
    Complete,
    /// The provider's reply broke off.
    Truncated,
    /// The reply grew over its limit and was cut.
    Limit,
    /// The call had to end before the reply did.
    Deadline,
    /// The client went away.
    ClientLeft,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Truncated => "truncated",
            Self::Limit => "limit",
            Self::Deadline => "deadline",
            Self::ClientLeft => "client_left",
        }
    }

    /// How a call ends that an error ends.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::ReplyTooLarge { .. } => Self::Limit,
            Error::Closing | Error::Upstream { fault: Fault::Deadline, .. } => Self::Deadline,
            _ => Self::Truncated,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Keeps records: the log, and telemetry.
pub trait Recorder: Send + Sync + fmt::Debug {
    /// Notes that a request has come in, of which nothing is known yet.
    fn arrived(&self) {}
    /// Notes that a call has been understood and is on its way.
    fn began(&self, record: &Record, path: &str);
    /// Notes why the gateway answers with an error.
    fn failed(&self, record: &Record, error: &Error);
    /// Keeps a call that has ended.
    fn ended(&self, record: &Record);
}
