//! The Responses API: what is asked in one, what is refused, and the reply.

use serde_json::Value;

use super::chat::choice;
use super::items::Answer;
use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::prompt::{Format, Picture, Prompt, Tool, list, text_of};
use crate::reply::Reply;
use crate::speech;
use crate::state::Known;

pub(crate) fn reply(known: &Known, call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    goes_on(known, &body)?;
    matched_calls(&body)?;
    let speech = speech::answer(&prompt(&body, call)?, shape.scene);
    if body["store"] != false {
        known.note(call.id("resp_"));
    }
    let answer = Answer { call, body: &body, speech: &speech };
    Ok(if body["stream"] == true { answer.stream(shape) } else { answer.whole(shape) })
}

/// A conversation may go on from a response that was stored.
fn goes_on(known: &Known, body: &Value) -> Result<(), Refusal> {
    match body["previous_response_id"].as_str() {
        Some(id) if !known.has(id) => {
            let missing = Refusal::bad_request(format!("Previous response with id '{id}' not found."));
            Err(missing.about("previous_response_id").with_code("previous_response_not_found"))
        }
        _ => Ok(()),
    }
}

/// Every call has its output and every output its call, unless the rest is in a response already known.
fn matched_calls(body: &Value) -> Result<(), Refusal> {
    let ids = |kind: &'static str| {
        let items = list(&body["input"]).iter().filter(move |item| item["type"] == kind);
        items.filter_map(|item| item["call_id"].as_str())
    };
    let (asked, answered) = (|| ids("function_call"), || ids("function_call_output"));
    let refuse = |message| Err(Refusal::bad_request(message).about("input"));
    if let Some(id) = asked().find(|id| !answered().any(|other| other == *id)) {
        return refuse(format!("No tool output found for function call {id}."));
    }
    match answered().find(|id| !asked().any(|other| other == *id)) {
        Some(id) if !body["previous_response_id"].is_string() => {
            refuse(format!("No tool call found for function call output with call_id {id}."))
        }
        _ => Ok(()),
    }
}

fn prompt(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    let items = list(&body["input"]);
    let user = match &body["input"] {
        Value::String(text) => text.clone(),
        Value::Array(_) => last_user_text(items),
        _ => return Err(Refusal::missing("input")),
    };
    let results = items.iter().rev().take_while(|item| item["type"] == "function_call_output");
    let mut tool_results: Vec<String> = results.map(|item| text_of(&item["output"])).collect();
    tool_results.reverse();
    Ok(Prompt {
        user,
        tool_results,
        pictures: items.iter().flat_map(|item| list(&item["content"])).filter_map(picture).collect(),
        tools: list(&body["tools"]).iter().filter_map(tool).collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["parallel_tool_calls"] == false,
        format: format(&body["text"]["format"]),
        limit: body["max_output_tokens"].as_u64(),
        stop: Vec::new(),
        thinks: body["reasoning"]["effort"].as_str().is_some_and(|effort| effort != "none"),
        size: call.body.len(),
    })
}

fn last_user_text(items: &[Value]) -> String {
    let asked = items.iter().rev().find(|item| item["role"] == "user");
    asked.map(|item| text_of(&item["content"])).unwrap_or_default()
}

fn picture(part: &Value) -> Option<Picture> {
    (part["type"] == "input_image").then(|| Picture::at(part["image_url"].as_str().unwrap_or("a file")))
}

fn tool(tool: &Value) -> Option<Tool> {
    let name = (tool["type"] == "function").then(|| tool["name"].as_str())??;
    Some(Tool { name: name.to_owned(), schema: tool["parameters"].clone() })
}

fn format(format: &Value) -> Format {
    match format["type"].as_str() {
        Some("json_object") => Format::Object,
        Some("json_schema") => Format::Schema(format["schema"].clone()),
        _ => Format::Text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_conversation_goes_on_only_from_a_response_that_is_known() {
        let known = Known::default();
        let body = json!({"input": "hi", "previous_response_id": "resp_1"});
        assert_eq!(goes_on(&known, &body).unwrap_err().code, Some("previous_response_not_found"));
        known.note("resp_1".to_owned());
        assert!(goes_on(&known, &body).is_ok());
    }

    #[test]
    fn calls_and_outputs_have_to_match() {
        let call = json!({"type": "function_call", "call_id": "a"});
        let output = json!({"type": "function_call_output", "call_id": "a", "output": "1"});
        let check = |input: Value| matched_calls(&json!({"input": input})).is_ok();
        assert!(check(json!([call, output])) && check(json!("hi")));
        assert!(!check(json!([call])) && !check(json!([output])));
        assert!(matched_calls(&json!({"input": [output], "previous_response_id": "resp_1"})).is_ok());
    }
}
