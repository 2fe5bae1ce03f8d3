//! Refuses messages that Anthropic would not take for a conversation.

use serde_json::Value;

use super::check::{blank, is, refuse};
use crate::error::Refusal;
use crate::prompt::{Picture, list};
use crate::signature;

const PICTURE_KINDS: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

const NO_TEXT: &str = "messages: text content blocks must contain non-whitespace text";

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    let Some(messages) = body["messages"].as_array() else { return refuse("messages: Field required") };
    if messages.is_empty() {
        return refuse("messages: at least one message is required");
    }
    if list(&body["system"]).iter().any(|block| blank(block["text"].as_str().unwrap_or_default())) {
        return refuse("system: text content blocks must contain non-whitespace text");
    }
    tools(body)?;
    for (i, message) in messages.iter().enumerate() {
        self::message(message, i, i + 1 == messages.len())?;
    }
    matched_tools(&turns(messages), body)
}

fn tools(body: &Value) -> Result<(), Refusal> {
    for (i, tool) in list(&body["tools"]).iter().enumerate() {
        let name = tool["name"].as_str().unwrap_or_default();
        if name.is_empty() || name.len() > 128 || !is_plain(name) {
            return refuse(format!(
                "tools.{i}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
            ));
        }
        let own = tool.get("type").is_none_or(|kind| kind == "custom");
        if own && tool["input_schema"]["type"] != "object" {
            return refuse(format!("tools.{i}.custom.input_schema.type: Field required"));
        }
    }
    if body.get("tool_choice").is_some() && list(&body["tools"]).is_empty() {
        return refuse("tool_choice may only be specified while providing tools.");
    }
    Ok(())
}

fn message(message: &Value, i: usize, last: bool) -> Result<(), Refusal> {
    let role = message["role"].as_str().unwrap_or_default();
    if role != "user" && role != "assistant" {
        return refuse(format!(
            "messages.{i}.role: Unexpected role \"{role}\". Allowed: \"user\", \"assistant\""
        ));
    }
    let prefill = role == "assistant" && last;
    let blocks = list(&message["content"]);
    let text = message["content"].as_str().or_else(|| blocks.last()?["text"].as_str());
    if prefill && text.is_some_and(|text| text.trim_end() != text) {
        return refuse("messages: final assistant content cannot end with trailing whitespace");
    }
    if let Some(text) = message["content"].as_str() {
        return if blank(text) && !prefill { refuse(NO_TEXT) } else { Ok(()) };
    }
    if blocks.is_empty() && !prefill {
        return refuse(format!(
            "messages.{i}: all messages must have non-empty content except for the optional final assistant \
             message"
        ));
    }
    blocks
        .iter()
        .enumerate()
        .try_for_each(|(j, block)| self::block(block, &format!("messages.{i}.content.{j}")))
}

fn block(block: &Value, at: &str) -> Result<(), Refusal> {
    match block["type"].as_str().unwrap_or_default() {
        "text" if blank(block["text"].as_str().unwrap_or_default()) => refuse(NO_TEXT),
        "image" => picture(&block["source"], at),
        "tool_use" => tool_use(block, at),
        "tool_result" => list(&block["content"]).iter().try_for_each(|inner| self::block(inner, at)),
        "thinking" => {
            let field = |name: &str| block[name].as_str().unwrap_or_default();
            if signature::holds(field("thinking"), field("signature")) {
                return Ok(());
            }
            refuse(format!("{at}: Invalid `signature` in `thinking` block"))
        }
        "text" | "document" | "redacted_thinking" | "search_result" | "server_tool_use"
        | "container_upload" => Ok(()),
        kind if kind.ends_with("_tool_result") => Ok(()),
        kind => refuse(format!(
            "{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
        )),
    }
}

/// A picture is one of four kinds, and of the kind it says it is.
fn picture(source: &Value, at: &str) -> Result<(), Refusal> {
    if source["type"] != "base64" {
        return Ok(());
    }
    let kind = source["media_type"].as_str().unwrap_or_default();
    if !PICTURE_KINDS.contains(&kind) {
        return refuse(format!(
            "{at}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or \
             'image/webp'"
        ));
    }
    match Picture::inline(source["data"].as_str().unwrap_or_default()) {
        Picture::Inline { kind: found, .. } if PICTURE_KINDS.contains(&found) && found != kind => {
            refuse(format!(
                "{at}.image.source.base64.data: The image was specified using the {kind} media type, but \
             the image appears to be a {found} image"
            ))
        }
        Picture::Inline { bytes: 0, .. } => refuse(format!("{at}.image.source.base64: invalid base64 data")),
        _ => Ok(()),
    }
}

fn tool_use(block: &Value, at: &str) -> Result<(), Refusal> {
    let id = block["id"].as_str().unwrap_or_default();
    if id.is_empty() || !is_plain(id) {
        return refuse(format!("{at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"));
    }
    if !block["input"].is_object() {
        return refuse(format!("{at}.tool_use.input: Input should be a valid dictionary"));
    }
    Ok(())
}

/// What one side said before the other spoke again; messages of one role in a row are one turn.
#[derive(Default)]
struct Turn<'m> {
    role: &'m str,
    blocks: Vec<&'m Value>,
}

