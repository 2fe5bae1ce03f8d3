//! Refuses the parameters that Anthropic refuses, in Anthropic's words as far as they are known.

use serde_json::Value;

use crate::error::Refusal;
use crate::openai::strict::any_object;
use crate::prompt::list;

const KNOWN_FIELDS: [&str; 24] = [
    "cache_control",
    "container",
    "context_management",
    "fallbacks",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "user_profile_id",
];

/// These take no sampling parameters and no budget for thoughts.
const WITHOUT_SAMPLING: [&str; 5] = ["opus-4-7", "opus-4-8", "opus-4-9", "opus-5", "sonnet-5"];
/// These take a temperature or a top_p, but not both.
const ONE_SAMPLER: [&str; 3] = ["opus-4-1", "opus-4-5", "sonnet-4-5"];

/// The least a budget for thoughts may be.
const LEAST_BUDGET: u64 = 1_024;

pub(super) fn known_fields(body: &Value) -> Result<(), Refusal> {
    let unknown =
        body.as_object().and_then(|body| body.keys().find(|name| !KNOWN_FIELDS.contains(&name.as_str())));
    unknown.map_or(Ok(()), |name| refuse(format!("{name}: Extra inputs are not permitted")))
}

/// Refuses numbers that are out of bounds, alone or together.
pub(super) fn limits(body: &Value) -> Result<(), Refusal> {
    if !body["model"].is_string() {
        return refuse("model: Field required");
    }
    if body["max_tokens"].is_null() {
        return refuse("max_tokens: Field required");
    }
    if body["max_tokens"].as_u64().is_none_or(|most| most == 0) {
        return refuse("max_tokens: Input should be greater than or equal to 1");
    }
    if list(&body["stop_sequences"]).iter().any(|stop| blank(stop.as_str().unwrap_or_default())) {
        return refuse("stop_sequences: each stop sequence must contain non-whitespace");
    }
    sampling(body)?;
    thinking(body)?;
    schema(body)
}

fn sampling(body: &Value) -> Result<(), Refusal> {
    let has = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    if body["temperature"].as_f64().is_some_and(|temperature| temperature > 1.0) {
        return refuse("temperature: range: 0..1");
    }
    let sampler = ["temperature", "top_p", "top_k"].into_iter().find(|name| has(name));
    if let Some(name) = sampler.filter(|_| is_one_of(body, &WITHOUT_SAMPLING)) {
        return refuse(format!("`{name}` is not supported by this model."));
    }
    if is_one_of(body, &ONE_SAMPLER) && has("temperature") && has("top_p") {
        return refuse(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        );
    }
    Ok(())
}

fn is_one_of(body: &Value, families: &[&str]) -> bool {
    let model = body["model"].as_str().unwrap_or_default().replace('.', "-");
    families.iter().any(|family| model.contains(family))
}

fn thinking(body: &Value) -> Result<(), Refusal> {
    let thinking = &body["thinking"];
    match thinking["type"].as_str() {
        Some("enabled") => budget(body, thinking)?,
        Some("adaptive") if thinking.get("budget_tokens").is_some() => {
            return refuse("thinking.adaptive.budget_tokens: Extra inputs are not permitted");
        }
        Some("adaptive") => {}
        Some("disabled") | None => return Ok(()),
        Some(_) => return refuse("thinking: Input tag does not match 'adaptive', 'disabled' or 'enabled'"),
    }
    if ["any", "tool"].iter().any(|kind| body["tool_choice"]["type"] == *kind) {
        return refuse("Thinking may not be enabled when tool_choice forces tool use.");
    }
    if body["temperature"].as_f64().is_some_and(|temperature| temperature < 1.0) {
        return refuse("`temperature` may only be set to 1 when thinking is enabled.");
    }
    if body.get("top_k").is_some_and(|value| !value.is_null()) {
        return refuse("`top_k` must be unset when thinking is enabled.");
    }
    Ok(())
}

