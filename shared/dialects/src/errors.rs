//! Reads every provider's error body, and tells an error in the words of every client's format.

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