impl<'m> Turn<'m> {
    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &'m Value> {
        self.blocks.iter().copied().filter(move |block| is(block, kind))
    }
}

fn turns(messages: &[Value]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in messages {
        let role = message["role"].as_str().unwrap_or_default();
        // A plain text is a block like any other, as far as the order of blocks goes.
        let text = message["content"].is_string().then_some(&message["content"]);
        let blocks = list(&message["content"]).iter().chain(text);
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.blocks.extend(blocks),
            _ => turns.push(Turn { role, blocks: blocks.collect() }),
        }
    }
    turns
}

fn matched_tools(turns: &[Turn<'_>], body: &Value) -> Result<(), Refusal> {
    let (end, mut asked) = (Turn::default(), Vec::new());
    for turn in turns.iter().chain([&end]) {
        answered(&asked, turn)?;
        asked = turn.of_kind("tool_use").map(|block| &block["id"]).collect();
        if !asked.is_empty() && list(&body["tools"]).is_empty() {
            return refuse("Requests which include `tool_use` or `tool_result` blocks must define tools");
        }
    }
    Ok(())
}

/// The results of a turn's calls open the next turn, all of them and no others.
fn answered(asked: &[&Value], turn: &Turn<'_>) -> Result<(), Refusal> {
    let opening = turn.blocks.iter().take_while(|block| is(block, "tool_result"));
    let answered: Vec<&Value> = opening.map(|block| &block["tool_use_id"]).collect();
    if let Some(id) = asked.iter().find(|id| !answered.contains(id)) {
        return refuse(format!(
            "messages: `tool_use` ids were found without `tool_result` blocks immediately after: {id}. Each \
             `tool_use` block must have a corresponding `tool_result` block in the next message."
        ));
    }
    match turn.of_kind("tool_result").map(|block| &block["tool_use_id"]).find(|id| !asked.contains(id)) {
        None => Ok(()),
        Some(id) => refuse(format!(
            "messages: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` \
             block must have a corresponding `tool_use` block in the previous message."
        )),
    }
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base64;

    fn check(messages: &Value, wanted: Option<&str>) {
        let tools = json!([{"name": "f", "input_schema": {"type": "object"}}]);
        let found = super::check(&json!({"messages": messages, "tools": tools})).err().map(|no| no.message);
        let fits = match (&found, wanted) {
            (Some(found), Some(wanted)) => found.contains(wanted),
            (found, wanted) => found.is_none() && wanted.is_none(),
        };
        assert!(fits, "{messages}: {found:?}");
    }

    fn user(content: &Value) -> Value {
        json!({"role": "user", "content": content})
    }

    fn called(id: &str) -> Value {
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "f", "input": {}}]})
    }

    fn result(id: &str) -> Value {
        json!({"type": "tool_result", "tool_use_id": id, "content": "18"})
    }

    #[test]
    fn results_answer_the_calls_of_the_turn_before() {
        let text = json!({"type": "text", "text": "and?"});
        check(&json!([user(&json!("hi")), called("a"), user(&json!([result("a"), text]))]), None);
        check(&json!([called("a"), user(&json!([result("a")])), user(&json!("and?"))]), None);
        check(&json!([called("a"), called("b"), user(&json!([result("b"), result("a")]))]), None);
        check(&json!([called("a")]), Some("without `tool_result`"));
        check(&json!([called("a"), user(&json!([text, result("a")]))]), Some("without `tool_result`"));
        check(&json!([user(&json!([result("a")]))]), Some("unexpected `tool_use_id`"));
        check(&json!([called("a+b"), user(&json!([result("a+b")]))]), Some("should match pattern"));
    }

    #[test]
    fn texts_say_something_and_roles_are_two() {
        check(&json!([user(&json!("hi")), user(&json!("again"))]), None);
        check(&json!([user(&json!(" \n"))]), Some("non-whitespace"));
        check(&json!([user(&json!([{"type": "text", "text": ""}]))]), Some("non-whitespace"));
        check(&json!([{"role": "system", "content": "hi"}]), Some("Unexpected role"));
        let prefilled = json!([user(&json!("hi")), {"role": "assistant", "content": "So: "}]);
        check(&prefilled, Some("trailing whitespace"));
        let block = json!({"role": "assistant", "content": [{"type": "text", "text": "So: "}]});
        check(&json!([user(&json!("hi")), block]), Some("trailing whitespace"));
    }

    #[test]
    fn pictures_are_of_the_kind_they_say_and_thoughts_are_signed() {
        let data = base64::encode(b"\x89PNG\r\n\x1a\n....");
        let source = |kind: &str| json!({"type": "base64", "media_type": kind, "data": data});
        let picture = |kind: &str| json!({"type": "image", "source": source(kind)});
        check(&json!([user(&json!([picture("image/png")]))]), None);
        check(&json!([user(&json!([picture("image/jpg")]))]), Some("media_type: Input should be"));
        check(&json!([user(&json!([picture("image/jpeg")]))]), Some("appears to be a image/png"));
        let thought = |signature: String| {
            let block = json!({"type": "thinking", "thinking": "hm", "signature": signature});
            json!([user(&json!("hi")), {"role": "assistant", "content": [block]}])
        };
        check(&thought(signature::of("hm")), None);
        check(&thought(String::new()), Some("Invalid `signature`"));
    }
}
