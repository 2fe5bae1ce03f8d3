//! Refuses contents that Gemini would not take for a conversation.

use serde_json::Value;

use super::check::{is_third, refuse};
use crate::error::Refusal;
use crate::prompt::list;
use crate::signature;

pub(super) fn check(body: &Value, model: &str) -> Result<(), Refusal> {
    let contents = list(&body["contents"]);
    for (i, content) in contents.iter().enumerate() {
        self::content(content, i)?;
        if is_third(model) && mixes(content) {
            return refuse("Function response parts cannot be mixed with other parts in one content.");
        }
    }
    answered(contents)?;
    if is_third(model) { signed(contents) } else { Ok(()) }
}

fn content(content: &Value, i: usize) -> Result<(), Refusal> {
    if !["user", "model", "function"].iter().any(|role| content["role"] == *role)
        && !content["role"].is_null()
    {
        return refuse("Please use a valid role: user, model.");
    }
    if list(&content["parts"]).is_empty() {
        return refuse(format!(
            "* GenerateContentRequest.contents[{i}].parts: contents.parts must not be empty."
        ));
    }
    let wrong =
        |part: &&Value| part.get("functionResponse").is_some_and(|part| !part["response"].is_object());
    match list(&content["parts"]).iter().find(wrong) {
        Some(_) => refuse(format!(
            "Invalid value at 'contents[{i}].parts[0].function_response.response' \
             (type.googleapis.com/google.protobuf.Struct)"
        )),
        None => Ok(()),
    }
}

fn mixes(content: &Value) -> bool {
    let answers = of_kind(content, "functionResponse").count();
    answers > 0 && answers < list(&content["parts"]).len()
}

fn of_kind<'c>(content: &'c Value, kind: &'static str) -> impl Iterator<Item = &'c Value> {
    list(&content["parts"]).iter().filter_map(move |part| part.get(kind))
}

/// Calls follow a question or answers, and are followed by as many answers, in their order.
fn answered(contents: &[Value]) -> Result<(), Refusal> {
    for (i, content) in contents.iter().enumerate() {
        let before = i.checked_sub(1).map_or(&Value::Null, |i| &contents[i]);
        let asked = names(before, "functionCall");
        let answers = names(content, "functionResponse");
        if answers.len() != asked.len() {
            return refuse(
                "Please ensure that the number of function response parts is equal to the number of function \
                 call parts of the function call turn.",
            );
        }
        if let Some((asked, _)) = asked.iter().zip(&answers).find(|(asked, answered)| asked != answered) {
            return refuse(format!("The function response for `{asked}` is missing or out of order."));
        }
        if of_kind(content, "functionCall").count() > 0 && (i == 0 || before["role"] == "model") {
            return refuse(
                "Please ensure that function call turn comes immediately after a user turn or after a \
                 function response turn.",
            );
        }
    }
    Ok(())
}

fn names<'c>(content: &'c Value, kind: &'static str) -> Vec<&'c str> {
    of_kind(content, kind).map(|part| part["name"].as_str().unwrap_or_default()).collect()
}

/// The first call of each step since the last question has the signature it was given, or says that there
/// is none.
fn signed(contents: &[Value]) -> Result<(), Refusal> {
    let asked = contents
        .iter()
        .rposition(|content| content["role"] != "model" && of_kind(content, "functionResponse").count() == 0);
    for content in &contents[asked.unwrap_or(0)..] {
        let Some(part) = list(&content["parts"]).iter().find(|part| part.get("functionCall").is_some())
        else {
            continue;
        };
        let name = &part["functionCall"]["name"];
        let sent = part["thoughtSignature"].as_str();
        match sent {
            None => return Err(signature::missing(name)),
            Some(signature::SKIP) => {}
            Some(sent) if signature::holds(name.as_str().unwrap_or_default(), sent) => {}
            Some(_) => return refuse("Corrupted thought signature."),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(model: &str, contents: &[Value], wanted: Option<&str>) {
        let found = super::check(&json!({"contents": contents}), model).err().map(|no| no.message);
        let fits = match (&found, wanted) {
            (Some(found), Some(wanted)) => found.contains(wanted),
            (found, wanted) => found.is_none() && wanted.is_none(),
        };
        assert!(fits, "{model} {contents:?}: {found:?}");
    }

    fn user(part: &Value) -> Value {
        json!({"role": "user", "parts": [part]})
    }

    fn called(names: &[&str], signature: Option<&str>) -> Value {
        let mut parts: Vec<Value> =
            names.iter().map(|name| json!({"functionCall": {"name": name}})).collect();
        if let Some(signature) = signature {
            parts[0]["thoughtSignature"] = json!(signature);
        }
        json!({"role": "model", "parts": parts})
    }

    fn answers(names: &[&str]) -> Value {
        let answer = |name| json!({"functionResponse": {"name": name, "response": {"output": 1}}});
        json!({"role": "user", "parts": names.iter().map(answer).collect::<Value>()})
    }

    #[test]
    fn answers_are_as_many_as_the_calls_and_in_their_order() {
        let hi = || user(&json!({"text": "hi"}));
        let with = |last: Value| [hi(), called(&["f", "g"], None), last];
        check("gemini-2.5-pro", &with(answers(&["f", "g"])), None);
        check("gemini-2.5-pro", &with(answers(&["f"])), Some("number of function response parts"));
        check("gemini-2.5-pro", &with(answers(&["g", "f"])), Some("out of order"));
        check("gemini-2.5-pro", &with(hi()), Some("number of function response parts"));
        check(
            "gemini-2.5-pro",
            &[called(&["f"], None), answers(&["f"])],
            Some("immediately after a user turn"),
        );
        let text = json!({"functionResponse": {"name": "f", "response": "18"}});
        check("gemini-2.5-pro", &[user(&text)], Some("Struct"));
        check("gemini-2.5-pro", &[json!({"role": "system", "parts": [{"text": "hi"}]})], Some("valid role"));
    }

    #[test]
    fn gemini_3_wants_its_signature_on_the_first_call_of_the_turn() {
        let with = |signature: Option<&str>| {
            [user(&json!({"text": "hi"})), called(&["f", "g"], signature), answers(&["f", "g"])]
        };
        check("gemini-3-pro", &with(None), Some("missing a thought_signature"));
        check("gemini-3-pro", &with(Some("Zm9yZWlnbg==")), Some("Corrupted"));
        check("gemini-3-pro", &with(Some(&signature::of("f"))), None);
        check("gemini-3-pro", &with(Some(signature::SKIP)), None);
        let mut past = with(None).to_vec();
        past.push(user(&json!({"text": "and now?"})));
        check("gemini-3-pro", &past, None);
    }
}
