//! The ways a provider can fail to answer, told apart by what an operator would do about them.

use std::error::Error as StdError;

use http::StatusCode;
use hyper_util::client::legacy::Error as ClientError;

use super::connect::TooSlow;
use crate::error::Kind;

/// What went wrong between us and a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The host name did not resolve.
    Dns,
    /// The connection was refused or could not be routed.
    Connect,
    /// This process has no file descriptor left for a connection.
    Exhausted,
    /// The connection did not come about in time.
    ConnectTimeout,
    /// TLS failed.
    Tls,
    /// The provider stopped taking the request's body.
    Upload,
    /// The request was sent, and the reply's head did not come in time.
    FirstByte,
    /// The reply went silent.
    Idle,
    /// The platform, or the operator's clock over the whole call, ends it.
    Deadline,
    /// The connection ended before the reply's first or last byte.
    Cut,
    /// The stream ended properly, but without its protocol's end.
    Unfinished,
    /// What came is not HTTP that can be relayed soundly.
    Malformed,
}

impl Fault {
    /// Recognises a client error by the chain of its sources.
    pub(super) fn of(error: &ClientError) -> Self {
        let chain =
            || std::iter::successors(error.source(), |cause: &&(dyn StdError + 'static)| (*cause).source());
        if !error.is_connect() {
            let parse =
                chain().filter_map(|cause| cause.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse);
            return if parse { Self::Malformed } else { Self::Cut };
        }
        if chain().any(|cause| cause.is::<TooSlow>()) {
            Self::ConnectTimeout
        } else if chain().any(is_tls) {
            Self::Tls
        } else if chain().any(is_exhaustion) {
            Self::Exhausted
        } else if chain().any(|cause| cause.to_string() == "dns error") {
            Self::Dns
        } else {
            Self::Connect
        }
    }

    /// Whether a provider cannot have seen the request.
    pub(crate) fn never_sent(self) -> bool {
        matches!(self, Self::Dns | Self::Connect | Self::Exhausted | Self::ConnectTimeout | Self::Tls)
    }

    /// The fault's code.
    pub(crate) fn code(self) -> &'static str {
        self.terms().2
    }

    /// The fault in HTTP's words and in ours: what happened at the provider's side is 502, waiting in vain is 504, and
    /// what happened at ours is 503.
    pub(crate) fn terms(self) -> (StatusCode, Kind, &'static str) {
        match self {
            Self::Dns => (StatusCode::BAD_GATEWAY, Kind::Dns, "upstream_dns"),
            Self::Connect => (StatusCode::BAD_GATEWAY, Kind::Connection, "upstream_unreachable"),
            Self::Exhausted => (StatusCode::SERVICE_UNAVAILABLE, Kind::Connection, "overloaded"),
            Self::ConnectTimeout => (StatusCode::GATEWAY_TIMEOUT, Kind::Timeout, "connect_timeout"),
            Self::Tls => (StatusCode::BAD_GATEWAY, Kind::Ssl, "upstream_tls"),
            Self::Upload => (StatusCode::GATEWAY_TIMEOUT, Kind::Timeout, "upload_timeout"),
            Self::FirstByte => (StatusCode::GATEWAY_TIMEOUT, Kind::Timeout, "upstream_timeout"),
            Self::Idle => (StatusCode::GATEWAY_TIMEOUT, Kind::Timeout, "upstream_idle"),
            Self::Deadline => (StatusCode::GATEWAY_TIMEOUT, Kind::Timeout, "deadline"),
            Self::Cut => (StatusCode::BAD_GATEWAY, Kind::Network, "upstream_closed"),
            Self::Unfinished => (StatusCode::BAD_GATEWAY, Kind::Network, "upstream_unfinished"),
            Self::Malformed => (StatusCode::BAD_GATEWAY, Kind::Network, "upstream_malformed"),
        }
    }

    /// The fault for the person who reads it.
    pub(crate) fn told(self, service: &str) -> String {
        let what = match self {
            Self::Dns => "has a host name that does not resolve; check the service's host",
            Self::Connect => "refused the connection or could not be routed to; try again later",
            Self::Exhausted => {
                "could not be connected to: the gateway has no file descriptor left (ulimit -n); try again in a second"
            }
            Self::ConnectTimeout => {
                "did not accept a connection in time; try again later, or raise CONNECT_TIMEOUT"
            }
            Self::Tls => "could not be trusted: its TLS certificate or protocol was refused",
            Self::Upload => "stopped taking the request; BODY_TIMEOUT is the clock",
            Self::FirstByte => {
                "did not answer in time. It may have done the work: a repeated request may be billed again. \
                 Ask for a stream, or raise DEFAULT_TIMEOUT (edge) or BACKGROUND_TIMEOUT"
            }
            Self::Idle => {
                "stopped in the middle of its reply; what came before is incomplete. IDLE_TIMEOUT is the clock"
            }
            Self::Deadline => {
                "did not finish before the call had to end (TOTAL_TIMEOUT, or the platform's own limit)"
            }
            Self::Cut => {
                "ended the connection before its reply was complete. \
                 It may have done the work: a repeated request may be billed again"
            }
            Self::Unfinished => "ended its stream without finishing the answer; what came is incomplete",
            Self::Malformed => "sent a reply that is not sound HTTP; nothing of it is passed on",
        };
        format!("The service '{service}' {what}")
    }
}

/// An `io::Error` hides what it was made of from the chain of sources, and TLS comes wrapped in two of them.
fn is_tls(cause: &(dyn StdError + 'static)) -> bool {
    let inside = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || inside.is_some_and(|inside| is_tls(inside))
}

/// EMFILE, this process's own limit, and ENFILE, the whole machine's, which have these numbers on every Unix.
fn is_exhaustion(cause: &(dyn StdError + 'static)) -> bool {
    let code = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
    matches!(code, Some(23 | 24))
}
