//! The origins of pages, and which hosts are this machine.

use std::net::IpAddr;

use http::Uri;

use super::{Platform, Reader};
use crate::cors::{Listed, Origins, Pattern};

/// A setting for one kind of deployment, which goes before `ALLOWED_ORIGIN` there: its name, and the kind.
const OWN: [(&str, &str); 2] =
    [("ALLOWED_ORIGIN_PREVIEW", "preview"), ("ALLOWED_ORIGIN_DEVELOPMENT", "development")];

/// Reads all of the settings, so that every mistake is told, and takes the one for this kind of deployment.
pub(super) fn read(reader: &mut Reader, platform: Platform) -> Origins {
    let here = match platform {
        Platform::Local => "development",
        Platform::Vercel => reader.text("VERCEL_ENV").unwrap_or_default(),
        Platform::Lambda => "",
    }
    .to_owned();
    let usual = one(reader, "ALLOWED_ORIGIN");
    let own = OWN.map(|(setting, env)| one(reader, setting).filter(|_| env == here));
    own.into_iter().flatten().next().or(usual).unwrap_or(Origins::Listed(Listed::default()))
}

/// Why a setting for one kind of deployment can do nothing on a platform.
pub(super) fn misplaced(platform: Platform) -> impl Iterator<Item = (&'static str, &'static str)> {
    let kinds: &[&str] = match platform {
        Platform::Local => &["development"],
        Platform::Vercel => &["preview", "development"],
        Platform::Lambda => &[],
    };
    let why = "no deployment of this platform is of that kind; ALLOWED_ORIGIN holds";
    OWN.into_iter().filter(|(_, env)| !kinds.contains(env)).map(move |(setting, _)| (setting, why))
}

fn one(reader: &mut Reader, setting: &str) -> Option<Origins> {
    reader.text(setting)?;
    let listed: Vec<String> = reader.list(setting).map(str::to_ascii_lowercase).collect();
    if listed.iter().any(|origin| origin == "*") {
        return Some(Origins::Any);
    }
    let mut read = Listed::default();
    for origin in listed.iter().map(|origin| origin.trim_end_matches('/')) {
        match pattern(origin) {
            Some(pattern) => read.patterns.push(pattern),
            None if is_origin(origin) => read.whole.push(origin.to_owned()),
            None => {
                reader.problem(setting, "is not '*' or a list of origins such as https://app.example.com or https://*.example.com");
                break;
            }
        }
    }
    Some(Origins::Listed(read))
}

/// An origin with one `*` in the first label of its host: `https://*.example.com`, `https://app-*.example.com`.
fn pattern(text: &str) -> Option<Pattern> {
    let (before, after) = text.split_once('*')?;
    let (_, label) = before.split_once("://")?;
    let (rest, domain) = after.split_once('.')?;
    let is_first = !label.contains('.') && !rest.contains(['*', ':', '/']);
    // Below a bare `com` or `app` would be anybody.
    let is_own = domain.contains('.') && !domain.contains('*');
    let whole = is_origin(&format!("{before}x{after}"));
    (is_first && is_own && whole).then(|| Pattern { before: before.to_owned(), after: after.to_owned() })
}

/// A scheme, a host and perhaps a port, and nothing after them.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let plain = !text.contains(['*', '@', ' ']);
    plain && uri.scheme().is_some() && uri.host().is_some() && uri.path() == "/" && uri.query().is_none()
}

/// Whether a host, with or without brackets, is this machine itself.
#[must_use]
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::config::tests::problems;
    use crate::config::{Config, Platform};
    use crate::cors::Origins;

    const ALL: [(&str, &str); 3] = [
        ("ALLOWED_ORIGIN", "https://app.example"),
        ("ALLOWED_ORIGIN_PREVIEW", "https://*.preview.example"),
        ("ALLOWED_ORIGIN_DEVELOPMENT", "*"),
    ];

    fn check(platform: Platform, env: &str, vars: &[(&str, &str)], expected: &str) {
        let vars = vars.iter().copied().chain([("VERCEL_ENV", env)]);
        let config = Config::read(vars, platform).unwrap();
        let told = match config.origins {
            Origins::Any => "*".to_owned(),
            Origins::Listed(listed) => {
                let patterns = listed.patterns.iter().map(|one| format!("{}*{}", one.before, one.after));
                listed.whole.iter().cloned().chain(patterns).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(told, expected, "{platform:?} {env}");
    }

    #[test]
    fn each_kind_of_deployment_has_its_own_origins() {
        check(Platform::Vercel, "production", &ALL, "https://app.example");
        check(Platform::Vercel, "preview", &ALL, "https://*.preview.example");
        check(Platform::Vercel, "development", &ALL, "*");
        check(Platform::Local, "preview", &ALL, "*");
        check(Platform::Lambda, "preview", &ALL, "https://app.example");
    }

    #[test]
    fn where_none_is_set_for_its_kind_the_usual_ones_hold() {
        check(Platform::Vercel, "preview", &ALL[..1], "https://app.example");
        check(Platform::Local, "", &ALL[..2], "https://app.example");
        check(Platform::Vercel, "production", &ALL[1..], "");
    }

    #[test]
    fn a_setting_for_deployments_that_cannot_be_is_named() {
        let idle = |platform| {
            let found = Config::read(ALL, platform).unwrap().found.idle;
            found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(idle(Platform::Local), ["ALLOWED_ORIGIN_PREVIEW"]);
        assert_eq!(idle(Platform::Vercel), [""; 0]);
        assert_eq!(idle(Platform::Lambda), ["ALLOWED_ORIGIN_PREVIEW", "ALLOWED_ORIGIN_DEVELOPMENT"]);
    }

    #[test]
    fn what_is_neither_an_origin_nor_a_pattern_is_named() {
        for wrong in [
            "example.com",
            "https://a.example/path",
            "https://*",
            "https://*.com",
            "*.example.com",
            "https://a.*.example.com",
            "https://*.*.example.com",
            "https://**.example.com",
            "https://*:*.example.com",
            "https://u@*.example.com",
            "https://*.example.com/path",
            "https://a.example, https://*",
        ] {
            assert_eq!(problems(&[("ALLOWED_ORIGIN", wrong)]).len(), 1, "{wrong}");
        }
        let all =
            [("ALLOWED_ORIGIN", "a"), ("ALLOWED_ORIGIN_PREVIEW", "b"), ("ALLOWED_ORIGIN_DEVELOPMENT", "c")];
        assert_eq!(problems(&all).len(), 3, "also those that do not hold here");
    }
}
