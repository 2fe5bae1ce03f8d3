//! `/v1/route-check`: where a call would go, and why, before money is spent. No provider is called.

use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response};
use serde_json::{Map, Value, json};
use twinlane_dialects::Dialect;

use super::catalogue::union::covers;
use super::endpoint::{Action, Endpoint};
use super::leg::Leg;
use super::plan::Plan;
use super::said::How;
use super::targets::{Target, is_open};
use crate::auth::Caller;
use crate::body::Body;
use crate::call::Received;
use crate::gateway::Gateway;
use crate::pages::json_page;
use crate::record::Notes;
use crate::services::{KeyPlace, formats};
use crate::{Error, path};

/// Where a call is thought to go to when nobody says.
const USUAL_PATH: &str = "/v1/chat/completions";

/// A call that is only thought of.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    path: String,
    /// Its body, the client's where that is a whole request.
    body: Value,
    /// Whether it is the client's.
    whole: bool,
}

impl Gateway {
    /// The page.
    ///
    /// # Errors
    /// Those with which the call would be refused before it had a target.
    pub(super) fn route_check(&self, asked: Plan, caller: &Caller) -> Result<Response<Body>, Error> {
        let Question { path, body, whole } = Question::of(&asked.received)?;
        let plan = Plan::of(thought_of(asked.received, &path, &body), &path, &self.auth, &self.config)?;
        let (last, others) = self.awake(&plan, caller, &Notes::default());
        let first = others.first().unwrap_or(&last);
        Ok(json_page(&json!({
            "model": plan.model,
            "path": path,
            "stream": plan.stream.is_asked(),
            "first": first.to_string(),
            "targets": plan.targets.iter().map(|target| self.prospect(&plan, target, caller, whole)).collect::<Value>(),
        })))
    }

    /// What would become of the call at one target.
    fn prospect(&self, plan: &Plan, target: &Target, caller: &Caller, whole: bool) -> Value {
        let shared_fate = plan.own_key.is_none();
        let mut told = json!({
            "target": target.to_string(),
            "provider": target.service.alias,
            "model": target.model,
            "why": target.why.to_string(),
            "key": key(plan, target, caller),
            "cooling_down": shared_fate && self.cooldown.is_cooling(&target.to_string(), Instant::now()),
        });
        let covered = caller.grant.as_ref().map_or(Ok(()), |grant| covers(grant, &plan.model, target));
        match covered.map_err(Error::from).and_then(|()| Leg::of(plan, target)) {
            Ok(leg) => self.add_leg(&mut told, plan, target, &leg, whole),
            Err(error) => {
                told["refused"] = error.json(plan.received.surface, &plan.received.id)["error"].take()
            }
        }
        told
    }

    fn add_leg(&self, told: &mut Value, plan: &Plan, target: &Target, leg: &Leg, whole: bool) {
        let choice = self.choose(&leg.call);
        told["native"] = matches!(leg.how, How::Passed).into();
        told["format"] = format(plan, target, &leg.how).into();
        told["path"] = leg.call.path.as_str().into();
        told["lane"] = choice.lane.as_str().into();
        told["lane_reason"] = choice.why.as_str().into();
        if whole {
            told["dropped"] = json!(leg.dropped);
        }
    }
}

impl Question {
    /// Reads it from the query, or from a body: a whole request, or an object with `model`, `provider`, `path` and
    /// `stream`.
    fn of(received: &Received) -> Result<Self, Error> {
        let mut fields = if received.body.is_empty() {
            by_query(received.query.as_deref().unwrap_or_default())?
        } else {
            let body = serde_json::from_slice(&received.body);
            body.map_err(|_| Error::unfit("invalid_json", None, "The body is not a JSON object"))?
        };
        let path = match fields.remove("path") {
            None | Some(Value::Null) => USUAL_PATH.to_owned(),
            Some(Value::String(path)) if is_ours(&path) => path,
            Some(_) => return Err(wrong("path", "`path` is one of this API, such as /v1/chat/completions")),
        };
        path::check(&path)?;
        let endpoint = Endpoint::of(&Method::POST, &path);
        let told = fields.get("model").and_then(Value::as_str).is_some_and(|model| !model.is_empty());
        let named = told || matches!(endpoint, Endpoint::Gemini { .. });
        if !named {
            return Err(Error::unfit(
                "missing_required_parameter",
                Some("model"),
                "The name of a model is needed",
            ));
        }
        let whole =
            ["messages", "input", "prompt", "contents"].iter().any(|field| fields.contains_key(*field));
        if !whole {
            fields.extend(sample(&endpoint));
        }
        Ok(Self { path, body: fields.into(), whole })
    }
}

/// Whether a path leads to the unified API.
fn is_ours(path: &str) -> bool {
    ["/v1/", "/v1beta/"].iter().any(|api| path.starts_with(api))
}

