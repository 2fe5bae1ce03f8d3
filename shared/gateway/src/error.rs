//! Every way a call can fail here, and how a client is told.
//!
//! The client reads what happened and what to do; the log gets the chain of sources. The status of a failure is decided
//! in one `match`, [`Error::terms`], and its JSON is written in one place, [`Error::json`].

mod telling;

use std::time::Duration;

use http::StatusCode;
use twinlane_access::{Denied, Outside};
use twinlane_dialects::{Refusal, Told};

use crate::body::BoxError;
use crate::books::Limited;
use crate::path::Flaw;
use crate::upstream::Fault;

/// Why the gateway, and not a provider, answers a call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path names a service that is not configured.
    #[error(
        "There is no service named '{alias}'. Known services: {known}. Example: POST /gateway/openai/v1/chat/completions"
    )]
    UnknownService {
        /// The name asked for.
        alias: String,
        /// The names there are, with commas.
        known: String,
    },
    /// The path leads nowhere.
    #[error(
        "Nothing is at this path. Call /gateway/{{service}}/{{path}}, for example /gateway/openai/v1/chat/completions, or /v1/… for the default service"
    )]
    NotFound,
    /// No provider lists a model of that name.
    #[error("There is no model named '{model}'; GET /v1/models lists those there are")]
    UnknownModel {
        /// The name asked for.
        model: String,
    },
    /// The usage log has no record of a call.
    #[error("There is no record of this call: it was never kept, its time is over, or the id is another's")]
    UnknownCall,
    /// A page of the gateway's own was asked for with a method it does not have.
    #[error("This page answers GET and HEAD only")]
    MethodNotAllowed,
    /// CONNECT and TRACE, which are for proxies.
    #[error("CONNECT and TRACE are not served: this is a gateway to configured services, not a proxy")]
    Connect,
    /// `/gateway` without a service and a path.
    #[error(
        "A call needs a service and a path: /gateway/{{service}}/{{path}}, for example /gateway/openai/v1/chat/completions"
    )]
    MalformedPath,
    /// The path holds a trick or a mistake.
    #[error("The path is refused: {0}. Example: /gateway/openai/v1/chat/completions")]
    BadPath(#[from] Flaw),
    /// The request breaks a rule of HTTP.
    #[error("The request is not valid HTTP: {0}")]
    BadRequest(&'static str),
    /// The caller is not admitted.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// What the caller shows is not good.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// The caller may not do this.
    #[error("{0}")]
    OutsideScope(Box<Outside>),
    /// A page that needs a setting which is not there.
    #[error("{0}")]
    NotConfigured(&'static str),
    /// A limit or a budget of the caller's is spent.
    #[error("{0}")]
    Limited(Box<Limited>),
    /// Shared state that cannot be reached now.
    #[error("The store cannot be reached; try again")]
    StoreUnavailable,
    /// The request's head is larger than can be taken here.
    #[error(
        "The request's head is too large: the limit is {limit} bytes. Send fewer or shorter headers, or raise MAX_HEADER_SIZE"
    )]
    HeadTooLarge {
        /// The most bytes taken.
        limit: usize,
    },
    /// The request body is larger than can be taken here.
    #[error("{}", body_too_large(*limit, *size))]
    BodyTooLarge {
        /// The most bytes taken.
        limit: usize,
        /// The size, where it was announced.
        size: Option<usize>,
    },
    /// An image, or a request with the images in it, is larger than can be taken here.
    #[error(
        "{what} has {size} bytes; the limit is {limit} bytes. Send smaller images, or raise {setting} where the platform allows it"
    )]
    TooLarge {
        /// What, as the beginning of a sentence.
        what: String,
        /// How large it is.
        size: usize,
        /// The most bytes taken.
        limit: usize,
        /// The setting that says so.
        setting: &'static str,
    },
    /// The client stopped sending its body.
    #[error("The request body stopped arriving for {} s; send it again", stall.as_secs())]
    BodySlow {
        /// How long was waited.
        stall: Duration,
    },
    /// The client's body took longer than the whole call may.
    #[error(
        "The request body had not arrived when the call had to end (TOTAL_TIMEOUT, or the platform's own limit)"
    )]
    BodyLate,
    /// The client's body ended early or was malformed.
    #[error("The request body ended early or is not framed as its headers say")]
    BodyBroken {
        /// What the door says of it.
        source: BoxError,
    },
    /// The provider's reply is larger than the limit.
    #[error(
        "The reply of '{service}' is larger than the limit of {limit} bytes. Ask for less, or raise MAX_RESPONSE_SIZE or the service's maxResponseSize"
    )]
    ReplyTooLarge {
        /// The service.
        service: String,
        /// The most bytes relayed.
        limit: u64,
    },
    /// The provider could not be reached, or did not answer.
    #[error("{}", fault.told(service))]
    Upstream {
        /// The service.
        service: String,
        /// What went wrong.
        fault: Fault,
        /// What the client library says of it, for the log.
        source: Option<BoxError>,
    },
    /// What a provider answered, retold: in a stream that had begun, or in the words of another API.
    #[error("{}", .0.message)]
    Provider(Box<Told>),
    /// A provider that was asked for a stream, and had kept its client waiting, sent something else.
    #[error("The provider was asked for a stream of events and answered with something else")]
    NoStream,
    /// The request cannot be served as it is: it is malformed, or its provider cannot hold it.
    #[error("{}", .0.message)]
    Unfit(Box<Refusal>),
    /// The background function could not be reached, and the edge lane may not take over.
    #[error(
        "The background function could not be reached, and falling back to the edge lane is switched off"
    )]
    BackgroundUnreachable,
    /// The background function took the call and failed without an answer of its own.
    #[error(
        "The background function failed after it had taken the call. It is not sent again, because the provider may have served it"
    )]
    BackgroundFailed,
    /// There is no room for another connection.
    #[error(
        "The gateway is serving as many connections as it can; try again in a second. MAX_CONNECTIONS, or the process's limit of file descriptors, is the bound"
    )]
    Full,
    /// The process is ending.
    #[error("The gateway is shutting down; what came so far is incomplete. Try again")]
    Closing,
    /// The settings cannot be used.
    #[error("The gateway's settings cannot be used: {0}")]
    Settings(String),
    /// A bug of ours.
    #[error("The gateway failed on this call; its log has the details under the request id")]
    Panic,
}

