//! Signed requests, for servers that will not send a bearer: each request carries an HMAC over what it asks for, which is
//! of no use to whoever sees it.
//!
//! The digest of the body is in the header and signed with the rest, so that the head alone decides whom to believe; the
//! body is compared with its digest once it is there. `docs/access.md` has the format with examples.

use ring::{digest, hmac};

use crate::{Denied, Seconds};

/// The word before the parameters.
const SCHEME: &str = "TWINLANE-HMAC-SHA256 ";

/// How far a request's time may be from ours, either way.
pub(crate) const WINDOW: Seconds = 300;

/// The SHA-256 of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

/// The parameters of a header that holds a request's signature, where it holds one.
#[must_use]
pub fn signature_of(header: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = header.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME.as_bytes()).then_some(rest)
}

/// The digest of a body.
#[must_use]
pub fn digest(body: &[u8]) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, body).as_ref());
    Digest(bytes)
}

impl Digest {
    /// Whether a body is the one that was signed.
    ///
    /// # Errors
    /// [`Denied::BodyChanged`].
    pub fn check(&self, body: &[u8]) -> Result<(), Denied> {
        // Not a secret: whoever sent the body knows its digest, so comparing it tells nobody anything.
        if digest(body) == *self { Ok(()) } else { Err(Denied::BodyChanged) }
    }
}

/// A request's signature, as its header tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose it says it is.
    pub key: String,
    /// When it says it was made.
    pub time: Seconds,
    /// The digest that it says its body has.
    pub digest: Digest,
    nonce: String,
    pub(crate) tag: [u8; 32],
}

impl Signature {
    /// Reads the parameters: each of five once, in any order.
    ///
    /// # Errors
    /// [`Denied::SignatureMalformed`].
    pub fn read(parameters: &[u8]) -> Result<Self, Denied> {
        Self::parse(parameters).ok_or(Denied::SignatureMalformed)
    }

    fn parse(parameters: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(parameters).ok().filter(|text| text.len() <= 1024)?;
        let pairs: Vec<(&str, &str)> =
            text.split(',').map(|pair| pair.trim().split_once('=')).collect::<Option<_>>()?;
        let one = |name: &str| {
            let mut values = pairs.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value);
            values.next().filter(|value| !value.is_empty() && values.next().is_none())
        };
        let (key, time, nonce) = (one("key")?, one("time")?, one("nonce")?);
        let is_plain = pairs.len() == 5 && is_word(key, 1) && is_word(nonce, 8);
        let is_number = time.len() <= 12 && time.bytes().all(|byte| byte.is_ascii_digit());
        (is_plain && is_number).then_some(())?;
        Some(Self {
            key: key.to_owned(),
            time: time.parse().ok()?,
            nonce: nonce.to_owned(),
            digest: Digest(unhex(one("digest")?)?),
            tag: unhex(one("signature")?)?,
        })
    }

    /// Whether a secret made it for this method and target (path and query, as they were sent), about now.
    ///
    /// # Errors
    /// [`Denied::SignatureWrong`] and [`Denied::SignatureStale`].
    pub fn check(&self, secret: &[u8], method: &str, target: &str, now: Seconds) -> Result<(), Denied> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let message = self.message(method, target);
        hmac::verify(&key, message.as_bytes(), &self.tag).map_err(|_| Denied::SignatureWrong)?;
        if now.abs_diff(self.time) > WINDOW { Err(Denied::SignatureStale) } else { Ok(()) }
    }

    /// What tells this signature from every other one: to change it needs the key.
    #[must_use]
    pub fn mark(&self) -> String {
        hex(&self.tag)
    }

    /// From when on it is not taken any more.
    #[must_use]
    pub fn ends(&self) -> Seconds {
        self.time.saturating_add(WINDOW + 1)
    }

    /// What is signed: seven lines, the last without an end.
    fn message(&self, method: &str, target: &str) -> String {
        let Self { key, time, nonce, digest, .. } = self;
        format!("TWINLANE-HMAC-SHA256\n{key}\n{time}\n{nonce}\n{method}\n{target}\n{}", hex(&digest.0))
    }
}