fn budget(body: &Value, thinking: &Value) -> Result<(), Refusal> {
    if is_one_of(body, &WITHOUT_SAMPLING) {
        return refuse(
            "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\".",
        );
    }
    let Some(budget) = thinking["budget_tokens"].as_u64() else {
        return refuse("thinking.enabled.budget_tokens: Field required");
    };
    if budget < LEAST_BUDGET {
        return refuse("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    }
    if body["max_tokens"].as_u64().is_some_and(|most| most <= budget) {
        return refuse("`max_tokens` must be greater than `thinking.budget_tokens`.");
    }
    thoughts_lead(list(&body["messages"]))
}

/// A turn that called tools is continued only with the thoughts that led to the call.
fn thoughts_lead(messages: &[Value]) -> Result<(), Refusal> {
    let Some(last) = messages.iter().rev().find(|message| message["role"] == "assistant") else {
        return Ok(());
    };
    let blocks = list(&last["content"]);
    let leads = ["thinking", "redacted_thinking"]
        .iter()
        .any(|kind| blocks.first().is_some_and(|block| is(block, kind)));
    if blocks.iter().any(|block| is(block, "tool_use")) && !leads {
        return refuse(
            "messages: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is \
             enabled, a final `assistant` message must start with a thinking block.",
        );
    }
    Ok(())
}

fn schema(body: &Value) -> Result<(), Refusal> {
    let schema =
        body.pointer("/output_config/format/schema").or_else(|| body.pointer("/output_format/schema"));
    let open = |schema: &Value| schema["additionalProperties"] != false;
    if schema.is_some_and(|schema| any_object(schema, &open)) {
        return refuse(
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly \
             set to false",
        );
    }
    Ok(())
}

pub(super) fn is(block: &Value, kind: &str) -> bool {
    block["type"] == kind
}

pub(super) fn blank(text: &str) -> bool {
    text.trim().is_empty()
}

pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::bad_request(message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(more: &Value, wanted: Option<&str>) {
        let mut body = json!({"model": "claude-opus-4-5", "max_tokens": 4096});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let found = known_fields(&body).and_then(|()| limits(&body)).err().map(|refusal| refusal.message);
        let fits = match (&found, wanted) {
            (Some(found), Some(wanted)) => found.contains(wanted),
            (found, wanted) => found.is_none() && wanted.is_none(),
        };
        assert!(fits, "{more}: {found:?}");
    }

    #[test]
    fn parameters_are_refused_as_the_real_one_does() {
        check(&json!({}), None);
        check(&json!({"seed": 1}), Some("seed: Extra inputs"));
        check(&json!({"max_tokens": null}), Some("max_tokens: Field required"));
        check(&json!({"temperature": 1.7}), Some("range: 0..1"));
        check(&json!({"temperature": 1, "top_p": 1}), Some("cannot both be specified"));
        check(&json!({"model": "claude-haiku-4-5", "temperature": 1, "top_p": 1}), None);
        check(&json!({"model": "claude-opus-4-7", "temperature": 1}), Some("not supported by this model"));
        check(&json!({"stop_sequences": ["\n"]}), Some("non-whitespace"));
    }

    #[test]
    fn a_budget_for_thoughts_fits_the_limit_and_the_model() {
        let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
        check(&json!({"thinking": enabled(1024)}), None);
        check(&json!({"thinking": enabled(1023)}), Some("greater than or equal to 1024"));
        check(&json!({"thinking": enabled(4096)}), Some("must be greater than"));
        check(&json!({"thinking": enabled(1024), "model": "claude-opus-4-7"}), Some("adaptive"));
        check(&json!({"thinking": {"type": "adaptive", "budget_tokens": 1024}}), Some("Extra inputs"));
        check(&json!({"thinking": enabled(1024), "temperature": 0.5}), Some("only be set to 1"));
        check(&json!({"thinking": enabled(1024), "tool_choice": {"type": "any"}}), Some("forces tool use"));
    }

    #[test]
    fn a_schema_closes_all_of_its_objects() {
        let inner = json!({"type": "object", "properties": {}});
        let schema = json!({"type": "object", "properties": {"a": inner}, "additionalProperties": false});
        let format = json!({"format": {"type": "json_schema", "schema": schema}});
        check(
            &json!({"output_config": format}),
            Some("'additionalProperties' must be explicitly set to false"),
        );
    }
}
