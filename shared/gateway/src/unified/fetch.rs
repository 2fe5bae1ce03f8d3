//! Fetches an image by the URL that a client names, from where the client could fetch it as well and from nowhere else.
//!
//! Without care, whoever may call the gateway could have it read the network it stands in. So a name is looked up once;
//! every address found must be public ([`address`]); the connection goes to those very addresses; and every redirect is
//! judged like the first URL. Nothing of the client's is sent along. Hosts that the operator vouches for
//! (`IMAGE_FETCH_ALLOW`) are free of these rules, not the redirects away from them.

mod address;
mod kind;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, LOCATION, USER_AGENT};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

pub use kind::Kind;

use crate::config::Images;
use crate::upstream::Upstream;

/// How long an image may take in all, redirects included.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What its bytes say it is.
    pub kind: Kind,
    /// The bytes.
    pub bytes: Bytes,
}

impl Picture {
    /// The picture that bytes are.
    ///
    /// # Errors
    /// [`Trouble::NoImage`].
    pub fn of(bytes: Bytes) -> Result<Self, Trouble> {
        let kind = Kind::of(&bytes).ok_or(Trouble::NoImage)?;
        Ok(Self { kind, bytes })
    }
}

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It did not come, for the reason told.
    Unreachable(String),
    /// It is at a place that nothing is fetched from.
    Forbidden,
    /// It is larger than so many bytes.
    TooLarge(usize),
    /// It is no image of a kind that is known.
    NoImage,
}

impl Trouble {
    /// The code of the answer.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "image_unreachable",
            Self::Forbidden => "image_forbidden_address",
            Self::TooLarge(_) => "image_too_large",
            Self::NoImage => "unsupported_image_type",
        }
    }

    /// What the client is told. It never learns what a name resolved to.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Unreachable(why) => format!("the image could not be fetched: {why}"),
            Self::Forbidden => "images are fetched by https:// from public addresses at port 443 only; \
                 send the image as a data URL, or have the operator name its host in IMAGE_FETCH_ALLOW"
                .to_owned(),
            Self::TooLarge(most) => {
                format!("the image is larger than {most} bytes; send a smaller one (IMAGE_FETCH_MAX)")
            }
            Self::NoImage => "this is not a JPEG, PNG, WebP or GIF image".to_owned(),
        }
    }
}

fn unreachable(why: &str) -> Trouble {
    Trouble::Unreachable(why.to_owned())
}

/// Fetches images.
#[derive(Debug, Clone, Copy)]
pub struct Fetcher<'a> {
    /// What makes the connections.
    pub upstream: &'a Upstream,
    /// What the operator allows.
    pub images: &'a Images,
    /// How long an image may take.
    pub patience: Duration,
}

/// A URL that may be asked, as far as can be said without looking its name up.
struct Place {
    url: Uri,
    /// The host without an IPv6 address's brackets, as look-ups want it.
    host: String,
    port: u16,
    vouched: bool,
}

