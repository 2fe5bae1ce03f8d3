//! How images are fetched for providers that fetch none.

use http::uri::Authority;

use super::Reader;

/// How images are fetched.
#[derive(Debug, Clone)]
pub struct Images {
    /// The largest image, in bytes.
    pub most: usize,
    /// The hosts that the operator vouches for.
    pub vouched: Vec<Vouched>,
}

/// A host that images are fetched from wherever it is, by `http://`, too, and at any port where it names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    host: String,
    port: Option<u16>,
}

impl Images {
    /// Whether the operator vouches for a host at a port.
    #[must_use]
    pub fn vouch_for(&self, host: &str, port: u16) -> bool {
        let is_it = |vouched: &Vouched| {
            vouched.host.eq_ignore_ascii_case(host) && vouched.port.is_none_or(|own| own == port)
        };
        self.vouched.iter().any(is_it)
    }
}

pub(super) fn read(reader: &mut Reader) -> Images {
    let most = reader.bytes("IMAGE_FETCH_MAX").unwrap_or(10 * 1024 * 1024);
    let listed: Vec<_> = reader.list("IMAGE_FETCH_ALLOW").map(vouched).collect();
    if listed.contains(&None) {
        reader
            .problem("IMAGE_FETCH_ALLOW", "is not a list of hosts such as images.internal or 10.0.0.5:9000");
    }
    Images { most, vouched: listed.into_iter().flatten().collect() }
}

/// A host with or without a port, and nothing else: no scheme, no user, no path.
fn vouched(text: &str) -> Option<Vouched> {
    let authority: Authority = text.parse().ok()?;
    let bare = authority.host();
    let port = match text.get(bare.len()..)? {
        "" => None,
        rest => Some(rest.strip_prefix(':')?.parse().ok()?),
    };
    (!bare.is_empty() && !bare.contains('*')).then(|| Vouched { host: bare.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, problems};

    #[test]
    fn a_host_is_vouched_for_at_its_port_or_at_any() {
        let images = config(&[("IMAGE_FETCH_ALLOW", "Store.internal, 10.0.0.5:9000,[::1]:80")]).images;
        for (host, port, expected) in [
            ("store.internal", 80, true),
            ("STORE.internal", 9000, true),
            ("10.0.0.5", 9000, true),
            ("10.0.0.5", 9001, false),
            ("[::1]", 80, true),
            ("a.store.internal", 80, false),
            ("internal", 80, false),
        ] {
            assert_eq!(images.vouch_for(host, port), expected, "{host}:{port}");
        }
        assert_eq!(images.most, 10_485_760);
    }

    #[test]
    fn what_is_no_host_is_named() {
        for wrong in ["http://a", "a/b", "u@a", "a:b", "a:70000", "*", "*.a", ":80", "a:"] {
            assert_eq!(problems(&[("IMAGE_FETCH_ALLOW", wrong)]).len(), 1, "{wrong}");
        }
        assert_eq!(problems(&[("IMAGE_FETCH_MAX", "10MB")]).len(), 1);
    }
}