fn is_word(text: &str, shortest: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (shortest..=64).contains(&text.len()) && text.bytes().all(plain)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Vec<u8> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<_>>()?;
    bytes.try_into().ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Digest, Signature, digest, hex, signature_of};
    use crate::Denied;

    const SECRET: &[u8] = b"an-example-secret-of-32-bytes-ok";
    const TIME: u64 = 1_767_225_600;

    fn read(parameters: &str) -> Result<Signature, Denied> {
        Signature::read(parameters.as_bytes())
    }

    fn example() -> Signature {
        read(
            "key=backend, time=1767225600, nonce=3f9c2a7be1d04856, \
             digest=8b0ac1fd48d7b9fba4e0d2a36ce7ce18e68bd4cd21bc47f7aae1cdfe2dc6b0da, \
             signature=0000000000000000000000000000000000000000000000000000000000000000",
        )
        .unwrap()
    }

    fn signed(method: &str, target: &str, body: &[u8]) -> Signature {
        let mut signature = Signature { digest: digest(body), ..example() };
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET);
        let tag = ring::hmac::sign(&key, signature.message(method, target).as_bytes());
        signature.tag.copy_from_slice(tag.as_ref());
        signature
    }

    /// The example of docs/access.md. Whoever signs by that page is held to these numbers.
    #[test]
    fn the_test_vectors_of_the_documentation_hold() {
        let body = br#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}],"max_tokens":5}"#;
        for (method, target, body, digested, tag) in [
            (
                "POST",
                "/v1/chat/completions?trace=a%20b",
                &body[..],
                "7213d12d6d74a61d129239865df3132aedf41c2bdddf82dd6ff4684e00853aa9",
                "4ba764238d57b6bd6b7e760cef826d53f10e54826f691a9ac390c1dd045d5a23",
            ),
            (
                "GET",
                "/v1/models",
                b"",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "656cf267f2985d8fd9d050a0c798ac019126ebc9d151929f1b8a5289ce87b7b4",
            ),
        ] {
            assert_eq!(hex(&digest(body).0), digested, "{method}");
            assert_eq!(hex(&signed(method, target, body).tag), tag, "{method}");
        }
    }

    #[test]
    fn a_signature_is_good_for_its_request_and_its_time_only() {
        let signature = signed("POST", "/v1/x?a=1", b"{}");
        let check = |secret, method, target, now| signature.check(secret, method, target, now);
        assert_eq!(check(SECRET, "POST", "/v1/x?a=1", TIME), Ok(()));
        assert_eq!(check(SECRET, "POST", "/v1/x?a=1", TIME + 300), Ok(()));
        assert_eq!(check(SECRET, "POST", "/v1/x?a=1", TIME - 300), Ok(()));
        assert_eq!(check(SECRET, "POST", "/v1/x?a=1", TIME + 301), Err(Denied::SignatureStale));
        assert_eq!(check(SECRET, "POST", "/v1/x?a=1", TIME - 301), Err(Denied::SignatureStale));
        for (secret, method, target) in [
            (&b"another"[..], "POST", "/v1/x?a=1"),
            (SECRET, "GET", "/v1/x?a=1"),
            (SECRET, "POST", "/v1/x"),
            (SECRET, "POST", "/v1/x?a=2"),
        ] {
            assert_eq!(check(secret, method, target, TIME), Err(Denied::SignatureWrong), "{method} {target}");
        }
        assert_eq!(signature.digest.check(b"{}"), Ok(()));
        assert_eq!(signature.digest.check(b"{} "), Err(Denied::BodyChanged));
    }

    #[test]
    fn no_parameter_can_be_changed() {
        let signature = signed("GET", "/", b"");
        let changed = [
            Signature { key: "other".to_owned(), ..signature.clone() },
            Signature { time: TIME + 1, ..signature.clone() },
            Signature { nonce: "another-nonce".to_owned(), ..signature.clone() },
            Signature { digest: Digest([7; 32]), ..signature },
        ];
        for changed in changed {
            assert_eq!(changed.check(SECRET, "GET", "/", TIME), Err(Denied::SignatureWrong), "{changed:?}");
        }
    }

    #[test]
    fn what_is_not_five_parameters_each_once_is_malformed() {
        let (nonce, hash) = ("nonce=12345678", "0".repeat(64));
        let rest = format!("digest={hash},signature={hash}");
        assert!(read(&format!("key=a,time=1,{nonce},{rest}")).is_ok());
        for wrong in [
            String::new(),
            "key=a".to_owned(),
            format!("key=a,time=1,{nonce},digest={hash}"),
            format!("key=a,key=a,time=1,{nonce},{rest}"),
            format!("key=a,time=1,{nonce},{rest},more=1"),
            format!("key=,time=1,{nonce},{rest}"),
            format!("key=a b,time=1,{nonce},{rest}"),
            format!("key=a,time=-1,{nonce},{rest}"),
            format!("key=a,time=+1,{nonce},{rest}"),
            format!("key=a,time=1,nonce=short,{rest}"),
            format!("key=a,time=1,{nonce},digest={hash}0,signature={hash}"),
            format!("key=a,time=1,{nonce},digest={hash},signature=g{}", &hash[1..]),
            format!("key=a,time=1,{nonce},digest={hash},signature={}", &hash[2..]),
        ] {
            assert_eq!(read(&wrong), Err(Denied::SignatureMalformed), "{wrong}");
        }
    }

    #[test]
    fn the_scheme_is_known_in_any_case() {
        assert_eq!(signature_of(b"twinlane-hmac-sha256 key=a"), Some(&b"key=a"[..]));
        for other in ["Bearer x", "TWINLANE-HMAC-SHA256", "TWINLANE-HMAC-SHA256x key=a", ""] {
            assert_eq!(signature_of(other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(text in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = signature_of(&text);
            prop_assert!(Signature::read(&text).is_err());
        }

        #[test]
        fn a_bit_changed_anywhere_in_the_tag_is_refused(at in 0..256_usize) {
            let mut signature = signed("GET", "/", b"");
            signature.tag[at / 8] ^= 1 << (at % 8);
            prop_assert_eq!(signature.check(SECRET, "GET", "/", TIME), Err(Denied::SignatureWrong));
        }
    }
}
