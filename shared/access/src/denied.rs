//! Why somebody is not admitted, in words that are safe to tell a stranger.

/// Why a token or a signature is refused. Nothing of either is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is longer than any token of ours.
    #[error("The token is longer than 4096 bytes, so it is none of ours")]
    TooLong,
    /// It cannot be read.
    #[error("The token is malformed; send it exactly as it was issued")]
    Malformed,
    /// Its signature is not by a secret of ours.
    #[error("The token was not issued by this gateway, was changed, or its secret has been rotated out")]
    Foreign,
    /// Its time is over.
    #[error("The token has expired; ask for a new one")]
    Expired,
    /// Its time has not come.
    #[error("The token is not valid yet; the clocks differ by more than 30 s, or it was issued for later")]
    NotYet,
    /// It was called back.
    #[error("The token has been revoked; ask for a new one")]
    Revoked,
    /// It came beside another one.
    #[error("Two different gateway tokens were sent; send one")]
    Doubled,
    /// A signed request's header cannot be read.
    #[error(
        "The request's signature is malformed; send 'TWINLANE-HMAC-SHA256 key=…, time=…, nonce=…, digest=…, signature=…' once"
    )]
    SignatureMalformed,
    /// A signed request is not by a key of ours, or not for this request.
    #[error(
        "The request's signature is wrong: the key, or what was signed (method, path with query, time, nonce, digest), is not this request's"
    )]
    SignatureWrong,
    /// A signed request is too old, or from the future.
    #[error(
        "The request was signed more than 300 s ago or ahead; sign it when you send it, and check the clock"
    )]
    SignatureStale,
    /// A signed request came before.
    #[error("The request was sent before; sign each one anew, with a new nonce")]
    Replayed,
    /// The body is not the one whose digest was signed.
    #[error("The request's body is not the one whose digest was signed")]
    BodyChanged,
}

impl Denied {
    /// The code, for clients that branch on it and for the log.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong | Self::Malformed => "token_malformed",
            Self::Foreign => "token_foreign",
            Self::Expired => "token_expired",
            Self::NotYet => "token_not_yet_valid",
            Self::Revoked => "token_revoked",
            Self::Doubled => "token_doubled",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureWrong => "signature_wrong",
            Self::SignatureStale => "signature_stale",
            Self::Replayed => "signature_replayed",
            Self::BodyChanged => "signature_body_changed",
        }
    }
}
