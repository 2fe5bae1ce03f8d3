//! Refuses the fields and parameters that Gemini refuses.

use serde_json::Value;

use super::prompt::declarations;
use crate::error::Refusal;
use crate::prompt::{list, text_of};

/// What a request may have.
const FIELDS: [&str; 11] = [
    "cachedContent",
    "contents",
    "generationConfig",
    "labels",
    "model",
    "safetySettings",
    "serviceTier",
    "store",
    "systemInstruction",
    "toolConfig",
    "tools",
];

const CONFIG_FIELDS: [&str; 21] = [
    "audioTimestamp",
    "candidateCount",
    "enableEnhancedCivicAnswers",
    "frequencyPenalty",
    "imageConfig",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "speechConfig",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
];

/// JSON Schema's words that the older form of a schema does not know.
const NOT_IN_SCHEMAS: [&str; 6] = ["$defs", "$ref", "$schema", "additionalProperties", "const", "strict"];

/// Gemini takes no more stop sequences than this.
const MOST_STOPS: usize = 5;

/// Whether a model is of the generation that signs its calls.
pub(super) fn is_third(model: &str) -> bool {
    model.trim_start_matches("models/").starts_with("gemini-3")
}

/// Refuses fields that do not exist, and lists that are too long.
pub(super) fn fields(body: &Value) -> Result<(), Refusal> {
    known(body, &FIELDS, "")?;
    let config = &body["generationConfig"];
    known(config, &CONFIG_FIELDS, " at 'generation_config'")?;
    if list(&config["stopSequences"]).len() > MOST_STOPS {
        return refuse(format!("Only {MOST_STOPS} stop sequences are allowed."));
    }
    let (schema, json_schema) = (config.get("responseSchema"), config.get("responseJsonSchema"));
    if (schema.is_some() || json_schema.is_some()) && config["responseMimeType"] != "application/json" {
        return refuse("response_mime_type must be application/json where there is a response schema.");
    }
    if schema.is_some() && json_schema.is_some() {
        return refuse("Only one of response_schema and response_json_schema may be set.");
    }
    schema.map_or(Ok(()), |schema| proto_schema(schema, "generation_config.response_schema"))
}

fn known(value: &Value, names: &[&str], place: &str) -> Result<(), Refusal> {
    let unknown = |name: &&String| !names.contains(&name.as_str());
    match value.as_object().and_then(|fields| fields.keys().find(unknown)) {
        Some(name) => no_such_field(name, place),
        None => Ok(()),
    }
}