/// The vocabulary of `error.type` under `/gateway`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A clock ran out.
    Timeout,
    /// A connection ended where it should not, or carried nonsense.
    Network,
    /// A host name did not resolve.
    Dns,
    /// A connection could not be made.
    Connection,
    /// TLS failed.
    Ssl,
    /// Too many bytes.
    SizeLimit,
    /// The client's mistake.
    InvalidRequest,
    /// Not admitted.
    Unauthorized,
    /// Admitted, but not to this.
    Forbidden,
    /// Too much, too fast.
    RateLimit,
    /// Nothing there.
    NotFound,
    /// Anything else.
    Unknown,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::Network => "NETWORK",
            Self::Dns => "DNS",
            Self::Connection => "CONNECTION",
            Self::Ssl => "SSL",
            Self::SizeLimit => "SIZE_LIMIT",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
            Self::RateLimit => "RATE_LIMIT",
            Self::NotFound => "NOT_FOUND",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// An error's status, its `type` under `/gateway` and its `code`.
type Terms = (StatusCode, Kind, &'static str);

impl Error {
    /// What the error is in HTTP's words and in ours.
    fn terms(&self) -> Terms {
        match self {
            Self::UnknownService { .. } => (StatusCode::NOT_FOUND, Kind::NotFound, "unknown_service"),
            Self::NotFound => (StatusCode::NOT_FOUND, Kind::NotFound, "not_found"),
            Self::UnknownModel { .. } => (StatusCode::NOT_FOUND, Kind::NotFound, "model_not_found"),
            Self::UnknownCall => (StatusCode::NOT_FOUND, Kind::NotFound, "unknown_call"),
            Self::MethodNotAllowed | Self::Connect => {
                (StatusCode::METHOD_NOT_ALLOWED, Kind::InvalidRequest, "method_not_allowed")
            }
            Self::MalformedPath | Self::BadPath(_) => {
                (StatusCode::BAD_REQUEST, Kind::InvalidRequest, "malformed_path")
            }
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, Kind::InvalidRequest, "bad_request"),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, Kind::Unauthorized, "unauthorized"),
            Self::Denied(denied) => (StatusCode::UNAUTHORIZED, Kind::Unauthorized, denied.code()),
            Self::OutsideScope(_) => (StatusCode::FORBIDDEN, Kind::Forbidden, "outside_scope"),
            Self::NotConfigured(_) => (StatusCode::NOT_IMPLEMENTED, Kind::Unknown, "not_configured"),
            Self::Limited(limited) => {
                let code = if limited.budget { "budget_exceeded" } else { "rate_limit_exceeded" };
                (StatusCode::TOO_MANY_REQUESTS, Kind::RateLimit, code)
            }
            Self::StoreUnavailable => (StatusCode::SERVICE_UNAVAILABLE, Kind::Unknown, "store_unavailable"),
            Self::HeadTooLarge { .. } => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Kind::SizeLimit, "head_too_large")
            }
            Self::BodyTooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, Kind::SizeLimit, "request_too_large")
            }
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, Kind::SizeLimit, "image_too_large"),
            Self::BodySlow { .. } | Self::BodyLate => {
                (StatusCode::REQUEST_TIMEOUT, Kind::Timeout, "request_timeout")
            }
            Self::BodyBroken { .. } => (StatusCode::BAD_REQUEST, Kind::InvalidRequest, "broken_body"),
            Self::ReplyTooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, Kind::SizeLimit, "response_too_large")
            }
            Self::Upstream { fault, .. } => fault.terms(),
            Self::Provider(told) => (status_of(told), Kind::Unknown, "provider_error"),
            Self::Unfit(refusal) => (StatusCode::BAD_REQUEST, Kind::InvalidRequest, refusal.code),
            Self::NoStream => (StatusCode::BAD_GATEWAY, Kind::Network, "no_stream"),
            Self::BackgroundUnreachable => {
                (StatusCode::BAD_GATEWAY, Kind::Connection, "background_unreachable")
            }
            Self::BackgroundFailed => (StatusCode::BAD_GATEWAY, Kind::Network, "background_failed"),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, Kind::Connection, "overloaded"),
            Self::Closing => (StatusCode::SERVICE_UNAVAILABLE, Kind::Unknown, "shutting_down"),
            Self::Settings(_) => (StatusCode::INTERNAL_SERVER_ERROR, Kind::Unknown, "invalid_settings"),
            Self::Panic => (StatusCode::INTERNAL_SERVER_ERROR, Kind::Unknown, "internal_error"),
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.terms().0
    }

    /// The code, for clients that branch on it and for the log.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.terms().2
    }

    /// When to try again, in seconds, where that is known: what is limited says so, and room comes free as calls end.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Limited(limited) => Some(limited.seconds()),
            Self::Full | Self::StoreUnavailable | Self::Upstream { fault: Fault::Exhausted, .. } => Some(1),
            _ => None,
        }
    }

    /// A request that cannot be served, and the parameter at fault.
    #[must_use]
    pub fn unfit(code: &'static str, param: Option<&str>, message: impl Into<String>) -> Self {
        Self::Unfit(Box::new(Refusal { message: message.into(), param: param.map(str::to_owned), code }))
    }

    /// Why a reply's body failed: in our own words where it was watched, else the client library's.
    #[must_use]
    pub fn broken(source: BoxError, service: &str) -> Self {
        match source.downcast::<Self>() {
            Ok(error) => *error,
            Err(source) => {
                Self::Upstream { service: service.to_owned(), fault: Fault::Cut, source: Some(source) }
            }
        }
    }

    /// Whether the gateway refused the call without trying to reach a provider.
    #[must_use]
    pub fn refused(&self) -> bool {
        !matches!(
            self,
            Self::Upstream { .. }
                | Self::Provider(_)
                | Self::NoStream
                | Self::ReplyTooLarge { .. }
                | Self::BackgroundFailed
                | Self::Closing
                | Self::Panic
        )
    }
}

