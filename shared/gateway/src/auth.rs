//! Admission: who may call, and whose key the provider will see. Decided on the head, before a byte of body is read.

mod once;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};
use twinlane_access::{Denied, Grant, Nonces, Seconds, Signature, is_token, signature_of};

use crate::config::Access;
use crate::config::is_loopback;
use crate::secret::Secret;
use crate::{Arrival, Error};

/// The header and query parameter that carry nothing but gateway tokens.
pub const OWN_HEADER: HeaderName = HeaderName::from_static("x-auth-token");
/// See [`OWN_HEADER`].
pub const OWN_PARAMETER: &str = "auth_token";

/// Headers in which SDKs send a provider's key, and so in which a gateway token may come, too.
pub const CREDENTIALS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// How long the token is good for that takes a signed request's place on the hop to the background, in seconds.
const HOP: Seconds = 300;

/// A client's credential shorter than this is a placeholder: SDKs insist on a key, and people type `x`.
const SHORTEST_KEY: usize = 16;

/// Somebody who may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// Whether the server's keys may be used for this caller.
    pub server_keys: bool,
    /// The gateway token that was shown, for the hop to the background, which admits for itself.
    pub token: Option<Secret>,
    /// What the caller may do, where a signed token or a key for signing requests says so.
    pub grant: Option<Arc<Grant>>,
    /// The request's signature, where it has one.
    pub signature: Option<Arc<Signature>>,
}

impl Caller {
    /// Somebody of whom nothing is known but whether the server's keys are theirs to use.
    #[must_use]
    pub fn unnamed(server_keys: bool) -> Self {
        Self { server_keys, ..Self::default() }
    }

    /// Whether a body is the one that was signed, where one was.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub fn check_body(&self, body: &[u8]) -> Result<(), Error> {
        self.signature.as_ref().map_or(Ok(()), |signature| Ok(signature.digest.check(body)?))
    }
}

/// Admission: its settings, and the signed requests that came lately.
#[derive(Debug)]
pub struct Auth {
    access: Access,
    nonces: Mutex<Nonces>,
}

