//! Tells models as the client's own API would: OpenAI's, Anthropic's or Google's.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::union::{Entry, Lists};
use crate::route::Surface;
use crate::unified::plan::Plan;
use crate::unified::targets::Rules;

/// In whose shape models are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// Google's.
    Google,
}

/// One model, or the operator's name for some.
#[derive(Debug)]
struct Named<'a> {
    id: &'a str,
    entry: Option<Entry<'a>>,
}

impl Shape {
    /// The shape that the sender of a call reads. Google's newer clients say `/v1`, and are known by their header.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        match plan.received.surface {
            Surface::V1Gemini => Self::Google,
            Surface::V1Anthropic => Self::Anthropic,
            _ if plan.received.headers.contains_key("x-goog-api-key") => Self::Google,
            _ => Self::OpenAi,
        }
    }

    /// All models: the operator's names first, then each provider's models, with the bare names that lead to them.
    #[must_use]
    pub fn list(self, lists: &Lists, rules: &Rules<'_>) -> Value {
        let aliases = lists.aliases.iter().map(|id| self.model(&Named { id, entry: None }));
        let listed = lists.entries().flat_map(|entry| {
            let bare = entry.bare_id(rules).map(|id| self.model(&Named { id, entry: Some(entry) }));
            std::iter::once(self.model(&Named { id: &entry.id(), entry: Some(entry) })).chain(bare)
        });
        let models: Vec<Value> = aliases.chain(listed).collect();
        match self {
            Self::OpenAi => json!({ "object": "list", "data": models }),
            Self::Google => json!({ "models": models }),
            Self::Anthropic => {
                let id = |model: Option<&Value>| model.map(|model| model["id"].clone());
                let (first, last) = (id(models.first()), id(models.last()));
                json!({ "data": models, "has_more": false, "first_id": first, "last_id": last })
            }
        }
    }

    /// One model, under the name by which it was asked for.
    #[must_use]
    pub fn one(self, id: &str, entry: Entry<'_>) -> Value {
        self.model(&Named { id, entry: Some(entry) })
    }

    /// An operator's name for one model or for several.
    #[must_use]
    pub fn alias(self, id: &str) -> Value {
        self.model(&Named { id, entry: None })
    }

    fn model(self, named: &Named<'_>) -> Value {
        Value::Object(match self {
            Self::OpenAi => openai(named),
            Self::Anthropic => anthropic(named),
            Self::Google => google(named),
        })
    }
}

fn openai(named: &Named<'_>) -> Map<String, Value> {
    let model = named.entry.map(|entry| entry.model);
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("id", named.id.into());
    put("object", "model".into());
    // The official clients want a number, known or not.
    put("created", model.and_then(|model| model.created).unwrap_or_default().into());
    put("owned_by", named.entry.as_ref().map_or("twinlane", Entry::owner).into());
    if let Some(Entry { service, model }) = named.entry {
        put("provider", service.alias.as_str().into());
        if !model.capabilities.is_empty() {
            put("capabilities", json!(model.capabilities));
        }
    }
    fields
}

/// What Anthropic's clients read has types of its own: no field is added whose name they know under another.
fn anthropic(named: &Named<'_>) -> Map<String, Value> {
    let model = named.entry.map(|entry| entry.model);
    let created = UNIX_EPOCH + Duration::from_secs(model.and_then(|model| model.created).unwrap_or_default());
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("type", "model".into());
    put("id", named.id.into());
    put("display_name", display_name(named).into());
    put("created_at", humantime::format_rfc3339_seconds(created).to_string().into());
    if let Some(Entry { service, model }) = named.entry {
        model.context.map(|context| put("max_input_tokens", context.into()));
        model.output.map(|output| put("max_tokens", output.into()));
        put("provider", service.alias.as_str().into());
    }
    fields
}

/// Google's clients refuse a field that they do not know.
fn google(named: &Named<'_>) -> Map<String, Value> {
    let model = named.entry.map(|entry| entry.model);
    let converses =
        model.is_none_or(|model| model.capabilities.is_empty() || model.capabilities.contains(&"chat"));
    let actions: &[&str] = if converses { &["generateContent", "countTokens"] } else { &[] };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("name", format!("models/{}", named.id).into());
    put("displayName", display_name(named).into());
    if let Some(model) = model {
        model.context.map(|context| put("inputTokenLimit", context.into()));
        model.output.map(|output| put("outputTokenLimit", output.into()));
    }
    put("supportedGenerationMethods", json!(actions));
    fields
}

fn display_name<'a>(named: &'a Named<'_>) -> &'a str {
    named.entry.and_then(|entry| entry.model.name.as_deref()).unwrap_or(named.id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::union::tests::{lists, with_keys};
    use super::Shape;
    use crate::unified::targets::Rules;

    fn list(shape: Shape) -> Value {
        let config = with_keys();
        let rules = Rules {
            services: &config.services,
            aliases: &config.model_aliases,
            default: &config.default_service,
            own_key: false,
        };
        shape.list(&lists(&config, &[("claude", "claude-x"), ("openrouter", "openai/gpt-4o")]), &rules)
    }

    #[test]
    fn openai_s_clients_are_told_ids_owners_and_providers() {
        let list = list(Shape::OpenAi);
        let ids: Vec<&str> =
            list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
        let expected = ["fast", "mistral-small", "claude/claude-x", "claude-x", "openrouter/openai/gpt-4o"];
        assert_eq!(ids, expected);
        assert_eq!(
            list["data"][2],
            json!({ "id": "claude/claude-x", "object": "model", "created": 0, "owned_by": "anthropic", "provider": "claude" })
        );
        assert_eq!(list["data"][0]["owned_by"], "twinlane");
    }

    #[test]
    fn anthropic_s_clients_are_told_everything_on_one_page() {
        let list = list(Shape::Anthropic);
        assert_eq!(
            (&list["first_id"], &list["last_id"]),
            (&"fast".into(), &"openrouter/openai/gpt-4o".into())
        );
        assert_eq!(list["has_more"], false);
        assert_eq!(
            list["data"][3],
            json!({ "type": "model", "id": "claude-x", "display_name": "claude-x",
                "created_at": "1970-01-01T00:00:00Z", "provider": "claude" })
        );
    }

    #[test]
    fn google_s_clients_are_told_no_field_of_ours() {
        let list = list(Shape::Google);
        let known =
            ["name", "displayName", "inputTokenLimit", "outputTokenLimit", "supportedGenerationMethods"];
        for model in list["models"].as_array().unwrap() {
            assert!(model.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{model}");
        }
        assert_eq!(list["models"][3]["name"], "models/claude-x");
    }
}
