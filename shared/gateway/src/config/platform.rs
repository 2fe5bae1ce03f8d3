//! What each platform allows, and which settings cannot take effect on it.

use std::time::Duration;

use super::{Config, HopTo, Reader, StoreAt, origin};

/// The platform a door joins to the gateway; it decides defaults, never behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// One process on a laptop or in a container.
    Local,
    /// Vercel's functions.
    Vercel,
    /// AWS Lambda.
    Lambda,
}

const MIB: usize = 1024 * 1024;

impl Platform {
    /// The name that people know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Vercel => "vercel",
            Self::Lambda => "lambda",
        }
    }

    /// The largest request body that the platform lets through; none where it sets no limit.
    ///
    /// Vercel answers 413 by itself at 4.5 MB; whether MB or MiB are meant its documentation leaves open. Lambda's events
    /// hold 6 MiB, in which a body is base64, or JSON within JSON.
    #[must_use]
    pub fn most_request(self) -> Option<usize> {
        match self {
            Self::Local => None,
            Self::Vercel => Some(4_500_000),
            Self::Lambda => Some(6 * MIB),
        }
    }

    /// The largest request body taken unless a setting says otherwise: what certainly passes the platform.
    #[must_use]
    pub fn usual_request(self) -> usize {
        match self {
            Self::Local => 64 * MIB,
            Self::Vercel => 4 * MIB,
            // As base64 that is 6 000 000 bytes, which leaves 291 456 of the event to the head of the request.
            Self::Lambda => 4_500_000,
        }
    }

    /// The longest that a function may run; none where nothing ends it. Vercel's is that of the Hobby plan.
    #[must_use]
    pub fn most_time(self) -> Option<Duration> {
        match self {
            Self::Local => None,
            Self::Vercel => Some(Duration::from_secs(300)),
            Self::Lambda => Some(Duration::from_secs(900)),
        }
    }
}

/// Settings as they were found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The settings that are set and known, by name.
    pub read: Vec<String>,
    /// Those that are set and cannot take effect, with the reason.
    pub idle: Vec<(String, String)>,
}

/// Looks through the settings for what does nothing here.
pub(super) fn found(reader: &Reader, config: &Config) -> Found {
    let mut idle: Vec<(String, String)> = Vec::new();
    let mut note = |setting: &str, why: String| {
        if reader.text(setting).is_some() {
            idle.push((setting.to_owned(), why));
        }
    };
    for (setting, why) in misplaced(config.platform) {
        note(setting, why.to_owned());
    }
    if config.platform.most_request().is_some_and(|most| config.limits.request > most) {
        let most = config.platform.most_request().unwrap_or_default();
        note("MAX_REQUEST_SIZE", format!("the platform takes at most {most} bytes"));
    }
    for (setting, why) in of_images(config) {
        note(setting, why);
    }
    for (setting, clock) in
        [("DEFAULT_TIMEOUT", config.clocks.first_byte), ("BACKGROUND_TIMEOUT", config.clocks.background)]
    {
        if config.platform == Platform::Lambda && clock > Duration::from_secs(900) {
            note(setting, "the platform ends a call after 900 s".to_owned());
        }
        if config.clocks.whole.is_some_and(|whole| clock > whole) {
            note(setting, "a call has to end before (MAX_DURATION, TOTAL_TIMEOUT)".to_owned());
        }
    }
    if !matches!(config.store, StoreAt::Redis(_)) {
        note("STORE_PREFIX", "only the keys of a Redis have a prefix".to_owned());
    }
    let has_hop = matches!(config.hop, HopTo::Url { .. }) || config.platform == Platform::Lambda;
    if !has_hop && config.access.keyring.is_empty() {
        note(
            "GATEWAY_SECRET",
            "there is no hop to sign, and it is too short to sign tokens (32 characters)".to_owned(),
        );
    }
    for setting in reader.names().filter(|name| name.ends_with("_API_KEY") && !reader.was_asked_for(name)) {
        idle.push((setting.to_owned(), "no service has this alias".to_owned()));
    }
    Found {
        read: reader.names().filter(|name| reader.was_asked_for(name)).map(str::to_owned).collect(),
        idle,
    }
}

