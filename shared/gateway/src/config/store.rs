//! Where limits, budgets, revoked tokens and the usage log are kept, as the settings or the platform say it.
//!
//! This is the choice alone. The doors open the engine, so that a function contains no more of them than it can use.

use std::path::PathBuf;

use http::Uri;

use super::{Platform, Reader};
use crate::secret::Secret;

/// The file of a laptop that has said nothing: in the folder it is started in, beside its `.env`.
const USUAL_FILE: &str = "twinlane.db";

/// What the keys of a Redis begin with, unless a setting says otherwise.
const USUAL_PREFIX: &str = "twinlane";

/// A pair of settings under which Upstash's REST is found: its address and its token.
type Pair = (&'static str, &'static str);

/// Vercel's own names, then Upstash's.
const REST: [Pair; 2] =
    [("KV_REST_API_URL", "KV_REST_API_TOKEN"), ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN")];

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAt {
    /// In this instance's memory, until it ends.
    Memory,
    /// In a SQLite file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether a setting asks for it. A file that nobody asked for need not come to be.
        asked_for: bool,
    },
    /// In a Redis.
    Redis(Redis),
    /// In a DynamoDB table of this name.
    Table(String),
}

/// Where a Redis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// The setting that says so.
    pub setting: &'static str,
    /// Its address, with a password in it perhaps.
    pub url: Secret,
    /// The token for its REST; none where the server itself is spoken to.
    pub token: Option<Secret>,
    /// What its keys begin with.
    pub prefix: String,
}

impl StoreAt {
    /// The engine's name, as the engines call themselves.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File { .. } => "sqlite",
            Self::Redis(_) => "redis",
            Self::Table(_) => "dynamodb",
        }
    }
}

/// What `STORE` says, else what the platform tells.
pub(super) fn read(reader: &mut Reader, platform: Platform) -> StoreAt {
    let prefix = prefix(reader);
    let redis = |setting, url: &str| {
        let (url, token) = (Secret::new(url), None);
        StoreAt::Redis(Redis { setting, url, token, prefix: prefix.clone() })
    };
    if let Some(store) = reader.text("STORE").map(str::to_owned) {
        return match store.split_once(':') {
            None if store.eq_ignore_ascii_case("memory") => StoreAt::Memory,
            Some(("sqlite", path)) if !path.is_empty() => file(reader, path, platform),
            Some(("redis" | "rediss", _)) => checked(reader, "STORE", &store, redis),
            _ => wrong(reader, "STORE", "is neither memory, sqlite:PATH nor a URL such as redis://host:6379"),
        };
    }
    match platform {
        Platform::Local => StoreAt::File { path: USUAL_FILE.into(), asked_for: false },
        Platform::Vercel => rest(reader, &prefix)
            .or_else(|| by_url(reader, &["REDIS_URL", "KV_URL"], redis))
            .unwrap_or(StoreAt::Memory),
        // Whoever names a Redis wants it; the table is there in any case.
        Platform::Lambda => by_url(reader, &["REDIS_URL"], redis)
            .or_else(|| reader.text("TABLE_NAME").map(|name| StoreAt::Table(name.to_owned())))
            .unwrap_or(StoreAt::Memory),
    }
}

fn file(reader: &mut Reader, path: &str, platform: Platform) -> StoreAt {
    if platform != Platform::Local {
        return wrong(reader, "STORE", "is a file, and a function's files do not last");
    }
    StoreAt::File { path: path.into(), asked_for: true }
}

