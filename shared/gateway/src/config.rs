//! Everything an operator can set, read once and checked all together.
//!
//! [`Config::read`] takes the variables as they are and reports every problem at once, in the operator's words and
//! without a value: a value may be a secret that slipped into the wrong variable. The reference is `docs/settings.md`.

mod access;
mod aliases;
mod attribution;
mod books;
mod hop;
mod images;
mod origin;
mod place;
mod platform;
mod proxy_config;
mod reader;
mod services;
mod store;
mod telemetry;
mod vision;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::time::Duration;

pub use access::{Access, Client};
pub use books::{Bodies, Books, Whose};
pub use hop::HopTo;
pub use images::{Images, Vouched};
pub(crate) use origin::is_loopback;
pub use platform::{Found, Platform};
pub use reader::Reader;
pub use services::local;
pub use store::{Redis, StoreAt};
pub use telemetry::{Collector, Telemetry};
pub use vision::Vision;

use crate::cors::Origins;
use crate::secret::Secret;
use crate::services::Services;

/// How much earlier than the platform's axe a call is ended, so that its end is well formed.
pub const PLATFORM_MARGIN: Duration = Duration::from_secs(3);

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The platform whose defaults hold.
    pub platform: Platform,
    /// What `/health` calls this deployment: `local`, `production`, `preview`, …
    pub env: String,
    /// Who may call.
    pub access: Access,
    /// What the edge signs the hop with.
    pub secret: Option<Secret>,
    /// The providers.
    pub services: Services,
    /// Where `/v1/…` goes when the model does not say.
    pub default_service: String,
    /// The operator's names for models: each a list of targets, tried in order.
    pub model_aliases: BTreeMap<String, Vec<String>>,
    /// Which pages of other origins may read answers.
    pub origins: Origins,
    /// How long each step of a call may take.
    pub clocks: Clocks,
    /// How large things may be.
    pub limits: Limits,
    /// What callers may spend, and what is kept of their calls.
    pub books: Books,
    /// How images are fetched for providers that fetch none.
    pub images: Images,
    /// How images are taken under `/v1/vision`.
    pub vision: Vision,
    /// Whether anything is tried again.
    pub retry: bool,
    /// Whether the edge lane takes over from a background that cannot be reached.
    pub fallback: bool,
    /// How the edge lane reaches the background.
    pub hop: HopTo,
    /// Where limits, budgets, revoked tokens and the usage log are kept.
    pub store: StoreAt,
    /// What is logged, and how.
    pub log: Log,
    /// What is told of calls to those who watch them.
    pub telemetry: Telemetry,
    /// The local door's own settings.
    pub server: Server,
    /// Which settings were found, and which of them do nothing here.
    pub found: Found,
}

/// The clocks of a call.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// To a provider's TCP and TLS connection.
    pub connect: Duration,
    /// From a connection to the reply's head, on the edge lane.
    pub first_byte: Duration,
    /// The same, on the background lane.
    pub background: Duration,
    /// Between two chunks of a reply.
    pub idle: Duration,
    /// The silence after which the client of a stream hears that all is well.
    pub silence: Option<Duration>,
    /// From the arrival to the last byte.
    pub whole: Option<Duration>,
    /// Between two chunks of a request body.
    pub stall: Duration,
}

/// The sizes of a call, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest request body.
    pub request: usize,
    /// The body size above which a call goes to the background.
    pub large: usize,
}

/// How loud the log is, and for whom it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The least important level that is written.
    pub level: tracing::Level,
    /// One JSON object a line, or text for a terminal.
    pub json: bool,
}

/// What only the local door needs.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// How long a client may take over a request's head, and how long an unused connection is kept.
    pub head_timeout: Duration,
    /// The largest head, in bytes.
    pub head_size: usize,
    /// How long a client may take nothing of an answer.
    pub send_timeout: Duration,
    /// The most connections that are served at once; none: as many as the process's file descriptors allow.
    pub connections: Option<NonZeroUsize>,
    /// How long running calls may go on after SIGTERM.
    pub grace: Duration,
    /// Whether the demo provider is started.
    pub demo: bool,
}

