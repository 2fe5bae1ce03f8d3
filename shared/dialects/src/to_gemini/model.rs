//! The model's place in Google's URLs, and its generation.

use std::fmt::Write as _;

/// A model's path below `/v1beta/`, percent-encoded: `models/{m}`, or `tunedModels/{m}` where that is asked for.
///
/// `None` for what could leave its place in the URL (`..`, an empty name, control characters, an encoded name that
/// somebody on the way might decode once more).
#[must_use]
pub fn model_path(model: &str) -> Option<String> {
    let (collection, name) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), name)) => (collection, name),
        _ => ("models", model),
    };
    let climbs = name.contains("..") || name.split(['/', '\\']).any(|part| matches!(part, "" | "."));
    if climbs || name.chars().any(|letter| letter.is_control() || letter == '%') {
        return None;
    }
    Some(format!("{collection}/{}", encoded(name)))
}

fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A model's bare name: `models/gemini-3-flash` → `gemini-3-flash`.
pub(super) fn bare(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

/// Whether a model is of Gemini's third generation or later, as the `-latest` names are.
pub(super) fn third_or_later(model: &str) -> bool {
    let Some(rest) = bare(model).strip_prefix("gemini-") else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.ends_with("-latest") || rest[..digits].parse::<u32>().is_ok_and(|generation| generation >= 3)
}

#[cfg(test)]
mod tests {
    use super::{model_path, third_or_later};

    #[test]
    fn a_model_stays_in_its_place_in_the_url() {
        let check = |model: &str, expected: Option<&str>| {
            assert_eq!(model_path(model).as_deref(), expected, "{model:?}");
        };
        check("gemini-3-flash", Some("models/gemini-3-flash"));
        check("models/gemini-3-flash", Some("models/gemini-3-flash"));
        check("tunedModels/mine-1", Some("tunedModels/mine-1"));
        check("a b?c#d:e@f", Some("models/a%20b%3Fc%23d%3Ae%40f"));
        check("publishers/google/x", Some("models/publishers%2Fgoogle%2Fx"));
        check("gemini/../secrets", None);
        check("models/../x", None);
        check("models/models/../../x", None);
        check("a\\..\\b", None);
        check("%2e%2e", None);
        check("models/", None);
        check("..", None);
        check("./x", None);
        check("", None);
        check("a\nb", None);
    }

    #[test]
    fn generations_are_told_by_the_name() {
        for model in
            ["gemini-3-pro-preview", "models/gemini-3.8-flash", "gemini-10-pro", "gemini-flash-latest"]
        {
            assert!(third_or_later(model), "{model}");
        }
        for model in ["gemini-2.5-pro", "gemini-1.5-flash-3", "gemma-3-27b", "gemini-pro", "gemini-"] {
            assert!(!third_or_later(model), "{model}");
        }
    }
}