impl Auth {
    /// Admission by these settings.
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self { access, nonces: Mutex::default() }
    }

    /// Admits the sender of a request, or refuses.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] and [`Error::Denied`], which say what is wrong with the credentials and nothing of them.
    pub fn admit(&self, request: &Parts, arrival: &Arrival) -> Result<Caller, Error> {
        match self.presented(request)? {
            Some(shown) => self.known_caller(&shown, request),
            None if self.access.allow_anonymous => Ok(Caller::unnamed(true)),
            None if self.access.tokens.is_empty() => {
                Ok(Caller::unnamed(is_this_machine_s_own(request, arrival)))
            }
            None => Err(Error::Unauthorized(
                "A gateway token is needed: send it as 'Authorization: Bearer …', 'x-api-key' or 'X-AUTH-TOKEN'",
            )),
        }
    }

    /// Whether a caller may be told everything about this deployment: by a token of `AUTH_TOKEN`, or from this very machine.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub fn is_operator(&self, request: &Parts, arrival: &Arrival) -> Result<bool, Error> {
        let Some(shown) = self.presented(request)? else {
            return Ok(self.access.tokens.is_empty() && is_this_machine_s_own(request, arrival));
        };
        // Whoever is granted something in particular is no operator.
        Ok(self.known_caller(&shown, request)?.grant.is_none())
    }

    /// Whether a header's value is meant for the gateway, be it valid or not: a token, a request's signature, or what
    /// administrators show. None of them is for a provider.
    #[must_use]
    pub fn is_token(&self, value: &HeaderValue) -> bool {
        self.is_ours(credential(value))
    }

    /// A query without what in it is meant for the gateway: Google's older clients send in `key` what others send in a
    /// header.
    #[must_use]
    pub fn without_tokens(&self, query: Option<String>) -> Option<String> {
        let query = query?;
        let is_ours = |pair: &str| google_key(pair).is_some_and(|key| self.is_ours(key.as_bytes()));
        if !query.split('&').any(is_ours) {
            return Some(query);
        }
        let kept: Vec<&str> = query.split('&').filter(|pair| !is_ours(pair)).collect();
        Some(kept.join("&")).filter(|kept| !kept.is_empty())
    }

    fn is_ours(&self, shown: &[u8]) -> bool {
        let is_admin = self.access.admin.as_ref().is_some_and(|admin| admin.is(shown));
        is_admin || self.read(shown).is_some()
    }

    /// Which of the plain tokens one is, from 1 on: the name that the usage log has for it.
    #[must_use]
    pub fn place_of(&self, token: &Secret) -> Option<usize> {
        self.access.tokens.iter().position(|known| known == token).map(|at| at + 1)
    }

    /// Compares with every token, so that the time taken does not tell which one came close.
    fn known(&self, candidate: &[u8]) -> Option<&Secret> {
        self.access
            .tokens
            .iter()
            .fold(None, |known, token| if token.is(candidate) { Some(token) } else { known })
    }

    /// What a credential is to the gateway; `None` where it may be a provider's key.
    fn read(&self, shown: &[u8]) -> Option<Shown> {
        if let Some(parameters) = signature_of(shown) {
            return Some(Shown::Signature(parameters.to_vec()));
        }
        if is_token(shown) {
            return Some(Shown::Signed(shown.to_vec()));
        }
        self.known(shown).cloned().map(Shown::Plain)
    }

    /// What a request shows us, if anything. What stands in our own header and parameter must be ours; in the shared ones
    /// it may be a provider's key. Two that grant different things would leave open which one counts.
    fn presented(&self, request: &Parts) -> Result<Option<Shown>, Error> {
        refuse_doubled(&request.headers)?;
        let own = request.headers.get(OWN_HEADER).map(|value| credential(value).to_vec());
        let own: Vec<Vec<u8>> = own.into_iter().chain(parameter(&request.uri)).collect();
        if !self.access.tokens.is_empty() && own.iter().any(|shown| self.read(shown).is_none()) {
            return Err(Error::Unauthorized("The gateway token is wrong"));
        }
        let shared = CREDENTIALS.into_iter().filter_map(|name| request.headers.get(name)).map(credential);
        let google = request.uri.query().unwrap_or_default().split('&').filter_map(google_key);
        let google: Vec<_> = google.collect();
        let shared = shared.chain(google.iter().map(|key| key.as_bytes()));
        let shown = own.iter().map(Vec::as_slice).chain(shared).filter_map(|shown| self.read(shown));
        let all: Vec<Shown> = shown.collect();
        let differ = all.iter().any(|shown| Some(shown) != all.first());
        if differ && !all.iter().all(|shown| matches!(shown, Shown::Plain(_))) {
            return Err(Denied::Doubled.into());
        }
        Ok(all.into_iter().next())
    }

    fn known_caller(&self, shown: &Shown, request: &Parts) -> Result<Caller, Error> {
        let now = unix(SystemTime::now());
        let caller = match shown {
            Shown::Plain(token) => Caller { token: Some(token.clone()), ..Caller::unnamed(true) },
            Shown::Signed(token) => self.by_token(token, now)?,
            Shown::Signature(parameters) => self.by_signature(parameters, request, now)?,
        };
        match &caller.grant {
            Some(grant) if self.access.revoked.contains(&grant.id) => Err(Denied::Revoked.into()),
            _ => Ok(caller),
        }
    }

    fn by_token(&self, token: &[u8], now: Seconds) -> Result<Caller, Denied> {
        let grant = self.access.keyring.verify(token, now)?;
        let token = std::str::from_utf8(token).ok().map(Secret::new);
        Ok(Caller { token, grant: Some(Arc::new(grant)), ..Caller::unnamed(true) })
    }

    /// The sender of a signed request. On the hop to the background, whose method and path may be others, a token of
    /// short life takes the signature's place.
    fn by_signature(&self, parameters: &[u8], request: &Parts, now: Seconds) -> Result<Caller, Denied> {
        let signature = Signature::read(parameters)?;
        let client = self.access.clients.get(&signature.key).ok_or(Denied::SignatureWrong)?;
        let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
        let target = crate::route::below_function(target);
        signature.check(client.secret.expose().as_bytes(), request.method.as_str(), target, now)?;
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner).take(&signature, now)?;
        let passing = Grant { issued: now, expires: Some(now + HOP), ..(*client.grant).clone() };
        let token = self.access.keyring.sign(&passing).as_deref().map(Secret::new);
        let (grant, signature) = (Some(Arc::clone(&client.grant)), Some(Arc::new(signature)));
        Ok(Caller { server_keys: true, token, grant, signature })
    }
}