/// Settings that cannot be used, every problem of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Vec<String>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl Config {
    /// Reads and checks all settings. An empty value counts as none: dashboards like to leave those behind.
    ///
    /// # Errors
    /// [`Invalid`], with every problem there is.
    pub fn read<K, V>(vars: impl IntoIterator<Item = (K, V)>, platform: Platform) -> Result<Self, Invalid>
    where
        K: Into<String>,
        V: Into<String>,
    {
        let mut reader = Reader::new(vars);
        let (services, default_service) = services::read(&mut reader, platform);
        let access = access::read(&mut reader);
        let mut config = Self {
            platform,
            env: env(&reader, platform),
            secret: access.secrets.first().cloned(),
            access,
            model_aliases: aliases::read(&mut reader, &services),
            services,
            default_service,
            origins: origin::read(&mut reader, platform),
            clocks: clocks(&mut reader, platform),
            limits: limits(&mut reader, platform),
            books: books::read(&mut reader),
            images: images::read(&mut reader),
            vision: vision::read(&mut reader),
            retry: reader.flag("ENABLE_RETRY", true),
            fallback: reader.flag("ENABLE_FALLBACK", true),
            hop: hop::read(&mut reader, platform),
            store: store::read(&mut reader, platform),
            log: log(&mut reader, platform),
            telemetry: telemetry::read(&mut reader, platform),
            server: server(&mut reader),
            found: Found::default(),
        };
        config.found = platform::found(&reader, &config);
        reader.finish(config)
    }
}

fn env(reader: &Reader, platform: Platform) -> String {
    let told = match platform {
        Platform::Local => None,
        Platform::Vercel => reader.text("VERCEL_ENV"),
        Platform::Lambda => reader.text("AWS_REGION"),
    };
    told.unwrap_or(platform.name()).to_owned()
}

/// Lambda's deadline comes with each call; Vercel's is the `maxDuration` of `vercel.json`, which the function is not told.
fn clocks(reader: &mut Reader, platform: Platform) -> Clocks {
    let (patient, whole) = match platform {
        Platform::Local => (Duration::from_secs(600), None),
        Platform::Lambda => (Duration::from_secs(900), None),
        Platform::Vercel => {
            let runs = reader.seconds("MAX_DURATION", 300).saturating_sub(PLATFORM_MARGIN);
            (runs, Some(runs))
        }
    };
    let set = reader.millis("TOTAL_TIMEOUT");
    Clocks {
        connect: reader.millis("CONNECT_TIMEOUT").unwrap_or(Duration::from_secs(10)),
        first_byte: reader.millis("DEFAULT_TIMEOUT").unwrap_or(patient),
        background: reader.millis("BACKGROUND_TIMEOUT").unwrap_or(patient.max(Duration::from_secs(300))),
        idle: reader.millis("IDLE_TIMEOUT").unwrap_or(Duration::from_secs(300)),
        silence: reader.millis_or_off("KEEP_ALIVE_AFTER", Duration::from_secs(10)),
        whole: [set, whole].into_iter().flatten().min(),
        stall: reader.millis("BODY_TIMEOUT").unwrap_or(Duration::from_secs(30)),
    }
}

fn limits(reader: &mut Reader, platform: Platform) -> Limits {
    Limits {
        request: reader.bytes("MAX_REQUEST_SIZE").unwrap_or(platform.usual_request()),
        large: reader.bytes("LARGE_BODY_SIZE").unwrap_or(1024 * 1024),
    }
}

fn log(reader: &mut Reader, platform: Platform) -> Log {
    let level = match reader.one_of("LOG_LEVEL", &["INFO", "DEBUG", "WARN", "ERROR"]) {
        "DEBUG" => tracing::Level::DEBUG,
        "WARN" => tracing::Level::WARN,
        "ERROR" => tracing::Level::ERROR,
        _ => tracing::Level::INFO,
    };
    let formats: [&str; 2] = if platform == Platform::Local { ["text", "json"] } else { ["json", "text"] };
    Log { level, json: reader.one_of("LOG_FORMAT", &formats) == "json" }
}

