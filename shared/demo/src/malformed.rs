//! The raw bytes of replies that no HTTP server should send.

use bytes::Bytes;

use crate::reply::Reply;

/// Larger than any header section a sane client accepts.
const HUGE: usize = 1 << 20;

/// How a reply breaks HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    StatusLine,
    BadChunk,
    TwoLengths,
    LengthAndChunked,
    UnknownTransferEncoding,
    HeaderName,
    Http09,
    Switching,
    Informational,
    HugeHead,
}

impl Malformed {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "status-line" => Self::StatusLine,
            "bad-chunk" => Self::BadChunk,
            "two-lengths" => Self::TwoLengths,
            "length-and-chunked" => Self::LengthAndChunked,
            "te-unknown" => Self::UnknownTransferEncoding,
            "header-name" => Self::HeaderName,
            "http09" => Self::Http09,
            "switching" => Self::Switching,
            "informational" => Self::Informational,
            "huge-head" => Self::HugeHead,
            _ => return None,
        })
    }

    /// The bytes to write; `reply` is what would have been said.
    pub(crate) fn bytes(self, reply: Reply) -> Bytes {
        let fixed: &'static str = match self {
            Self::StatusLine => "HTTP/1.1 two-hundred OK\r\ncontent-length: 2\r\n\r\n{}",
            Self::BadChunk => {
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n{}\r\n0\r\n\r\n"
            }
            Self::TwoLengths => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 4\r\n\r\n{}{}",
            Self::LengthAndChunked => concat!(
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
                "2\r\n{}\r\n0\r\n\r\n"
            ),
            Self::UnknownTransferEncoding => "HTTP/1.1 200 OK\r\ntransfer-encoding: banana\r\n\r\n{}",
            Self::HeaderName => "HTTP/1.1 200 OK\r\nbad header name: 1\r\ncontent-length: 2\r\n\r\n{}",
            Self::Http09 => "{\"demo\":\"a body without a head\"}\n",
            Self::Switching => {
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: demo\r\n\r\n\u{1}\u{2}"
            }
            Self::Informational => return informational(reply),
            Self::HugeHead => return huge_head(),
        };
        Bytes::from_static(fixed.as_bytes())
    }
}

/// A 103 that a client must skip, then the proper reply, written by hand and ended by closing.
fn informational(reply: Reply) -> Bytes {
    let hint = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";
    [&hint[..], &by_hand(reply)].concat().into()
}

fn by_hand(reply: Reply) -> Vec<u8> {
    let Reply { status, headers, content } = reply;
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in &headers {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let body = content.collect();
    bytes.extend(format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()).into_bytes());
    bytes.extend(body);
    bytes
}

fn huge_head() -> Bytes {
    let filler = "x".repeat(HUGE);
    format!("HTTP/1.1 200 OK\r\nx-huge: {filler}\r\ncontent-length: 2\r\n\r\n{{}}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_informational_head_is_followed_by_the_proper_reply() {
        let bytes = Malformed::Informational.bytes(Reply::bytes("text/plain", "hello"));
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.starts_with("HTTP/1.1 103 "), "{text}");
        assert!(text.contains("\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nhello"), "{text}");
    }
}