/// The fields that a query names.
fn by_query(query: &str) -> Result<Map<String, Value>, Error> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let known = pairs.filter(|(name, _)| matches!(*name, "model" | "provider" | "path" | "stream"));
    let value = |(name, text): (&str, &str)| {
        let text = path::decode(&text.replace('+', " ")).into_owned();
        let value = match (name, text.as_str()) {
            ("stream", "true" | "1") => Value::Bool(true),
            ("stream", "false" | "0") => Value::Bool(false),
            ("stream", _) => return Err(wrong("stream", "`stream` is true or false")),
            _ => Value::String(text),
        };
        Ok((name.to_owned(), value))
    };
    known.map(value).collect()
}

fn wrong(param: &str, message: &str) -> Error {
    Error::unfit("invalid_value", Some(param), message)
}

/// What a small request of a kind cannot do without.
fn sample(endpoint: &Endpoint) -> Map<String, Value> {
    let message = json!([{ "role": "user", "content": "Hello" }]);
    let fields = match endpoint {
        Endpoint::Conversation(Dialect::Messages) => json!({ "messages": message, "max_tokens": 16 }),
        Endpoint::Conversation(Dialect::Chat) | Endpoint::CountTokens => json!({ "messages": message }),
        Endpoint::Conversation(Dialect::Completions) | Endpoint::Images => json!({ "prompt": "Hello" }),
        Endpoint::Conversation(_) | Endpoint::Embeddings => json!({ "input": "Hello" }),
        Endpoint::Gemini { action: Action::Generate | Action::Stream | Action::CountTokens, .. } => {
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hello" }] }] })
        }
        _ => json!({}),
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The request as it would have come in.
fn thought_of(asked: Received, path: &str, body: &Value) -> Received {
    let mut headers = asked.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Received {
        method: Method::POST,
        path: path.to_owned(),
        query: None,
        headers,
        body: Bytes::from(body.to_string()),
        ..asked
    }
}

/// Whose key the provider would see.
fn key(plan: &Plan, target: &Target, caller: &Caller) -> &'static str {
    let first = plan.targets.first().is_some_and(|first| first.service.alias == target.service.alias);
    match target.service.key_place {
        KeyPlace::None => "not needed",
        _ if plan.own_key.is_some() && first => "client",
        _ if caller.server_keys && is_open(&target.service) => "server",
        _ => "none",
    }
}

/// The format in which the provider would be spoken to.
fn format(plan: &Plan, target: &Target, how: &How) -> &'static str {
    let own = || formats::own_conversation(target.service.spoken_of(&target.model));
    match how {
        How::Passed => plan.endpoint.dialect().as_str(),
        How::GeminiEmbeddings(_) => Dialect::Gemini.as_str(),
        How::OneMinImages(_) => Dialect::OneMin.as_str(),
        How::WorkersAiImage(_) => "workers-ai",
        How::Translated(_) => own().map_or("", |(dialect, _)| dialect.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Question;
    use crate::Error;
    use crate::call::tests::received;

    fn question(target: &str, body: &str) -> Result<Question, Error> {
        Question::of(&received("POST", target, &[], body))
    }

    fn check(target: &str, body: &str, path: &str, whole: bool, expected: &Value) {
        let question = question(target, body).expect(target);
        assert_eq!((question.path.as_str(), question.whole), (path, whole), "{target} {body}");
        assert_eq!(&question.body, expected, "{target} {body}");
    }

    #[test]
    fn a_call_is_described_by_a_query_a_few_fields_or_itself() {
        let hello = json!([{ "role": "user", "content": "Hello" }]);
        let chat = "/v1/chat/completions";
        let expected = json!({ "model": "@cf/meta/llama", "stream": true, "messages": hello });
        check("/v1/route-check?model=%40cf/meta/llama&stream=true&x=1", "", chat, false, &expected);
        let expected = json!({ "model": "a", "provider": "groq", "messages": hello });
        check("/v1/route-check", r#"{"model": "a", "provider": "groq"}"#, chat, false, &expected);
        let whole = r#"{"model": "a", "path": "/v1/responses", "input": "x", "top_k": 1}"#;
        let expected = json!({ "model": "a", "input": "x", "top_k": 1 });
        check("/v1/route-check", whole, "/v1/responses", true, &expected);
        let expected = json!({ "model": "1", "stream": false, "messages": hello });
        check("/v1/route-check?model=1&stream=0", "", chat, false, &expected);
        let expected = json!({ "model": "a", "messages": hello, "max_tokens": 16 });
        check("/v1/route-check?model=a&path=%2Fv1%2Fmessages", "", "/v1/messages", false, &expected);
    }

    #[test]
    fn what_tells_no_model_or_no_path_is_refused() {
        for (target, body) in [
            ("/v1/route-check", ""),
            ("/v1/route-check?model=", ""),
            ("/v1/route-check?model=a&path=/v1/../x", ""),
            ("/v1/route-check?model=a&path=chat", ""),
            ("/v1/route-check?model=a&stream=perhaps", ""),
            ("/v1/route-check", "[]"),
            ("/v1/route-check", r#"{"model": 1}"#),
        ] {
            assert!(question(target, body).is_err(), "{target} {body}");
        }
    }
}