fn server(reader: &mut Reader) -> Server {
    Server {
        host: reader
            .parsed("HOST", "an IP address, such as 127.0.0.1 or 0.0.0.0")
            .unwrap_or(Ipv4Addr::LOCALHOST.into()),
        port: reader.parsed("PORT", "a port number, 0 to 65535").unwrap_or(3000),
        head_timeout: reader.millis("HEADER_TIMEOUT").unwrap_or(Duration::from_secs(15)),
        head_size: reader.bytes("MAX_HEADER_SIZE").unwrap_or(64 * 1024).max(8 * 1024),
        send_timeout: reader.millis("SEND_TIMEOUT").unwrap_or(Duration::from_secs(60)),
        connections: reader.parsed("MAX_CONNECTIONS", "a whole number above 0"),
        grace: reader.millis("SHUTDOWN_GRACE").unwrap_or(Duration::from_secs(30)),
        demo: reader.flag("DEMO", true),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::{Config, Invalid, Platform};

    pub(crate) fn config(vars: &[(&str, &str)]) -> Config {
        Config::read(vars.iter().copied(), Platform::Local).expect("good settings")
    }

    pub(crate) fn problems(vars: &[(&str, &str)]) -> Vec<String> {
        let Invalid(problems) =
            Config::read(vars.iter().copied(), Platform::Local).expect_err("bad settings");
        problems
    }

    #[test]
    fn a_gateway_starts_without_any_setting() {
        for platform in [Platform::Local, Platform::Vercel, Platform::Lambda] {
            let nothing: [(&str, &str); 0] = [];
            let config = Config::read(nothing, platform).unwrap();
            assert_eq!(config.default_service, "openai");
        }
    }

    #[test]
    fn every_problem_is_reported_at_once_and_no_value_is_told() {
        let problems = problems(&[
            ("DEFAULT_TIMEOUT", "sk-secret-1"),
            ("MAX_REQUEST_SIZE", "4MB"),
            ("ENABLE_RETRY", "sk-secret-2"),
            ("LOG_LEVEL", "LOUD"),
            ("HOST", "localhost"),
            ("PORT", "70000"),
            ("MAX_CONNECTIONS", "0"),
            ("BACKGROUND_URL", "ftp://x"),
            ("ALLOWED_ORIGIN", "example.com/path"),
            ("DEFAULT_SERVICE", "nobody"),
            ("PROXY_CONFIG", "{"),
        ]);
        assert_eq!(problems.len(), 11, "{problems:#?}");
        assert!(!problems.concat().contains("sk-secret"));
    }

    #[test]
    fn an_empty_value_counts_as_none() {
        assert!(config(&[("AUTH_TOKEN", ""), ("PORT", " ")]).access.tokens.is_empty());
    }

    #[test]
    fn several_tokens_are_told_apart_by_commas() {
        assert_eq!(config(&[("AUTH_TOKEN", "one, two,")]).access.tokens.len(), 2);
    }

    #[test]
    fn vercel_s_duration_bounds_a_whole_call() {
        let config = Config::read([("MAX_DURATION", "60")], Platform::Vercel).unwrap();
        assert_eq!(config.clocks.whole, Some(Duration::from_secs(57)));
        assert_eq!(config.clocks.first_byte, Duration::from_secs(57));
    }

    #[test]
    fn a_dashboard_s_odd_spelling_of_a_flag_is_understood() {
        for (value, expected) in
            [("true", true), ("1", true), ("on", true), ("False", false), ("0", false), ("off", false)]
        {
            assert_eq!(config(&[("ENABLE_FALLBACK", value)]).fallback, expected, "{value}");
        }
    }
}