impl Fetcher<'_> {
    /// Fetches an image.
    ///
    /// # Errors
    /// The [`Trouble`] there is with it.
    pub async fn fetch(&self, url: &str) -> Result<Picture, Trouble> {
        let late = || unreachable("it took too long");
        timeout(self.patience, self.followed(url)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn followed(&self, url: &str) -> Result<Picture, Trouble> {
        let mut url: Uri = url.parse().map_err(|_| unreachable("its URL is malformed"))?;
        for _ in 0..=REDIRECTS {
            let reply = self.asked(&url).await?;
            match redirected(&url, &reply)? {
                Some(next) => url = next,
                None => return self.read(reply).await,
            }
        }
        Err(unreachable("it was redirected too often"))
    }

    async fn asked(&self, url: &Uri) -> Result<Response<Incoming>, Trouble> {
        let place = self.place(url)?;
        let addresses = resolved(&place).await?;
        let request = request(&place).ok_or_else(|| unreachable("its URL is malformed"))?;
        let reply = self.upstream.get_from(addresses, place.url, request).await;
        reply.map_err(|_| unreachable("its server did not answer"))
    }

    /// Judges a URL by itself.
    fn place(&self, url: &Uri) -> Result<Place, Trouble> {
        let host = url.host().ok_or_else(|| unreachable("its URL is malformed"))?;
        let secure = url.scheme() == Some(&Scheme::HTTPS);
        let plain = url.scheme() == Some(&Scheme::HTTP);
        let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let vouched = self.images.vouch_for(host, port);
        let with_user = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let usual = secure && port == 443;
        if with_user || !(usual || (vouched && (secure || plain))) {
            return Err(Trouble::Forbidden);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Place { url: url.clone(), host, port, vouched })
    }

    async fn read(&self, reply: Response<Incoming>) -> Result<Picture, Trouble> {
        if !reply.status().is_success() {
            return Err(Trouble::Unreachable(format!("its server answered {}", reply.status().as_u16())));
        }
        let (most, body) = (self.images.most, reply.into_body());
        if body.size_hint().lower() > most as u64 {
            return Err(Trouble::TooLarge(most));
        }
        let read = Limited::new(body, most).collect().await;
        let bytes = read.map_err(|error| match error.is::<LengthLimitError>() {
            true => Trouble::TooLarge(most),
            false => unreachable("its server broke off"),
        })?;
        Picture::of(bytes.to_bytes())
    }
}

/// The addresses of a place. One that may not be fetched from spoils the others: a name with both is a trick.
async fn resolved(place: &Place) -> Result<Vec<SocketAddr>, Trouble> {
    let found = tokio::net::lookup_host((place.host.as_str(), place.port)).await;
    let found: Vec<_> = found.map_err(|_| unreachable("its host is not known"))?.collect();
    if found.is_empty() {
        return Err(unreachable("its host is not known"));
    }
    if place.vouched || found.iter().all(|found| address::is_public(found.ip())) {
        Ok(found)
    } else {
        Err(Trouble::Forbidden)
    }
}

/// The whole request: what it holds does not depend on the client's.
fn request(place: &Place) -> Option<Request<Empty<Bytes>>> {
    let target = place.url.path_and_query().map_or("/", PathAndQuery::as_str);
    Request::get(target)
        .header(HOST, place.url.authority()?.as_str())
        .header(USER_AGENT, concat!("twinlane/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "image/png, image/jpeg, image/webp, image/gif")
        .header(ACCEPT_ENCODING, "identity")
        .body(Empty::new())
        .ok()
}

/// Where a reply sends us, if it does.
fn redirected(url: &Uri, reply: &Response<Incoming>) -> Result<Option<Uri>, Trouble> {
    if !matches!(reply.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = reply.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let next = location.and_then(|location| beside(url, location));
    next.map(Some).ok_or_else(|| unreachable("its server redirects to nowhere"))
}

/// A URL as seen from another (RFC 3986, 5.2). Dots in a path are left to the server.
fn beside(base: &Uri, reference: &str) -> Option<Uri> {
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let reference = reference.split('#').next().unwrap_or_default();
    if reference.split(['/', '?']).next().is_some_and(|start| start.contains(':')) {
        return reference.parse().ok();
    }
    let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    match reference.bytes().next() {
        None => Some(base.clone()),
        Some(b'/') if reference.starts_with("//") => format!("{scheme}:{reference}").parse().ok(),
        Some(b'/') => format!("{scheme}://{authority}{reference}").parse().ok(),
        Some(b'?') => format!("{scheme}://{authority}{}{reference}", base.path()).parse().ok(),
        Some(_) => format!("{scheme}://{authority}{folder}/{reference}").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fetcher, PATIENCE, Trouble, beside};
    use crate::config::tests::config;
    use crate::upstream::Upstream;

    async fn fetch(url: &str) -> Trouble {
        let config = config(&[("IMAGE_FETCH_ALLOW", "vouched.invalid")]);
        let upstream = Upstream::new(Duration::from_secs(1), Duration::from_secs(1));
        let fetcher = Fetcher { upstream: &upstream, images: &config.images, patience: PATIENCE };
        fetcher.fetch(url).await.expect_err(url)
    }

    #[tokio::test]
    async fn what_is_not_a_public_place_is_not_asked() {
        for url in [
            "http://example.com/a.png",
            "https://example.com:8443/a.png",
            "https://user:secret@example.com/a.png",
            "https://127.0.0.1/a.png",
            "https://127.1/a.png",
            "https://2130706433/a.png",
            "https://0x7f000001/a.png",
            "https://[::1]/a.png",
            "https://[::ffff:127.0.0.1]/a.png",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/a.png",
            "ftp://vouched.invalid/a.png",
            "https://u@vouched.invalid/a.png",
        ] {
            assert_eq!(fetch(url).await, Trouble::Forbidden, "{url}");
        }
    }

    #[tokio::test]
    async fn what_is_no_url_is_named_so() {
        for url in ["https://", "https:///a.png", "https://a b/", "/a.png", "https://exämple.com/"] {
            assert!(matches!(fetch(url).await, Trouble::Unreachable(_)), "{url}");
        }
    }

    #[test]
    fn a_redirect_may_be_relative() {
        let base = "https://a.example/b/c?d=e".parse().unwrap();
        for (reference, expected) in [
            ("https://other.example/x#y", "https://other.example/x"),
            ("http://other.example", "http://other.example/"),
            ("//other.example/x?y:z", "https://other.example/x?y:z"),
            ("/x/y?z", "https://a.example/x/y?z"),
            ("x.png", "https://a.example/b/x.png"),
            ("x/y:z.png", "https://a.example/b/x/y:z.png"),
            ("?q=1", "https://a.example/b/c?q=1"),
            ("", "https://a.example/b/c?d=e"),
        ] {
            assert_eq!(beside(&base, reference).expect(reference).to_string(), expected, "{reference}");
        }
        for nowhere in ["http://", "a b", "https://exämple.com/"] {
            assert_eq!(beside(&base, nowhere), None, "{nowhere}");
        }
    }
}
