//! Tool calls of the history and their results, which Gemini correlates by place and not by id.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::parts;
use super::tools::sent_name;
use crate::gemini::{Fields, extra_signature, object, split_id};
use crate::target::Refusal;

/// What Google's documentation gives for calls that come from elsewhere and so were never signed.
const UNSIGNED: &str = "skip_thought_signature_validator";

/// The calls made so far, by id: their place among all calls, and their function's name as sent.
#[derive(Debug, Default)]
pub(super) struct Calls {
    made: BTreeMap<String, (usize, String)>,
    count: usize,
}

/// A tool's result, and the place of its call.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) place: usize,
    pub(super) part: Value,
}

impl Calls {
    /// Reads the calls of one assistant message into parts.
    ///
    /// Gemini 3 refuses a turn whose first call is not signed; calls beside it carry no signature.
    pub(super) fn read(
        &mut self,
        message: &mut Fields,
        must_sign: bool,
        names: &mut BTreeMap<String, String>,
    ) -> Result<Vec<Value>, Refusal> {
        let mut parts = Vec::new();
        for (at, call) in message.list("tool_calls")?.into_iter().enumerate() {
            let path = format!("{}[{at}]", message.path_of("tool_calls"));
            parts.push(self.read_call(Fields::of(call, path)?, must_sign && at == 0, names)?);
        }
        if let Some(function) = message.fields("function_call")? {
            let must_sign = must_sign && parts.is_empty();
            parts.push(self.call("", function, None, must_sign, names)?);
        }
        Ok(parts)
    }

    fn read_call(
        &mut self,
        mut call: Fields,
        must_sign: bool,
        names: &mut BTreeMap<String, String>,
    ) -> Result<Value, Refusal> {
        let id = call.text("id")?.unwrap_or_default();
        let extra = call.take("extra_content");
        let path = call.path_of("function");
        let function = Fields::of(call.need("function")?, path)?;
        let (id, signature) = split_id(&id);
        let signature = signature.or_else(|| extra.as_ref().and_then(extra_signature));
        self.call(id, function, signature, must_sign, names)
    }

    fn call(
        &mut self,
        id: &str,
        mut function: Fields,
        signature: Option<&str>,
        must_sign: bool,
        names: &mut BTreeMap<String, String>,
    ) -> Result<Value, Refusal> {
        let name = sent_name(function.need_text("name")?, names);
        self.made.insert(id.to_owned(), (self.count, name.clone()));
        self.count += 1;
        let call = object([("name", Value::String(name)), ("args", arguments(function.take("arguments")))]);
        Ok(match signature.or(must_sign.then_some(UNSIGNED)) {
            Some(signature) => object([("functionCall", call), ("thoughtSignature", signature.into())]),
            None => object([("functionCall", call)]),
        })
    }

    /// Reads a message of role `tool`, or of the older role `function`.
    pub(super) fn answer(
        &self,
        message: &mut Fields,
        names: &mut BTreeMap<String, String>,
    ) -> Result<Answer, Refusal> {
        let id = message.text("tool_call_id")?;
        let named = message.text("name")?;
        let content = message.take("content");
        let texts = parts::read_texts(content, &message.path_of("content"))?;
        let (place, name) = self.find(id.as_deref(), named, names).ok_or_else(|| {
            message
                .wrong("tool_call_id", "the id of a tool call in a message before, or `name` must be given")
        })?;
        let response = json!({ "output": output(texts.join("\n")) });
        let part =
            object([("functionResponse", object([("name", Value::String(name)), ("response", response)]))]);
        Ok(Answer { place, part })
    }

    fn find(
        &self,
        id: Option<&str>,
        named: Option<String>,
        names: &mut BTreeMap<String, String>,
    ) -> Option<(usize, String)> {
        let made = id.and_then(|id| self.made.get(split_id(id).0));
        let by_name = |name| (self.count, sent_name(name, names));
        made.cloned().or_else(|| named.map(by_name))
    }
}

/// A call's arguments, which Google wants as an object.
fn arguments(arguments: Option<Value>) -> Value {
    let parsed = match arguments {
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        other => other,
    };
    parsed.filter(Value::is_object).unwrap_or_else(|| Value::Object(Map::new()))
}

/// A result as JSON where it is an object or an array. A lone number stays text: Google would round it.
fn output(text: String) -> Value {
    if !text.trim_start().starts_with(['{', '[']) {
        return Value::String(text);
    }
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