impl From<Outside> for Error {
    fn from(outside: Outside) -> Self {
        Self::OutsideScope(Box::new(outside))
    }
}

impl From<Limited> for Error {
    fn from(limited: Limited) -> Self {
        Self::Limited(Box::new(limited))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Unfit(Box::new(refusal))
    }
}

fn status_of(told: &Told) -> StatusCode {
    StatusCode::from_u16(told.status).unwrap_or(StatusCode::BAD_GATEWAY)
}

fn body_too_large(limit: usize, size: Option<usize>) -> String {
    let size = size.map_or_else(|| "more than that".to_owned(), |size| format!("{size} bytes"));
    format!(
        "The request body is too large: the limit is {limit} bytes, yours has {size}. \
         Send less, or raise MAX_REQUEST_SIZE where the platform allows it"
    )
}

/// What the log says of an error, in words of our own only: a provider may repeat a key or a prompt in its, and the
/// refusal of a request quotes the request.
#[must_use]
pub fn logged(error: &Error) -> String {
    match error {
        Error::Provider(_) => "the provider answered with an error".to_owned(),
        Error::Unfit(_) => "the request cannot be served as it is".to_owned(),
        Error::OutsideScope(outside) => {
            format!("the token's scope '{}' does not cover it", outside.scope.as_str())
        }
        error => error.to_string(),
    }
}