/// The first of these settings that is there.
fn by_url(
    reader: &mut Reader,
    settings: &[&'static str],
    redis: impl Fn(&'static str, &str) -> StoreAt,
) -> Option<StoreAt> {
    let (setting, url) =
        settings.iter().find_map(|setting| Some((*setting, reader.text(setting)?.to_owned())))?;
    Some(checked(reader, setting, &url, redis))
}

fn checked(
    reader: &mut Reader,
    setting: &'static str,
    url: &str,
    redis: impl Fn(&'static str, &str) -> StoreAt,
) -> StoreAt {
    if names_a_server(url) {
        redis(setting, url)
    } else {
        wrong(reader, setting, "is not a URL such as redis://user:password@host:6379/0, or rediss:// for TLS")
    }
}

/// Whether a URL is one of Redis and has a host. What is before the host may hold any character.
fn names_a_server(url: &str) -> bool {
    let rest = url.strip_prefix("redis://").or_else(|| url.strip_prefix("rediss://"));
    let host = rest.map(|rest| rest.rsplit_once('@').map_or(rest, |(_, host)| host));
    host.is_some_and(|host| host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '['))
}

/// Upstash's REST, where both halves of a pair are there.
fn rest(reader: &mut Reader, prefix: &str) -> Option<StoreAt> {
    for (setting, token_setting) in REST {
        match (reader.text(setting).map(Secret::new), reader.text(token_setting).map(Secret::new)) {
            (None, None) => {}
            (Some(_), None) => reader.problem(token_setting, &format!("is missing beside {setting}")),
            (None, Some(_)) => reader.problem(setting, &format!("is missing beside {token_setting}")),
            (Some(url), Some(token)) => {
                let url = https(reader, setting, url)?;
                if token.header("Bearer ").is_none() {
                    reader.problem(token_setting, "holds characters that no token has");
                }
                let prefix = prefix.to_owned();
                return Some(StoreAt::Redis(Redis { setting, url, token: Some(token), prefix }));
            }
        }
    }
    None
}

/// The token goes with every request, so its way must be private unless it does not leave the machine.
fn https(reader: &mut Reader, setting: &str, url: Secret) -> Option<Secret> {
    let parsed = url.expose().parse::<Uri>().ok();
    let private = parsed.as_ref().is_some_and(|uri| match uri.scheme_str() {
        Some("https") => uri.host().is_some(),
        Some("http") => uri.host().is_some_and(super::is_loopback),
        _ => false,
    });
    if !private {
        reader.problem(setting, "is not a URL such as https://name.upstash.io");
    }
    private.then_some(url)
}

fn prefix(reader: &mut Reader) -> String {
    let prefix = reader.text("STORE_PREFIX").unwrap_or(USUAL_PREFIX).to_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if prefix.len() > 64 || !prefix.bytes().all(plain) {
        reader.problem("STORE_PREFIX", "is not made of at most 64 letters, digits, '-', '_' and '.'");
    }
    prefix
}

fn wrong(reader: &mut Reader, setting: &str, wrong: &str) -> StoreAt {
    reader.problem(setting, wrong);
    StoreAt::Memory
}

#[cfg(test)]
mod tests {
    use super::{Redis, StoreAt};
    use crate::config::{Config, Invalid, Platform};

    const SECRET: &str = "s3cret";

    fn read(platform: Platform, vars: &[(&str, &str)]) -> Result<StoreAt, Vec<String>> {
        Config::read(vars.iter().copied(), platform)
            .map(|config| config.store)
            .map_err(|Invalid(problems)| problems)
    }

    #[track_caller]
    fn check(platform: Platform, vars: &[(&str, &str)], engine: &str, setting: Option<&str>) {
        let store = read(platform, vars).expect("good settings");
        let by = match &store {
            StoreAt::Redis(Redis { setting, .. }) => Some(*setting),
            _ => None,
        };
        assert_eq!((store.engine(), by), (engine, setting), "{platform:?} {vars:?}");
        assert!(!format!("{store:?}").contains(SECRET), "{store:?}");
    }

    const REDIS: &str = "redis://:s3cret@cache:6379/1";
    const REST: [(&str, &str); 2] =
        [("KV_REST_API_URL", "https://a.upstash.io"), ("KV_REST_API_TOKEN", SECRET)];

    #[test]
    fn each_platform_has_its_usual_place() {
        check(Platform::Local, &[], "sqlite", None);
        check(Platform::Vercel, &[], "memory", None);
        check(Platform::Lambda, &[], "memory", None);
        check(Platform::Lambda, &[("TABLE_NAME", "t")], "dynamodb", None);
        let usual = StoreAt::File { path: "twinlane.db".into(), asked_for: false };
        assert_eq!(read(Platform::Local, &[]), Ok(usual));
    }

    #[test]
    fn what_is_set_goes_before_it() {
        check(Platform::Local, &[("STORE", "memory")], "memory", None);
        check(Platform::Local, &[("STORE", "sqlite:/var/lib/t.db")], "sqlite", None);
        for platform in [Platform::Local, Platform::Vercel, Platform::Lambda] {
            check(platform, &[("STORE", REDIS), ("TABLE_NAME", "t")], "redis", Some("STORE"));
            check(platform, &[("STORE", "rediss://u:p%40/#^@[::1]:6380")], "redis", Some("STORE"));
        }
        check(Platform::Vercel, &[&REST[..], &[("STORE", "Memory")]].concat(), "memory", None);
        check(Platform::Lambda, &[("TABLE_NAME", "t"), ("REDIS_URL", REDIS)], "redis", Some("REDIS_URL"));
    }

    #[test]
    fn vercel_s_stores_are_found_by_themselves_and_rest_goes_first() {
        check(Platform::Vercel, &REST, "redis", Some("KV_REST_API_URL"));
        let both = [&REST[..], &[("REDIS_URL", REDIS), ("KV_URL", REDIS)]].concat();
        check(Platform::Vercel, &both, "redis", Some("KV_REST_API_URL"));
        check(Platform::Vercel, &[("REDIS_URL", REDIS)], "redis", Some("REDIS_URL"));
        check(Platform::Vercel, &[("KV_URL", REDIS)], "redis", Some("KV_URL"));
        let upstash =
            [("UPSTASH_REDIS_REST_URL", "https://a.upstash.io"), ("UPSTASH_REDIS_REST_TOKEN", SECRET)];
        check(Platform::Vercel, &upstash, "redis", Some("UPSTASH_REDIS_REST_URL"));
        // A laptop with another project's variables keeps its file.
        check(Platform::Local, &[("REDIS_URL", REDIS)], "sqlite", None);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_told() {
        for (platform, setting, value) in [
            (Platform::Local, "STORE", "s3cret"),
            (Platform::Local, "STORE", "sqlite:"),
            (Platform::Local, "STORE", "postgres://s3cret@db"),
            (Platform::Local, "STORE", "redis://:s3cret@"),
            (Platform::Local, "STORE", "redis://"),
            (Platform::Local, "STORE_PREFIX", "{s3cret}"),
            (Platform::Vercel, "STORE", "sqlite:s3cret.db"),
            (Platform::Vercel, "REDIS_URL", "s3cret"),
            (Platform::Vercel, "KV_URL", "https://s3cret"),
            (Platform::Lambda, "REDIS_URL", "s3cret:6379"),
        ] {
            let problems = read(platform, &[(setting, value)]).expect_err("bad settings");
            assert_eq!(problems.len(), 1, "{value}: {problems:?}");
            assert!(problems[0].starts_with(setting) && !problems[0].contains("s3cret"), "{problems:?}");
        }
    }

    #[test]
    fn half_a_pair_and_an_open_way_are_mistakes() {
        let [url, token] = REST;
        for (vars, named) in [
            (vec![url], "KV_REST_API_TOKEN"),
            (vec![token], "KV_REST_API_URL"),
            (vec![("KV_REST_API_URL", "http://a.example"), token], "KV_REST_API_URL"),
            (vec![("KV_REST_API_URL", "a.upstash.io"), token], "KV_REST_API_URL"),
            (vec![url, ("KV_REST_API_TOKEN", "s3cret\u{1}x")], "KV_REST_API_TOKEN"),
        ] {
            let problems = read(Platform::Vercel, &vars).expect_err("bad settings");
            assert!(problems.len() == 1 && problems[0].starts_with(named), "{vars:?}: {problems:?}");
            assert!(!problems[0].contains(SECRET), "{problems:?}");
        }
        let here = [("KV_REST_API_URL", "http://127.0.0.1:1"), token];
        check(Platform::Vercel, &here, "redis", Some("KV_REST_API_URL"));
    }
}
