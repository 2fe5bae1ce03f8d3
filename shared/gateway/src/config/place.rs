//! Where the providers are whose address is each customer's own: a resource, a region, an account, a server at home.
//!
//! Without the setting that names it there is no such service, and a call to it is told what there is.

use http::uri::{Authority, Scheme};

use super::Reader;
use crate::services::Builtin;

/// The scheme and host of a built-in service.
pub(super) fn of(row: &Builtin, reader: &mut Reader) -> Option<(Scheme, Authority)> {
    match row.alias {
        "azure" => named(reader, "AZURE_OPENAI_ENDPOINT", "https://my-resource.openai.azure.com", false),
        "ollama" => named(reader, "OLLAMA_HOST", "http://127.0.0.1:11434", true),
        "onemin" if reader.text("ONE_MIN_API_URL").is_some() => {
            named(reader, "ONE_MIN_API_URL", "https://api.1min.ai", true)
        }
        "bedrock" => region(reader, row.host).map(|host| (Scheme::HTTPS, host)),
        _ => Some((Scheme::HTTPS, Authority::from_static(row.host))),
    }
}

/// What goes before the paths of a built-in service.
pub(super) fn base_path(row: &Builtin, reader: &mut Reader) -> Option<String> {
    if !row.base_path.contains("{account}") {
        return Some(row.base_path.to_owned());
    }
    let account = reader.text("CLOUDFLARE_ACCOUNT_ID")?;
    if !is_word(account) {
        reader.problem("CLOUDFLARE_ACCOUNT_ID", "is not an account's id, which has letters and digits only");
        return None;
    }
    Some(row.base_path.replace("{account}", account))
}

/// A host that a setting names by its URL.
fn named(reader: &mut Reader, setting: &str, example: &str, plain: bool) -> Option<(Scheme, Authority)> {
    let text = reader.text(setting)?;
    // Ollama's own setting may be a bare host and port.
    let whole = if plain && !text.contains("://") { format!("http://{text}") } else { text.to_owned() };
    let uri = whole.parse::<http::Uri>().ok();
    let parts = uri.and_then(|uri| Some((uri.scheme()?.clone(), uri.authority()?.clone())));
    let parts = parts.filter(|(scheme, host)| {
        (*scheme == Scheme::HTTPS || (plain && *scheme == Scheme::HTTP)) && !host.as_str().contains('@')
    });
    if parts.is_none() {
        reader.problem(setting, &format!("is not a URL such as {example}"));
    }
    parts
}

/// AWS's host with the region in it. On Lambda the function's own region is as good a guess as any.
fn region(reader: &mut Reader, host: &str) -> Option<Authority> {
    let setting = if reader.text("BEDROCK_REGION").is_some() { "BEDROCK_REGION" } else { "AWS_REGION" };
    let region = reader.text(setting)?;
    if !is_word(region) {
        reader.problem(setting, "is not a region such as us-east-1");
        return None;
    }
    host.replace("{region}", region).parse().ok()
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use crate::config::tests::config;

    fn url(vars: &[(&str, &str)], alias: &str, path: &str) -> Option<String> {
        let service = config(vars).services.get(alias)?;
        Some(service.url(path, None)?.to_string())
    }

    #[test]
    fn a_service_that_needs_an_address_is_there_once_it_is_named() {
        for (alias, setting, value, path, expected) in [
            (
                "azure",
                "AZURE_OPENAI_ENDPOINT",
                "https://acme.openai.azure.com/",
                "/v1/responses",
                "https://acme.openai.azure.com/openai/v1/responses",
            ),
            (
                "workers-ai",
                "CLOUDFLARE_ACCOUNT_ID",
                "abc123",
                "/v1/chat/completions",
                "https://api.cloudflare.com/client/v4/accounts/abc123/ai/v1/chat/completions",
            ),
            (
                "bedrock",
                "BEDROCK_REGION",
                "eu-west-1",
                "/v1/chat/completions",
                "https://bedrock-mantle.eu-west-1.api.aws/v1/chat/completions",
            ),
            (
                "ollama",
                "OLLAMA_HOST",
                "127.0.0.1:11434",
                "/v1/chat/completions",
                "http://127.0.0.1:11434/v1/chat/completions",
            ),
        ] {
            assert_eq!(url(&[], alias, path), None, "{alias}");
            assert_eq!(url(&[(setting, value)], alias, path).as_deref(), Some(expected), "{alias}");
        }
        assert_eq!(url(&[], "onemin", "/models").as_deref(), Some("https://api.1min.ai/models"));
        let own = [("ONE_MIN_API_URL", "http://127.0.0.1:9")];
        assert_eq!(url(&own, "onemin", "/models").as_deref(), Some("http://127.0.0.1:9/models"));
    }
}
