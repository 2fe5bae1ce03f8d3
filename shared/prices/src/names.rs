//! What a model is called, and whose price is meant: services have aliases of their own, models have dates and paths.

use crate::pattern::fits;
use crate::table;

/// Whose table has the price.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seller {
    /// A provider of the table, and the names its models have there.
    Listed { table: String, names: Vec<String> },
    /// The operator's own machine.
    Free,
    /// One whose prices are not known.
    Unlisted,
}

/// Our services that the table has under another name.
const ALIASES: &[(&str, &str)] = &[
    ("claude", "anthropic"),
    ("gemini", "google"),
    ("vertex", "google"),
    ("bedrock", "aws"),
    ("pplx", "perplexity"),
    ("moonshot", "moonshotai"),
    ("xai", "x-ai"),
    ("workers-ai", "cloudflare"),
];

/// What runs on the operator's own machine.
const FREE: &[&str] = &["demo", "ollama"];

/// Our services that set prices of their own, which the table does not have: the maker's price would be a guess.
const UNLISTED: &[&str] = &[
    "chutes",
    "dmxcn",
    "dmxcom",
    "friendli",
    "gmi",
    "modelscope",
    "nvidia",
    "onemin",
    "poe",
    "siliconflow",
    "targon",
];

/// Who made a model, by its name; the first that fits. OpenAI has no price for the models it gives away.
const MAKERS: &[(&str, &[&str])] = &[
    ("", &["gpt-oss*"]),
    ("openai", &["gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "codex-*", "ft:gpt-*", "text-embedding-*"]),
    ("anthropic", &["claude-*"]),
    ("google", &["gemini-*"]),
    (
        "mistral",
        &["mistral-*", "ministral-*", "magistral-*", "codestral*", "devstral-*", "pixtral-*", "open-mi*"],
    ),
    ("deepseek", &["deepseek-*"]),
    ("x-ai", &["grok-*"]),
    ("cohere", &["command*"]),
    ("moonshotai", &["kimi-*"]),
    ("zai", &["glm-*"]),
    ("minimax", &["minimax-m*"]),
    ("meta", &["muse-*"]),
    ("perplexity", &["sonar*"]),
];

/// A model's names, in the order in which they are looked up: as it was told, without its path, without its date.
pub(crate) fn spellings(provider: Option<&str>, model: &str) -> Vec<String> {
    let told = model.to_ascii_lowercase();
    let mut names = vec![told.clone()];
    // Gemini's own API says `models/…`; clients of the unified API may name the service before the model.
    let service = provider.and_then(|provider| told.strip_prefix(provider)?.strip_prefix('/'));
    names.extend(service.or(told.strip_prefix("models/")).map(str::to_owned));
    names.extend(names.clone().iter().filter_map(|name| undated(name)).flatten());
    if provider == Some("bedrock") {
        // Bedrock's newer endpoint leaves off the version, which the table's names begin: `openai.gpt-oss-120b-1:0`.
        names.push(format!("{told}-1"));
    }
    names
}

/// The name with its date as OpenAI writes dates, and the name without its date.
fn undated(name: &str) -> Option<[String; 2]> {
    const DATES: [&str; 2] = ["*-20##-##-##", "*-20######"];
    let length = if fits(DATES[0], name) { 11 } else { fits(DATES[1], name).then_some(9)? };
    let (plain, date) = name.split_at(name.len() - length);
    let digits: String = date.chars().filter(char::is_ascii_digit).collect();
    Some([format!("{plain}-{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]), plain.to_owned()])
}

/// Whose price is meant.
pub(crate) fn seller(provider: Option<&str>, names: &[String]) -> Seller {
    match provider {
        Some(name) if FREE.contains(&name) => Seller::Free,
        Some(name) if UNLISTED.contains(&name) => Seller::Unlisted,
        Some("huggingface") => routed(names),
        Some(name) if table::is_listed(table_of(name)) => {
            Seller::Listed { table: table_of(name).to_owned(), names: names.to_vec() }
        }
        _ => maker(names),
    }
}

fn table_of(service: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == service).map_or(service, |(_, table)| table)
}

/// Hugging Face's router passes calls on: `org/model:provider` says to whom, and without it the price is open.
fn routed(names: &[String]) -> Seller {
    let Some((model, provider)) = names.first().and_then(|name| name.split_once(':')) else {
        return Seller::Unlisted;
    };
    Seller::Listed { table: format!("huggingface_{provider}"), names: vec![model.to_owned()] }
}

/// The maker's own price. A path before the name must be the maker's name: `openai/gpt-4o`, but not `deepseek-ai/…`,
/// which is how open models are named that anybody may run.
fn maker(names: &[String]) -> Seller {
    let bare: Vec<String> =
        names.iter().map(|name| name.rsplit('/').next().unwrap_or_default().to_owned()).collect();
    let made = bare.first().map_or("", |name| maker_of(name));
    let path = names.first().and_then(|name| name.rsplit_once('/')).map(|(path, _)| path);
    if made.is_empty() || path.is_some_and(|path| path != "models" && table_of(path) != made) {
        return Seller::Unlisted;
    }
    Seller::Listed { table: made.to_owned(), names: bare }
}

fn maker_of(name: &str) -> &'static str {
    let made = MAKERS.iter().find(|(_, patterns)| patterns.iter().any(|pattern| fits(pattern, name)));
    made.map_or("", |(maker, _)| maker)
}

#[cfg(test)]
mod tests {
    use super::{FREE, UNLISTED, maker_of, spellings};
    use crate::table;

    #[test]
    fn a_date_is_left_off_last() {
        let names = spellings(Some("gemini"), "models/Gemini-X-20260102");
        assert_eq!(
            names,
            [
                "models/gemini-x-20260102",
                "gemini-x-20260102",
                "models/gemini-x-2026-01-02",
                "models/gemini-x",
                "gemini-x-2026-01-02",
                "gemini-x"
            ]
        );
        assert_eq!(spellings(None, "gpt-4o-2024-08-06").last().unwrap(), "gpt-4o");
        assert_eq!(spellings(None, "\u{e9}-20260102").last().unwrap(), "\u{e9}");
        assert_eq!(spellings(None, "mistral-small-2506"), ["mistral-small-2506"]);
    }

    #[test]
    fn what_a_service_is_said_not_to_have_the_table_has_not() {
        for service in FREE.iter().chain(UNLISTED) {
            assert!(!table::is_listed(service), "{service} has got prices");
        }
        for (_, listed) in super::ALIASES {
            assert!(table::is_listed(listed), "{listed}");
        }
    }

    #[test]
    fn makers_are_known_by_their_models_names() {
        for (model, maker) in [
            ("gpt-4o", "openai"),
            ("o3-mini", "openai"),
            ("gpt-oss-120b", ""),
            ("claude-opus-5", "anthropic"),
            ("gemini-2.5-pro", "google"),
            ("mistral-large-latest", "mistral"),
            ("llama-3.3-70b", ""),
        ] {
            assert_eq!(maker_of(model), maker, "{model}");
        }
    }
}
