//! Where the background function is, as seen from the edge.

use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Uri};

use super::{Platform, Reader, origin};
use crate::secret::Secret;

/// How the edge lane reaches the background.
#[derive(Debug, Clone)]
pub enum HopTo {
    /// Not at all: the edge lane carries everything.
    Nowhere,
    /// In the same process.
    Here,
    /// Over HTTP.
    Url {
        /// The address below which the background function answers, from the settings or the platform, never from a
        /// request.
        base: Uri,
        /// What a wall in front of it asks for. None where it is not the platform's own: the proof of who we are is
        /// not for others.
        pass: Option<Vec<(HeaderName, HeaderValue)>>,
    },
    /// By the platform's own way of calling a function of this name, which its door knows.
    Function(String),
}

pub(super) fn read(reader: &mut Reader, platform: Platform) -> HopTo {
    let off = reader.one_of("BACKGROUND", &["on", "off"]) == "off";
    let set = reader.text("BACKGROUND_URL").map(str::to_owned);
    match (off, set) {
        (true, _) => HopTo::Nowhere,
        (false, Some(url)) => by_url(reader, &url),
        (false, None) if platform == Platform::Local => HopTo::Here,
        (false, None) => by_platform(reader, platform),
    }
}

fn by_url(reader: &mut Reader, url: &str) -> HopTo {
    let insecure = reader.flag("BACKGROUND_INSECURE", false);
    match checked(url, insecure) {
        Ok(base) => HopTo::Url { pass: is_own(reader, &base).then(|| pass(reader)), base },
        Err(wrong) => {
            reader.problem("BACKGROUND_URL", wrong);
            HopTo::Nowhere
        }
    }
}

/// The project's own background function. The production domain is not behind the protection wall, so it is preferred
/// where this deployment is the one it serves.
fn by_platform(reader: &Reader, platform: Platform) -> HopTo {
    if let Some(function) = reader.text("BACKGROUND_FUNCTION").filter(|_| platform == Platform::Lambda) {
        return HopTo::Function(function.to_owned());
    }
    let production = reader.text("VERCEL_ENV") == Some("production");
    let domain = reader.text("VERCEL_PROJECT_PRODUCTION_URL").filter(|_| production);
    let host = domain.or_else(|| reader.text("VERCEL_URL")).filter(|_| platform == Platform::Vercel);
    let base = host.and_then(|host| format!("https://{host}/api/background").parse().ok());
    base.map_or(HopTo::Nowhere, |base| HopTo::Url { base, pass: Some(pass(reader)) })
}

/// Whether an address is one that the platform gave this project.
fn is_own(reader: &Reader, base: &Uri) -> bool {
    let own = ["VERCEL_URL", "VERCEL_BRANCH_URL", "VERCEL_PROJECT_PRODUCTION_URL"];
    own.iter().any(|name| reader.text(name).is_some_and(|host| base.host() == Some(host)))
}

fn pass(reader: &Reader) -> Vec<(HeaderName, HeaderValue)> {
    let bypass = reader.text("VERCEL_AUTOMATION_BYPASS_SECRET").map(Secret::new);
    let value = bypass.and_then(|secret| secret.header(""));
    value.map(|value| (HeaderName::from_static("x-vercel-protection-bypass"), value)).into_iter().collect()
}

fn checked(url: &str, insecure: bool) -> Result<Uri, &'static str> {
    let base: Uri = url.trim_end_matches('/').parse().map_err(|_| "is not a URL")?;
    let host = base.host().ok_or("is not a URL with a host")?;
    match base.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => {}
        Some(scheme) if *scheme == Scheme::HTTP && (insecure || origin::is_loopback(host)) => {}
        Some(scheme) if *scheme == Scheme::HTTP => {
            return Err(
                "carries keys in the clear; use https://, or set BACKGROUND_INSECURE=true in a private network",
            );
        }
        _ => return Err("is not an http:// or https:// URL"),
    }
    let plain =
        base.query().is_none() && !base.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if plain { Ok(base) } else { Err("may not have a query or a user name") }
}

#[cfg(test)]
mod tests {
    use super::{HopTo, Platform, checked, read};
    use crate::config::Reader;

    fn base(platform: Platform, vars: &[(&str, &str)]) -> Option<String> {
        let mut reader = Reader::new(vars.iter().copied());
        match read(&mut reader, platform) {
            HopTo::Url { base, .. } => Some(base.to_string()),
            HopTo::Function(name) => Some(name),
            HopTo::Here | HopTo::Nowhere => None,
        }
    }

    #[test]
    fn the_platform_tells_where_the_background_is() {
        let preview = [
            ("VERCEL_ENV", "preview"),
            ("VERCEL_URL", "a.vercel.app"),
            ("VERCEL_PROJECT_PRODUCTION_URL", "p.app"),
        ];
        assert_eq!(base(Platform::Vercel, &preview).unwrap(), "https://a.vercel.app/api/background");
        let production = [("VERCEL_ENV", "production"), preview[1], preview[2]];
        assert_eq!(base(Platform::Vercel, &production).unwrap(), "https://p.app/api/background");
        assert_eq!(base(Platform::Vercel, &[]), None);
        assert_eq!(base(Platform::Lambda, &preview), None);
    }

    #[test]
    fn a_function_of_lambda_s_is_known_by_name() {
        let vars = [("BACKGROUND_FUNCTION", "twinlane-background")];
        assert_eq!(base(Platform::Lambda, &vars).unwrap(), "twinlane-background");
        assert_eq!(base(Platform::Vercel, &vars), None);
        let elsewhere = ("BACKGROUND_URL", "https://b.example");
        assert_eq!(base(Platform::Lambda, &[vars[0], elsewhere]).unwrap(), "https://b.example/");
        assert_eq!(base(Platform::Lambda, &[vars[0], ("BACKGROUND", "off")]), None);
    }

    #[test]
    fn a_setting_goes_before_the_platform() {
        let vars = [("BACKGROUND_URL", "http://127.0.0.1:3001/"), ("VERCEL_URL", "a.vercel.app")];
        assert_eq!(base(Platform::Vercel, &vars).unwrap(), "http://127.0.0.1:3001/");
        assert_eq!(base(Platform::Vercel, &[vars[0], ("BACKGROUND", "off")]), None);
    }

    #[test]
    fn the_proof_of_who_we_are_goes_to_the_platform_s_own_addresses_only() {
        let passes = |url: &str| {
            let vars = [
                ("BACKGROUND_URL", url),
                ("VERCEL_URL", "a.vercel.app"),
                ("VERCEL_AUTOMATION_BYPASS_SECRET", "b"),
            ];
            match read(&mut Reader::new(vars), Platform::Vercel) {
                HopTo::Url { pass, .. } => pass.is_some(),
                _ => false,
            }
        };
        assert!(passes("https://a.vercel.app/api/background"));
        assert!(!passes("https://elsewhere.example/api/background"));
    }

    #[test]
    fn keys_do_not_travel_in_the_clear_by_accident() {
        assert!(checked("http://background.example", false).is_err());
        assert!(checked("http://background.example", true).is_ok());
        assert!(checked("https://user@background.example", false).is_err());
        assert!(checked("https://background.example/?x=1", false).is_err());
        assert!(checked("ftp://127.0.0.1", false).is_err());
    }
}
