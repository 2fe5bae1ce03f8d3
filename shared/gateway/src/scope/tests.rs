use std::sync::Arc;

use http::HeaderMap;
use twinlane_access::{Grant, Order};

use super::{longest, named_by_body, named_by_path, of_call, of_head, of_plan};
use crate::Error;
use crate::auth::{Auth, Caller};
use crate::call::tests::{call_with, received};
use crate::config::tests::config;
use crate::record::Notes;
use crate::unified::plan::Plan;

const JSON: (&str, &str) = ("content-type", "application/json");

fn caller(flags: &[(&str, &str)]) -> Caller {
    let mut order = Order::default();
    flags.iter().for_each(|(flag, value)| order.set(flag, value).unwrap());
    let grant: Grant = order.grant("id-1", 0).unwrap();
    Caller { grant: Some(Arc::new(grant)), ..Caller::unnamed(true) }
}

/// The scope that a refusal names.
fn scope(judged: Result<(), Error>) -> Option<&'static str> {
    match judged {
        Ok(()) => None,
        Err(Error::OutsideScope(outside)) => Some(outside.scope.as_str()),
        Err(other) => panic!("{other:?}"),
    }
}

fn check(flags: &[(&str, &str)], method: &str, path: &str, body: &str, expected: Option<&str>) {
    let judged = of_call(&caller(flags), &call_with(method, path, &[JSON], body));
    assert_eq!(scope(judged), expected, "{method} {path} {body}");
}