/// The chain of causes behind an error, for the log. Libraries' own words only: none of them prints a URL or a header.
#[must_use]
pub fn causes(error: &Error) -> String {
    let mut words = Vec::new();
    let mut next = match error {
        Error::Upstream { source: Some(source), .. } | Error::BodyBroken { source } => {
            Some(source.as_ref() as &dyn std::error::Error)
        }
        _ => None,
    };
    while let Some(cause) = next {
        words.push(cause.to_string());
        next = cause.source();
    }
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::route::Surface;
    use crate::upstream::Fault;

    fn timeout() -> Error {
        Error::Upstream { service: "openai".to_owned(), fault: Fault::FirstByte, source: None }
    }

    #[test]
    fn under_gateway_an_error_has_the_gateway_s_shape() {
        let json = timeout().json(Surface::Gateway, "id-1");
        assert_eq!(json["error"]["type"], "TIMEOUT");
        assert_eq!(json["error"]["code"], "upstream_timeout");
        assert_eq!(json["error"]["request_id"], "id-1");
        assert!(json["error"]["param"].is_null());
        assert_eq!(json["status"], 504);
        humantime::parse_rfc3339(json["error"]["timestamp"].as_str().unwrap()).unwrap();
    }

    #[test]
    fn under_v1_an_error_speaks_openai_s_words() {
        assert_eq!(timeout().json(Surface::V1, "id-1")["error"]["type"], "timeout_error");
    }

    #[test]
    fn an_anthropic_client_gets_anthropic_s_whole_shape() {
        let json = Error::BodyTooLarge { limit: 1, size: None }.json(Surface::V1Anthropic, "id-1");
        assert_eq!(json["type"], "error");
        assert_eq!(json["error"]["type"], "request_too_large");
        assert_eq!(json["request_id"], "id-1");
    }

    #[test]
    fn the_log_does_not_repeat_what_a_provider_or_a_client_wrote() {
        let told = twinlane_dialects::errors::read(401, None, b"Incorrect API key: sk-1");
        let unfit = Error::unfit("invalid_value", Some("sk-1"), "'sk-1' is not a model");
        for error in [Error::Provider(Box::new(told)), unfit] {
            assert!(error.to_string().contains("sk-1"), "the client is told: {error}");
            let logged = format!("{} {} {}", super::logged(&error), super::causes(&error), error.code());
            assert!(!logged.contains("sk-1"), "{logged}");
        }
        assert_eq!(super::logged(&timeout()), timeout().to_string());
    }

    #[test]
    fn a_body_too_large_names_the_limit_the_size_and_the_remedy() {
        let told = Error::BodyTooLarge { limit: 100, size: Some(250) }.to_string();
        for part in ["100 bytes", "250 bytes", "MAX_REQUEST_SIZE"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
