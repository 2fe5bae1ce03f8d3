//! The words for kinds of errors: by HTTP status in every format, and back from a provider's words to a status.

/// OpenAI's `type` for a status.
#[must_use]
pub fn kind_of_status(status: u16) -> &'static str {
    match status {
        400 | 413 | 422 => "invalid_request_error",
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    }
}

/// Anthropic's `type` for a status.
#[must_use]
pub fn anthropic_type(status: u16) -> &'static str {
    match status {
        402 => "billing_error",
        413 => "request_too_large",
        _ => kind_of_status(status),
    }
}

/// Google's `status` for a status.
#[must_use]
pub fn google_status(status: u16) -> &'static str {
    match status {
        400 | 402 | 413 | 422 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 | 529 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

/// The status that a provider's word for an error stands for, be it a type, a code or Google's status.
pub(super) fn status_of_word(word: &str) -> Option<u16> {
    Some(match word {
        "invalid_request_error" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "authentication_error" | "UNAUTHENTICATED" => 401,
        "billing_error" => 402,
        "permission_error" | "PERMISSION_DENIED" => 403,
        "not_found_error" | "NOT_FOUND" => 404,
        "ABORTED" => 409,
        "request_too_large" => 413,
        // OpenAI says this of an account without money, with 429.
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "RESOURCE_EXHAUSTED" => 429,
        "api_error" | "server_error" | "INTERNAL" => 500,
        "UNAVAILABLE" => 503,
        "timeout_error" | "DEADLINE_EXCEEDED" => 504,
        "overloaded_error" => 529,
        _ => return None,
    })
}