/// A credential that is meant for the gateway.
#[derive(PartialEq, Eq)]
enum Shown {
    /// A token of `AUTH_TOKEN`.
    Plain(Secret),
    /// A signed token, not verified yet.
    Signed(Vec<u8>),
    /// The parameters of a request's signature, not verified yet.
    Signature(Vec<u8>),
}

/// Whether a header's value is a request's signature, which is of use to nobody but the gateway it was sent to.
pub(crate) fn is_signature(value: &HeaderValue) -> bool {
    signature_of(credential(value)).is_some()
}

fn unix(now: SystemTime) -> Seconds {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A provider and we might each pick another of two values.
fn refuse_doubled(headers: &HeaderMap) -> Result<(), Error> {
    let doubled = |name: &HeaderName| headers.get_all(name).iter().count() > 1;
    if CREDENTIALS.iter().chain([&OWN_HEADER]).any(doubled) {
        return Err(Error::Unauthorized("A credential was sent twice in the same header; send it once"));
    }
    Ok(())
}

/// A header's value without the word `Bearer` before it.
fn credential(value: &HeaderValue) -> &[u8] {
    let bytes = value.as_bytes().trim_ascii();
    match bytes.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer ") => rest.trim_ascii(),
        _ => bytes,
    }
}

/// The value of our own query parameter, decoded. Two of them are both shown, and both must be right.
fn parameter(uri: &Uri) -> impl Iterator<Item = Vec<u8>> {
    let pairs =
        uri.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .filter(|(name, _)| is_own_parameter(name))
        .map(|(_, value)| crate::path::decode(value).into_owned().into_bytes())
}

/// The value of Google's parameter for keys, decoded.
fn google_key(pair: &str) -> Option<std::borrow::Cow<'_, str>> {
    let (name, value) = pair.split_once('=')?;
    (crate::path::decode(name) == "key").then(|| crate::path::decode(value))
}

fn is_own_parameter(name: &str) -> bool {
    crate::path::decode(name) == OWN_PARAMETER
}

/// The query without our own parameter, every other byte as it came.
#[must_use]
pub fn without_own_parameter(query: Option<&str>) -> Option<String> {
    let query = query?;
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !is_own_parameter(pair.split('=').next().unwrap_or(pair))).collect();
    if kept.is_empty() { None } else { Some(kept.join("&")) }
}

/// Whether the client brought a key of its own that could be a provider's.
pub fn is_real_key(value: &HeaderValue) -> bool {
    credential(value).len() >= SHORTEST_KEY
}

/// The key that a credential's header holds.
#[must_use]
pub fn key_of(value: &HeaderValue) -> Option<Secret> {
    std::str::from_utf8(credential(value)).ok().map(Secret::new)
}

/// What a proxy adds, or begins a header with. One on this machine that others can reach makes their calls look like this
/// machine's own.
const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-", "via", "x-real-ip", "cf-connecting-ip", "true-client-ip"];

/// Whether a request shows that it came through a proxy. nginx adds no header unless it is told to, but speaks HTTP/1.0.
fn is_proxied(request: &Parts) -> bool {
    let by_proxy = |name: &HeaderName| FORWARDED.iter().any(|mark| is_mark(mark, name.as_str()));
    request.version < Version::HTTP_11 || request.headers.keys().any(by_proxy)
}

fn is_mark(mark: &str, name: &str) -> bool {
    if mark.ends_with('-') { name.starts_with(mark) } else { name == mark }
}

/// Whether a call comes from this very machine by its own will: not through a proxy, over a loopback socket, to a loopback name (a page that
/// rebinds its name to 127.0.0.1 sends that name), and not from a page of somebody else's.
pub(crate) fn is_this_machine_s_own(request: &Parts, arrival: &Arrival) -> bool {
    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.filter(|_| arrival.loopback) else { return false };
    let name = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(name, _)| name);
    !is_proxied(request)
        && is_loopback(name)
        && request.uri.host().is_none_or(is_loopback)
        && !is_from_foreign_page(&request.headers, host)
}

fn is_from_foreign_page(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let foreign_origin =
        text(ORIGIN.as_str()).is_some_and(|origin| origin.strip_prefix("http://") != Some(host));
    // Browsers send no Origin with a plain GET, but they do say where it came from.
    let foreign_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    foreign_origin || foreign_site
}

#[cfg(test)]
mod tests;
