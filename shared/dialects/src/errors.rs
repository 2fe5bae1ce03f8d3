//! Reads every provider's error body, and tells an error in the words of every client's format.

mod kind;
mod read;
mod text;
mod write;

pub use kind::{anthropic_type, google_status, kind_of_status};
pub use read::read;
pub use write::write;

/// An error, as one can be told in any format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The HTTP status it has, or would have had before the stream began.
    pub status: u16,
    /// What happened, for people.
    pub message: String,
    /// OpenAI's `type`: `invalid_request_error`, `rate_limit_error`, …
    pub kind: String,
    /// The parameter at fault.
    pub param: Option<String>,
    /// For programs.
    pub code: Option<String>,
}

impl Told {
    /// The provider's stream was over before its answer was.
    #[must_use]
    pub fn truncated() -> Self {
        Self::of_upstream("stream_truncated", "The provider's stream ended before the answer was complete.")
    }

    /// The provider answered with success and nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::of_upstream("empty_upstream_response", "The provider answered without an answer.")
    }

    /// What the provider sent cannot be understood, as `code` says more closely.
    #[must_use]
    pub fn of_upstream(code: &str, message: &str) -> Self {
        Self {
            status: 502,
            message: message.to_owned(),
            kind: "upstream_error".to_owned(),
            param: None,
            code: Some(code.to_owned()),
        }
    }
}
