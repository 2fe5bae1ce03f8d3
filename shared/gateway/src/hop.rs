//! The signature on the hop from the edge to the background, and the marker on its answer.
//!
//! With a valid signature the background believes who the caller is, which id the call has, and that the call was within
//! the scope of its token as it came in; without one the request is an ordinary one. The token itself it verifies. Nothing about the target is ever believed: the background reads the path itself. The body is not
//! signed, because the signature decides about the head, before the body is read.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use ring::hmac;

use crate::secret::Secret;

/// Carries the signature.
pub const SIGNATURE: HeaderName = HeaderName::from_static("x-twinlane-hop");

/// On every request of the edge to the background. A gateway that gets one does not send it on to a background again.
pub const HOPPED: HeaderName = HeaderName::from_static("x-twinlane-hopped");

/// On every answer of the background function: that it ran, and whether it refused the call before trying a provider.
pub const MARKER: HeaderName = HeaderName::from_static("x-twinlane-background");

/// On an answer of the background: it believed the signature of the request.
pub const VOUCHED: HeaderName = HeaderName::from_static("x-twinlane-vouched");

/// The marker of an answer that the background gave without having tried a provider.
pub const REFUSED: &str = "refused";

/// The marker of any other answer.
pub const ANSWERED: &str = "answered";

/// How far the clocks of two functions may differ, and how long a captured header would be of use.
const WINDOW: Duration = Duration::from_secs(60);

/// What the edge vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// The id under which the edge logs the call.
    pub id: String,
    /// The caller's address.
    pub address: Option<IpAddr>,
}

/// Signs a hop.
#[must_use]
pub fn sign(
    secret: &Secret,
    now: SystemTime,
    method: &Method,
    target: &str,
    vouched: &Vouched,
) -> Option<HeaderValue> {
    let address = vouched.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    let claim = format!("v1 {} {} {address}", unix(now), vouched.id);
    let tag = hmac::sign(&key(secret), &message(&claim, method, target));
    let mut value = HeaderValue::try_from(format!("{claim} {}", hex(tag.as_ref()))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What a request's hop header vouches for; `None` where there is none, or it is not to be believed.
#[must_use]
pub fn verify(
    secret: &Secret,
    now: SystemTime,
    method: &Method,
    target: &str,
    headers: &HeaderMap,
) -> Option<Vouched> {
    let (claim, tag) = headers.get(SIGNATURE)?.to_str().ok()?.rsplit_once(' ')?;
    hmac::verify(&key(secret), &message(claim, method, target), &unhex(tag)?).ok()?;
    let mut words = claim.split(' ');
    let (Some("v1"), Some(time), Some(id), Some(address)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    let apart = unix(now).abs_diff(time.parse().ok()?);
    (apart <= WINDOW.as_secs()).then(|| Vouched { id: id.to_owned(), address: address.parse().ok() })
}

/// Marks an answer of the background function.
pub fn mark(headers: &mut HeaderMap, marker: &'static str, vouched: bool) {
    headers.insert(MARKER, HeaderValue::from_static(marker));
    if vouched {
        headers.insert(VOUCHED, HeaderValue::from_static("yes"));
    }
}

fn key(secret: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes())
}

fn message(claim: &str, method: &Method, target: &str) -> Vec<u8> {
    format!("twinlane hop\n{claim}\n{method}\n{target}").into_bytes()
}

fn unix(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{HeaderMap, Method};

    use super::{SIGNATURE, Vouched, sign, verify};
    use crate::secret::Secret;

    fn vouched() -> Vouched {
        Vouched { id: "id-1".to_owned(), address: Some("203.0.113.7".parse().unwrap()) }
    }

    fn signed(now: SystemTime) -> HeaderMap {
        let value = sign(&Secret::new("s"), now, &Method::POST, "/v1/files?x=1", &vouched()).unwrap();
        HeaderMap::from_iter([(SIGNATURE, value)])
    }

    #[test]
    fn what_was_signed_is_believed() {
        let now = SystemTime::now();
        let believed = verify(&Secret::new("s"), now, &Method::POST, "/v1/files?x=1", &signed(now));
        assert_eq!(believed, Some(vouched()));
    }

    #[test]
    fn nothing_else_is() {
        let now = SystemTime::now();
        let headers = signed(now);
        let (secret, target) = (Secret::new("s"), "/v1/files?x=1");
        assert_eq!(verify(&Secret::new("other"), now, &Method::POST, target, &headers), None);
        assert_eq!(verify(&secret, now, &Method::GET, target, &headers), None);
        assert_eq!(verify(&secret, now, &Method::POST, "/v1/files", &headers), None);
        assert_eq!(verify(&secret, now + Duration::from_secs(61), &Method::POST, target, &headers), None);
        assert_eq!(verify(&secret, now, &Method::POST, target, &HeaderMap::new()), None);
        let forged = headers[SIGNATURE].to_str().unwrap().replace("203.0.113.7", "198.51.100.1");
        let forged = HeaderMap::from_iter([(SIGNATURE, forged.parse().unwrap())]);
        assert_eq!(verify(&secret, now, &Method::POST, target, &forged), None);
        for junk in ["", "v1", "v1 1 2 3 zz", "v1 1 2 3 abc", "é"] {
            let junk =
                HeaderMap::from_iter([(SIGNATURE, http::HeaderValue::from_bytes(junk.as_bytes()).unwrap())]);
            assert_eq!(verify(&secret, now, &Method::POST, target, &junk), None);
        }
    }
}