fn no_such_field(name: &str, place: &str) -> Result<(), Refusal> {
    refuse(format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."))
}

/// The older form of a schema is a protocol buffer: it has its fields, and a type is one word.
fn proto_schema(schema: &Value, place: &str) -> Result<(), Refusal> {
    let Some(fields) = schema.as_object() else { return Ok(()) };
    if let Some(name) = fields.keys().find(|name| NOT_IN_SCHEMAS.contains(&name.as_str())) {
        return no_such_field(name, &format!(" at '{place}'"));
    }
    if schema["type"].is_array() {
        return refuse(format!("Proto field is not repeating, cannot start list at '{place}.type'."));
    }
    let properties = schema["properties"].as_object().into_iter().flat_map(|properties| properties.values());
    let inner = properties.chain(schema.get("items")).chain(list(&schema["anyOf"]));
    inner.into_iter().try_for_each(|inner| proto_schema(inner, place))
}

/// Refuses tools that cannot be called as they are.
pub(super) fn tools(body: &Value, model: &str) -> Result<(), Refusal> {
    for declaration in declarations(body) {
        declared(declaration)?;
    }
    let calling = &body["toolConfig"]["functionCallingConfig"];
    if !list(&calling["allowedFunctionNames"]).is_empty()
        && calling["mode"] != "ANY"
        && calling["mode"] != "VALIDATED"
    {
        return refuse("Allowed function names should be set only when the function calling mode is ANY.");
    }
    let config = &body["generationConfig"];
    let older = ["gemini-1", "gemini-2"].iter().any(|family| model.starts_with(family));
    if older && config["responseMimeType"] == "application/json" && declarations(body).next().is_some() {
        return refuse("Function calling with a response mime type: 'application/json' is unsupported");
    }
    Ok(())
}

fn declared(declaration: &Value) -> Result<(), Refusal> {
    let name = declaration["name"].as_str().unwrap_or_default();
    let leads = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let plain = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_.:-".contains(&letter));
    if !leads || !plain || name.len() > 128 {
        return refuse(
            "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name. Must \
             start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots \
             (.), colons (:), or dashes (-), with a maximum length of 128.",
        );
    }
    if declaration.get("parameters").is_some() && declaration.get("parametersJsonSchema").is_some() {
        return refuse("Only one of parameters and parameters_json_schema may be set.");
    }
    proto_schema(&declaration["parameters"], "tools[0].function_declarations[0].parameters")
}

/// Refuses a way of thinking the model does not have.
pub(super) fn thinking(body: &Value, model: &str) -> Result<(), Refusal> {
    let config = &body["generationConfig"];
    let thinking = &config["thinkingConfig"];
    let (level, budget) = (thinking.get("thinkingLevel"), thinking.get("thinkingBudget"));
    if level.is_some() && budget.is_some() {
        return refuse("You can only set only one of thinking budget and thinking level.");
    }
    if level.is_some() && model.starts_with("gemini-2") {
        return refuse("Thinking level is not supported for this model.");
    }
    let level = level.map(text_of).unwrap_or_default();
    if model.starts_with("gemini-3") && model.contains("pro") && level.eq_ignore_ascii_case("minimal") {
        return refuse("Thinking level MINIMAL is not supported for this model.");
    }
    if model.starts_with("gemini-2.5-pro") && budget.is_some_and(|budget| *budget == 0) {
        return refuse("Budget 0 is invalid. This model only works in thinking mode.");
    }
    Ok(())
}

/// Vertex AI reads a picture's type before its bytes, and knows no ids of calls.
pub(super) fn vertex(body: &Value, raw: &[u8]) -> Result<(), Refusal> {
    let raw =
        String::from_utf8_lossy(raw).replace("mime_type", "mimeType").replace("inline_data", "inlineData");
    let late = |picture: &str| {
        picture.find("\"data\"").is_some_and(|data| !picture[..data].contains("\"mimeType\""))
    };
    if raw.split("\"inlineData\"").skip(1).any(late) {
        return refuse("Unable to submit request because it must have a mimeType parameter before its data.");
    }
    let mut parts = list(&body["contents"]).iter().flat_map(|content| list(&content["parts"]));
    let named = |part: &Value| {
        ["functionCall", "functionResponse"].iter().any(|kind| part[*kind].get("id").is_some())
    };
    if parts.any(named) {
        return no_such_field("id", " at 'contents[0].parts[0].function_call'");
    }
    Ok(())
}

pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::bad_request(message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(found: Result<(), Refusal>, wanted: Option<&str>) {
        let found = found.err().map(|refusal| refusal.message);
        let fits = match (&found, wanted) {
            (Some(found), Some(wanted)) => found.contains(wanted),
            (found, wanted) => found.is_none() && wanted.is_none(),
        };
        assert!(fits, "{found:?} instead of {wanted:?}");
    }

    #[test]
    fn a_field_that_does_not_exist_is_refused_by_name() {
        check(fields(&json!({"contents": [], "generationConfig": {"topK": 1}})), None);
        check(fields(&json!({"messages": []})), Some("Unknown name \"messages\""));
        check(fields(&json!({"generationConfig": {"n": 1}})), Some("Unknown name \"n\""));
    }

    #[test]
    fn a_json_schema_is_taken_only_where_json_schemas_are() {
        let config = |name: &str| {
            let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
            json!({"generationConfig": {"responseMimeType": "application/json", name: schema}})
        };
        check(fields(&config("responseJsonSchema")), None);
        check(fields(&config("responseSchema")), Some("Unknown name \"additionalProperties\""));
    }

    #[test]
    fn tools_are_declared_in_one_way_and_with_a_proper_name() {
        let declare = |declaration: Value| json!({"tools": [{"functionDeclarations": [declaration]}]});
        let schema = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}});
        let check_tool = |tool: Value, wanted| check(tools(&declare(tool), "gemini-2.5-pro"), wanted);
        check_tool(json!({"name": "f.g", "parametersJsonSchema": schema}), None);
        check_tool(json!({"name": "1f"}), Some("Invalid function name"));
        check_tool(json!({"name": "f", "parameters": schema}), Some("cannot start list"));
        check_tool(json!({"name": "f", "parameters": {}, "parametersJsonSchema": {}}), Some("Only one of"));
    }

    #[test]
    fn each_generation_thinks_in_its_own_way() {
        let level = json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}});
        check(thinking(&level, "gemini-3-pro"), None);
        check(thinking(&level, "gemini-2.5-flash"), Some("not supported"));
        let none = json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}});
        check(thinking(&none, "gemini-2.5-flash"), None);
        check(thinking(&none, "gemini-2.5-pro"), Some("only works in thinking mode"));
    }

    #[test]
    fn vertex_wants_the_type_before_the_data() {
        let check_raw = |raw: &str, wanted| check(vertex(&Value::Null, raw.as_bytes()), wanted);
        check_raw(r#"{"inlineData":{"mimeType":"image/png","data":""}}"#, None);
        check_raw(r#"{"inlineData":{"data":"","mimeType":"image/png"}}"#, Some("before its data"));
        check_raw(r#"{"inlineData":{"data":""}}"#, Some("before its data"));
    }
}