/// Settings that belong to another platform.
fn misplaced(platform: Platform) -> impl Iterator<Item = (&'static str, &'static str)> {
    const LOCAL: [&str; 11] = [
        "HOST",
        "PORT",
        "HEADER_TIMEOUT",
        "SEND_TIMEOUT",
        "MAX_HEADER_SIZE",
        "MAX_CONNECTIONS",
        "SHUTDOWN_GRACE",
        "DEMO",
        "METRICS",
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_METRIC_EXPORT_INTERVAL",
    ];
    let local = LOCAL.into_iter().filter(move |_| platform != Platform::Local);
    let local = local.map(|setting| (setting, "it belongs to the local door; the platform does this part"));
    let duration =
        (platform != Platform::Vercel).then_some(("MAX_DURATION", "only Vercel's functions need to be told"));
    let table = (platform != Platform::Lambda)
        .then_some(("TABLE_NAME", "only Lambda's functions keep things in a table"));
    local.chain(duration).chain(table).chain(origin::misplaced(platform))
}

/// Settings for images that the other settings leave nothing to do.
fn of_images(config: &Config) -> impl Iterator<Item = (&'static str, String)> {
    let room = config.image_room();
    let size = (config.vision.image > room)
        .then(|| ("MAX_IMAGE_SIZE", format!("an image of at most {room} bytes fits into a request")));
    let unheard = config.services.get("openrouter").is_none();
    let unheard = ["APP_URL", "APP_TITLE"].into_iter().filter(move |_| unheard);
    let why = "it is for OpenRouter, which is switched off";
    size.into_iter().chain(unheard.map(move |setting| (setting, why.to_owned())))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Platform};

    fn idle(platform: Platform, vars: &[(&str, &str)]) -> Vec<String> {
        let config = Config::read(vars.iter().copied(), platform).unwrap();
        config.found.idle.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_setting_that_cannot_take_effect_is_named() {
        for (platform, setting, value) in [
            (Platform::Vercel, "PORT", "8080"),
            (Platform::Lambda, "SHUTDOWN_GRACE", "1000"),
            (Platform::Local, "MAX_DURATION", "60"),
            (Platform::Vercel, "MAX_REQUEST_SIZE", "10000000"),
            (Platform::Vercel, "DEFAULT_TIMEOUT", "400000"),
            (Platform::Lambda, "BACKGROUND_TIMEOUT", "1000000"),
            (Platform::Local, "GATEWAY_SECRET", "s"),
            (Platform::Local, "NOBODY_API_KEY", "k"),
            (Platform::Vercel, "MAX_IMAGE_SIZE", "10000000"),
            (Platform::Local, "STORE_PREFIX", "preview"),
            (Platform::Vercel, "TABLE_NAME", "t"),
            (Platform::Vercel, "METRICS", "on"),
            (Platform::Lambda, "OTEL_BSP_SCHEDULE_DELAY", "1000"),
        ] {
            assert_eq!(idle(platform, &[(setting, value)]), [setting], "{platform:?} {setting}");
        }
    }

    #[test]
    fn a_setting_that_does_is_not() {
        let url = ("BACKGROUND_URL", "https://b.example/api/background");
        for (platform, vars) in [
            (
                Platform::Local,
                &[("PORT", "0"), ("DEFAULT_TIMEOUT", "900000"), ("MAX_REQUEST_SIZE", "999999999")][..],
            ),
            (
                Platform::Vercel,
                &[("MAX_DURATION", "60"), ("MAX_REQUEST_SIZE", "1000"), ("OPENAI_API_KEY", "k")],
            ),
            (Platform::Vercel, &[("GATEWAY_SECRET", "s"), url]),
            (Platform::Lambda, &[("GATEWAY_SECRET", "s"), ("HF_TOKEN", "k")]),
        ] {
            assert_eq!(idle(platform, vars), Vec::<String>::new(), "{platform:?} {vars:?}");
        }
    }

    #[test]
    fn what_was_read_is_known_by_name_and_strangers_are_left_out() {
        let vars =
            [("OPENAI_API_KEY", "k"), ("LOG_LEVEL", "WARN"), ("PATH", "/bin"), ("VERCEL_ENV", "preview")];
        let mut read = Config::read(vars, Platform::Vercel).unwrap().found.read;
        read.sort();
        assert_eq!(read, ["LOG_LEVEL", "OPENAI_API_KEY", "VERCEL_ENV"]);
    }
}
