//! The token itself: a grant, signed. A JWT with HS256, of a type of its own, by which it is told from providers' keys,
//! some of which are JWTs, too.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::grant::{Grant, Kind, LONGEST_IN_A_BROWSER, Rates};
use crate::hmac::lend;
use crate::{Denied, Seconds};

/// The `typ` of our tokens' headers.
const TYPE: &str = "twinlane+jwt";
/// The `aud` of their claims.
const AUDIENCE: &str = "twinlane";
/// The longest token that is read or made. It has to fit into a header beside others.
const LONGEST: usize = 4096;
/// The shortest secret that signs tokens, in bytes. Whoever holds a token can try secrets on it at leisure, so it
/// must be as long as what HMAC-SHA256 makes of it (RFC 7518, 3.2).
pub const SHORTEST_SECRET: usize = 32;

/// Whether a text is a token of this kind, be it valid or not: never a provider's key, so never for a provider.
#[must_use]
pub fn is_token(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'.');
    let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    // Ours are some 80 bytes; a longer one is not worth reading.
    let header = if header.len() <= 1024 { URL_SAFE_NO_PAD.decode(header).ok() } else { None };
    header
        .and_then(|header| serde_json::from_slice::<Type>(&header).ok())
        .is_some_and(|told| told.typ == TYPE)
}

#[derive(Deserialize)]
struct Type {
    typ: String,
}

/// The secrets that tokens are signed with: the first signs, all verify, so that one can be changed for another.
#[derive(Clone, Default)]
pub struct Keyring(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    sign: EncodingKey,
    verify: DecodingKey,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", self.0.len())
    }
}

impl Keyring {
    /// A ring of secrets. Those that are too short to sign tokens are left out.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        lend();
        let long = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_SECRET);
        Self(long.map(Key::new).collect())
    }

    /// Whether no token can be made or read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The token of a grant; `None` without a secret, or where the grant is too long for a header.
    #[must_use]
    pub fn sign(&self, grant: &Grant) -> Option<String> {
        let key = self.0.first()?;
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.id.clone());
        let token = jsonwebtoken::encode(&header, &Claims::of(grant), &key.sign).ok()?;
        (token.len() <= LONGEST).then_some(token)
    }

    /// What a token grants now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self, token: &[u8], now: Seconds) -> Result<Grant, Denied> {
        let grant = self.open(token)?;
        grant.at(now).map(|()| grant)
    }

    /// What a token grants at some time or other.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(&self, token: &[u8]) -> Result<Grant, Denied> {
        if token.len() > LONGEST {
            return Err(Denied::TooLong);
        }
        if !is_token(token) {
            return Err(Denied::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Denied::Malformed)?;
        // What a header declares critical has to be understood (RFC 7515, 4.1.11), and we know of nothing.
        if header.alg != Algorithm::HS256 || header.crit.is_some() {
            return Err(Denied::Malformed);
        }
        let key = self.0.iter().find(|key| Some(&key.id) == header.kid.as_ref()).ok_or(Denied::Foreign)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verify, &validation());
        claims.map_err(|error| denied(error.kind()))?.claims.grant()
    }
}

impl Key {
    fn new(secret: &str) -> Self {
        let bytes = secret.as_bytes();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"twinlane kid");
        Self {
            id: URL_SAFE_NO_PAD.encode(&tag.as_ref()[..8]),
            sign: EncodingKey::from_secret(bytes),
            verify: DecodingKey::from_secret(bytes),
        }
    }
}

/// What the library checks. The times are ours to check: it would look at the clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["aud", "exp"]);
    validation.validate_exp = false;
    validation
}

fn denied(kind: &ErrorKind) -> Denied {
    match kind {
        ErrorKind::InvalidSignature => Denied::Foreign,
        _ => Denied::Malformed,
    }
}

/// A grant as it stands in a token. A claim that is not known could be a restriction, so it is refused.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    jti: String,
    iat: Seconds,
    exp: Seconds,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "is_usual")]
    kind: Kind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    services: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    models: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origins: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rpm: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tpm: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    streams: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
}

fn is_usual(kind: &Kind) -> bool {
    *kind == Kind::default()
}

impl Claims {
    fn of(grant: &Grant) -> Self {
        Self {
            aud: AUDIENCE.to_owned(),
            jti: grant.id.clone(),
            iat: grant.issued,
            exp: grant.expires.unwrap_or(Seconds::MAX),
            name: grant.name.clone(),
            kind: grant.kind,
            services: grant.services.clone(),
            models: grant.models.clone(),
            paths: grant.paths.clone(),
            origins: grant.origins.clone(),
            rpm: grant.rates.rpm,
            tpm: grant.rates.tpm,
            streams: grant.rates.streams,
            budget: grant.budget.map(|budget| budget.to_string()),
            budget_id: Some(grant.budget_id.clone()).filter(|id| *id != grant.id),
            max_tokens: grant.max_tokens,
        }
    }

    /// The claims may have been signed by other means than ours, so what the gateway relies on is checked again.
    fn grant(self) -> Result<Grant, Denied> {
        let budget = self.budget.as_deref().map(str::parse).transpose().map_err(|_| Denied::Malformed)?;
        let page = self.kind == Kind::Browser;
        let too_long = page && self.exp.saturating_sub(self.iat) > LONGEST_IN_A_BROWSER;
        let anywhere = page && self.origins.is_empty();
        if too_long || anywhere || !is_id(&self.jti) || !self.budget_id.as_deref().is_none_or(is_id) {
            return Err(Denied::Malformed);
        }
        Ok(Grant {
            name: self.name,
            kind: self.kind,
            services: self.services,
            models: self.models,
            paths: self.paths,
            origins: self.origins,
            rates: Rates { rpm: self.rpm, tpm: self.tpm, streams: self.streams },
            budget,
            budget_id: self.budget_id.unwrap_or_else(|| self.jti.clone()),
            max_tokens: self.max_tokens,
            issued: self.iat,
            expires: Some(self.exp).filter(|exp| *exp != Seconds::MAX),
            id: self.jti,
        })
    }
}

/// What can stand in a log line and in a key of a store.
fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests;
