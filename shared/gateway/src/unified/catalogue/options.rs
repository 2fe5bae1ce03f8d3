//! `/v1/model-options`: the models with all that is known of them, for programs and people who have to choose one.

use http::Response;
use serde_json::{Map, Value, json};

use super::union::{Entry, Lists};
use super::with_missing;
use crate::auth::Caller;
use crate::body::Body;
use crate::gateway::Gateway;
use crate::pages::json_page;
use crate::services::{Format, KeyPlace, Service, Spoken};
use crate::unified::plan::Plan;
use crate::unified::targets::{Rules, is_open};

impl Gateway {
    /// The page.
    pub(in crate::unified) async fn model_options(&self, plan: &Plan, caller: &Caller) -> Response<Body> {
        let lists = self.lists(self.usable(caller), plan, caller).await;
        let rules = self.rules();
        let page = json!({
            "object": "list",
            "data": lists.entries().map(|entry| option(entry, &rules)).collect::<Value>(),
            "aliases": lists.aliases.iter().map(|alias| targets_of(alias, &rules)).collect::<Value>(),
            "providers": rules.services.iter().map(|service| provider(service, &lists)).collect::<Value>(),
            "default": rules.default,
            "missing": lists.missing,
        });
        with_missing(json_page(&page), &lists.missing)
    }
}

fn option(entry: Entry<'_>, rules: &Rules<'_>) -> Value {
    let Entry { service, model } = entry;
    let names: Vec<String> =
        std::iter::once(entry.id()).chain(entry.bare_id(rules).map(str::to_owned)).collect();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("id", entry.id().into());
    put("object", "model".into());
    put("provider", service.alias.as_str().into());
    put("model", model.id.as_str().into());
    put("names", names.into());
    put("owned_by", entry.owner().into());
    put("formats", formats(service.spoken_of(&model.id)));
    put("key", key(service).into());
    // What a list does not tell is not there: nothing and unknown are two things.
    model.name.as_deref().map(|name| put("display_name", name.into()));
    model.created.map(|created| put("created", created.into()));
    model.context.map(|context| put("context_window", context.into()));
    model.output.map(|output| put("max_output_tokens", output.into()));
    if !model.capabilities.is_empty() {
        put("capabilities", json!(model.capabilities));
    }
    fields.into()
}

/// An alias names providers that are there, or a call of it would be refused, and so is told here.
fn targets_of(alias: &str, rules: &Rules<'_>) -> Value {
    match rules.targets(alias, None) {
        Ok(targets) => {
            json!({ "id": alias, "targets": targets.iter().map(ToString::to_string).collect::<Vec<_>>() })
        }
        Err(missing) => json!({ "id": alias, "targets": [], "unknown_provider": missing.0 }),
    }
}

fn provider(service: &Service, lists: &Lists) -> Value {
    let models = lists.found.iter().find(|(listed, _)| listed.alias == service.alias);
    json!({
        "alias": service.alias,
        "formats": formats(&service.speaks),
        "key": key(service),
        "models": models.map(|(_, models)| models.len()),
    })
}

/// Whose key opens a provider.
fn key(service: &Service) -> &'static str {
    match service.key_place {
        KeyPlace::None => "not needed",
        _ if is_open(service) => "server",
        _ => "needed",
    }
}

/// The formats that need no translation.
fn formats(spoken: &[Spoken]) -> Value {
    spoken.iter().filter_map(|(format, _)| name(*format)).collect()
}

fn name(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::Conversation(dialect) => dialect.as_str(),
        Format::CountTokens => "count_tokens",
        Format::Embeddings | Format::GeminiEmbeddings => "embeddings",
        Format::Images | Format::WorkersAiImages | Format::OneMinImages => "images",
        Format::Models => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::listed::Listed;
    use super::super::union::Entry;
    use super::super::union::tests::with_keys;
    use super::{option, targets_of};
    use crate::unified::targets::Rules;

    #[test]
    fn a_model_is_told_with_all_that_is_known_and_nothing_that_is_not() {
        let config = with_keys();
        let rules = Rules {
            services: &config.services,
            aliases: &config.model_aliases,
            default: "openai",
            own_key: false,
        };
        let service = config.services.get("openai").unwrap();
        let model = Listed { id: "gpt-4o".to_owned(), context: Some(128_000), ..Listed::default() };
        assert_eq!(
            option(Entry { service: &service, model: &model }, &rules),
            json!({
                "id": "openai/gpt-4o", "object": "model", "provider": "openai", "model": "gpt-4o",
                "names": ["openai/gpt-4o", "gpt-4o"], "owned_by": "openai",
                "formats": ["chat", "completions", "responses", "embeddings", "images"],
                "key": "server", "context_window": 128_000,
            })
        );
        assert_eq!(
            targets_of("fast", &rules),
            json!({ "id": "fast", "targets": ["claude/haiku", "openai/gpt-4o"] })
        );
    }
}