#[test]
fn a_call_of_a_service_asks_for_models_of_the_scope_only() {
    let mini: &[(&str, &str)] = &[("models", "gpt-*-mini")];
    let chat = "/v1/chat/completions";
    for (method, path, body, expected) in [
        ("POST", chat, r#"{"model":"gpt-4o-mini"}"#, None),
        ("POST", chat, r#"{"model":"gpt-4o"}"#, Some("model")),
        ("POST", chat, r#"{"model":"gpt-4o-mini","model":"gpt-4o"}"#, Some("model")),
        ("POST", chat, r#"{"model":"gpt-4o","model":"gpt-4o-mini"}"#, Some("model")),
        ("POST", chat, r#"{"model":"gpt-4o-mini","Model":"gpt-4o"}"#, Some("model")),
        ("POST", chat, r#"{"model":"gpt-4o-mini","models":["gpt-4o"]}"#, Some("model")),
        ("POST", chat, r#"{"model":"gpt-4o-mini","models":"gpt-4o"}"#, Some("model")),
        ("POST", chat, r#"{"model":["gpt-4o-mini"]}"#, Some("model")),
        ("POST", chat, r#"{"messages":[]}"#, Some("model")),
        ("POST", chat, "not json", Some("model")),
        ("POST", chat, "", Some("model")),
        ("GET", "/v1/models", "", None),
        ("DELETE", "/v1/files/f-1", "", None),
        ("DELETE", "/v1/models/gpt-4o", "", Some("model")),
        ("POST", "/openai/deployments/gpt-4o-mini/chat/completions", "{}", None),
        ("POST", "/openai/deployments/gpt-4o/chat/completions", r#"{"model":"gpt-4o-mini"}"#, Some("model")),
        ("POST", "/v1beta/models/gpt-x-mini:generateContent", "{}", None),
        ("POST", "/v1beta/models/gpt%2D4o:generateContent", "{}", Some("model")),
    ] {
        check(mini, method, path, body, expected);
        check(&[], method, path, body, None);
    }
}

#[test]
fn an_answer_is_no_longer_than_the_scope_allows() {
    let short: &[(&str, &str)] = &[("max-tokens", "100")];
    let chat = "/v1/chat/completions";
    for (path, body, expected) in [
        (chat, r#"{"max_tokens":100}"#, None),
        (chat, r#"{"max_tokens":101}"#, Some("max_tokens")),
        (chat, r#"{"max_tokens":50,"max_completion_tokens":101}"#, Some("max_tokens")),
        (chat, r#"{"max_tokens":"50"}"#, Some("max_tokens")),
        (chat, r#"{"max_tokens":1e9}"#, Some("max_tokens")),
        (chat, r#"{"max_tokens":null}"#, Some("max_tokens")),
        (chat, "{}", Some("max_tokens")),
        (chat, "not json", Some("max_tokens")),
        ("/v1beta/models/g:generateContent", r#"{"generationConfig":{"maxOutputTokens":100}}"#, None),
        ("/v1beta/models/g:generateContent", r#"{"generationConfig":{}}"#, Some("max_tokens")),
        ("/v1/responses", r#"{"max_output_tokens":7}"#, None),
        ("/v1/responses", r#"{"MAX_OUTPUT_TOKENS":7000}"#, Some("max_tokens")),
        ("/v1/embeddings", "{}", None),
        ("/v1/files", "a file", None),
    ] {
        check(short, "POST", path, body, expected);
    }
}

#[test]
fn the_head_tells_page_path_and_service() {
    let restricted =
        caller(&[("services", "openai"), ("paths", "/v1/chat"), ("origins", "https://a.example")]);
    let judge = |origin: Option<&str>, service, path| {
        let mut request = http::Request::builder().uri("/");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        scope(of_head(&restricted, &head, service, path))
    };
    let page = Some("https://a.example");
    assert_eq!(judge(page, Some("openai"), "/v1/chat/completions"), None);
    assert_eq!(judge(page, None, "/v1/chat/completions"), None);
    assert_eq!(judge(None, Some("openai"), "/v1/chat/completions"), Some("origin"));
    assert_eq!(judge(page, Some("openai"), "/v1/files"), Some("path"));
    assert_eq!(judge(page, Some("claude"), "/v1/chat/completions"), Some("service"));
}

/// What is left of the targets of `smart`, which is an alias for models of two providers.
fn targets(flags: &[(&str, &str)], model: &str, more: &str) -> Result<Vec<String>, Option<&'static str>> {
    let config = config(&[
        ("MODEL_ALIASES", r#"{"smart":["openai/gpt-4o","claude/claude-opus-4"]}"#),
        ("OPENAI_API_KEY", "k"),
        ("CLAUDE_API_KEY", "k"),
    ]);
    let body = format!(r#"{{"model":"{model}"{more}}}"#);
    let received = received("POST", "/v1/chat/completions", &[JSON], &body);
    let mut plan =
        Plan::of(received, "/v1/chat/completions", &Auth::new(config.access.clone()), &config).unwrap();
    let judged = of_plan(&caller(flags), &mut plan, &Notes::default());
    let left = plan.targets.iter().map(ToString::to_string).collect();
    scope(judged).map_or(Ok(left), |scope| Err(Some(scope)))
}

#[test]
fn targets_outside_the_scope_are_left_out_and_the_last_one_refused() {
    let both: Result<Vec<String>, Option<&'static str>> =
        Ok(vec!["openai/gpt-4o".to_owned(), "claude/claude-opus-4".to_owned()]);
    let one = |target: &str| Ok(vec![target.to_owned()]);
    assert_eq!(targets(&[], "smart", ""), both);
    assert_eq!(targets(&[("models", "smart")], "smart", ""), both);
    assert_eq!(targets(&[("models", "gpt-*")], "smart", ""), one("openai/gpt-4o"));
    assert_eq!(targets(&[("services", "claude")], "smart", ""), one("claude/claude-opus-4"));
    assert_eq!(targets(&[("services", "gemini")], "smart", ""), Err(Some("service")));
    assert_eq!(targets(&[("models", "o3")], "smart", ""), Err(Some("model")));
    assert_eq!(targets(&[("models", "gpt-*")], "openai/gpt-4o", ""), one("openai/gpt-4o"));
    assert_eq!(targets(&[("models", "openai/gpt-*")], "gpt-4o", ""), one("openai/gpt-4o"));
    assert_eq!(targets(&[("models", "gpt-*")], "claude/claude-opus-4", ""), Err(Some("model")));
    assert_eq!(targets(&[("models", "gpt-*")], "gpt-4o", r#","models":["o3"]"#), Err(Some("model")));
    assert_eq!(targets(&[("max-tokens", "5")], "gpt-4o", ""), Err(Some("max_tokens")));
    assert_eq!(targets(&[("max-tokens", "5")], "gpt-4o", r#","max_tokens":5"#), one("openai/gpt-4o"));
}

#[test]
fn a_path_names_its_model_as_providers_read_it() {
    for (path, expected) in [
        ("/v1beta/models/gemini-2.5-flash:generateContent", &["gemini-2.5-flash"][..]),
        ("/openai/deployments/gpt-4o/chat/completions", &["gpt-4o"]),
        ("/model/anthropic.claude-v2%3A1/invoke", &["anthropic.claude-v2:1"]),
        ("/models/openai/whisper-large", &["openai/whisper-large"]),
        ("/client/v4/accounts/a/ai/run/@cf/meta/llama", &["@cf/meta/llama"]),
        ("/v1/chat/completions", &[]),
    ] {
        assert_eq!(named_by_path(path), expected, "{path}");
    }
}

#[test]
fn a_body_that_cannot_be_read_names_nothing() {
    let packed = HeaderMap::from_iter([(http::header::CONTENT_ENCODING, "gzip".parse().unwrap())]);
    assert_eq!(named_by_body(&packed, br#"{"model":"a"}"#), None);
    assert_eq!(named_by_body(&HeaderMap::new(), br#"{"model":"a"}"#), Some(vec!["a".to_owned()]));
    assert_eq!(longest(&serde_json::json!([{ "max_tokens": 1 }])), None);
}
