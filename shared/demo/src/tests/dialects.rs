//! The providers' accents and moods, each with the one thing that breaks a careless translation.

use serde_json::{Value, json};

use super::endpoints::{body_of, dechunked, events, json as json_of, post};
use super::*;

fn two_tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tool = |name: &str| {
        let function = json!({"name": name, "parameters": schema});
        json!({"type": "function", "function": function})
    };
    json!([tool("get_weather"), tool("get_time")])
}

/// A streamed chat with two tools on offer, answered by the model of this name.
async fn chat_events(model: &str) -> Vec<Value> {
    let demo = Demo::start().await.unwrap();
    let messages = json!([{"role": "user", "content": "hello"}]);
    let body = json!({"model": model, "stream": true, "messages": messages, "tools": two_tools()});
    events(&post(&demo, "/v1/chat/completions", &body).await)
}

fn deltas<'e>(events: &'e [Value], field: &'static str) -> Vec<&'e Value> {
    events.iter().filter_map(|event| event["choices"][0]["delta"].get(field)).collect()
}

fn finish(events: &[Value]) -> &str {
    events.iter().rev().find_map(|event| event["choices"][0]["finish_reason"].as_str()).unwrap_or_default()
}

#[tokio::test]
async fn two_tools_are_called_in_turns_after_a_word() {
    let events = chat_events("demo-tools").await;
    let calls = deltas(&events, "tool_calls");
    let order: Vec<u64> = calls.iter().filter_map(|call| call[0]["index"].as_u64()).collect();
    assert_eq!(order[..4], [0, 1, 0, 1]);
    let arguments = calls.iter().filter(|call| call[0]["index"] == 1);
    let arguments: String = arguments.filter_map(|call| call[0]["function"]["arguments"].as_str()).collect();
    assert_eq!(arguments, r#"{"city":"Paris"}"#);
    assert!(
        deltas(&events, "content").iter().any(|text| text.as_str().is_some_and(|text| text.contains("ask")))
    );
    assert_eq!(finish(&events), "tool_calls");
}

#[tokio::test]
async fn each_flavour_streams_in_its_own_way() {
    let events = chat_events("demo-flavour-gemini-compat-tools").await;
    let calls = deltas(&events, "tool_calls");
    assert!(calls.len() == 2 && calls.iter().all(|call| call[0].get("index").is_none()), "{calls:?}");
    assert_eq!(finish(&events), "stop");

    let events = chat_events("demo-flavour-ollama").await;
    assert_eq!((&events[0]["choices"][0]["finish_reason"], finish(&events)), (&json!(""), "stop"));

    assert_eq!(finish(&chat_events("demo-flavour-together").await), "eos");

    let events = chat_events("demo-flavour-azure").await;
    assert!(events[0]["choices"] == json!([]) && events[0]["prompt_filter_results"].is_array());

    let events = chat_events("demo-flavour-mistral-thinking").await;
    assert_eq!(deltas(&events, "content")[1][0]["type"], "thinking");
    assert!(events.last().unwrap()["usage"]["total_tokens"].is_u64());

    let events = chat_events("demo-flavour-openrouter-overloaded").await;
    let last = events.last().unwrap();
    assert!(last["error"]["code"] == 503 && last["choices"][0]["finish_reason"] == "error", "{last}");
}

#[tokio::test]
async fn openrouter_says_200_and_then_that_it_failed() {
    let demo = Demo::start().await.unwrap();
    let reply = chat(&demo, "x-demo-flavour: openrouter\r\nx-demo-cut: error\r\n", WHOLE).await;
    assert!(reply.starts_with("HTTP/1.1 200") && json_of(&reply)["error"]["code"] == 503, "{reply}");
    let reply = chat(&demo, "x-demo-flavour: openrouter\r\nx-demo-chunk-delay-ms: 0\r\n", STREAM).await;
    assert!(reply.contains(": OPENROUTER PROCESSING"), "{reply}");
}

#[tokio::test]
async fn every_dialect_fails_in_its_own_words_in_the_middle() {
    let demo = Demo::start().await.unwrap();
    let contents = json!([{"role": "user", "parts": [{"text": "a story"}]}]);
    let chat = json!({"model": "demo-overloaded", "max_tokens": 50, "stream": true, "input": "a story",
        "messages": [{"role": "user", "content": "a story"}]});
    let message = json!({"model": "demo-overloaded", "max_tokens": 50, "stream": true,
        "messages": [{"role": "user", "content": "a story"}]});
    let gemini = json!({"contents": contents});
    let path = "/v1beta/models/demo-overloaded:streamGenerateContent";
    for (path, body, error) in [
        ("/v1/chat/completions", &chat, r#"data: {"error":{"#),
        ("/v1/responses", &chat, "event: error\ndata: {"),
        ("/v1/messages", &message, r#""type":"overloaded_error""#),
        (&format!("{path}?alt=sse"), &gemini, r#""status":"UNAVAILABLE""#),
        (path, &gemini, r#""status":"UNAVAILABLE"}}]"#),
    ] {
        let reply = post(&demo, path, body).await;
        assert!(reply.starts_with("HTTP/1.1 200") && reply.contains(error), "{path}: {reply}");
        assert!(!reply.contains("[DONE]") && !reply.contains("message_stop"), "{path}: {reply}");
    }
}

#[tokio::test]
async fn what_is_blocked_is_told_as_each_dialect_does() {
    let demo = Demo::start().await.unwrap();
    let messages = json!([{"role": "user", "content": "hi"}]);
    let ask = |model: &str| json!({"model": model, "max_tokens": 50, "messages": messages});
    let chat = json_of(&post(&demo, "/v1/chat/completions", &ask("demo-blocked")).await);
    assert_eq!(chat["choices"][0]["finish_reason"], "content_filter");
    let azure = post(&demo, "/v1/chat/completions", &ask("demo-flavour-azure-blocked")).await;
    assert!(azure.starts_with("HTTP/1.1 400") && json_of(&azure)["error"]["code"] == "content_filter");
    let message = json_of(&post(&demo, "/v1/messages", &ask("demo-refusal")).await);
    assert_eq!(
        (&message["stop_reason"], &message["stop_details"]["type"]),
        (&json!("refusal"), &json!("refusal"))
    );
    let contents = json!({"contents": [{"parts": [{"text": "hi"}]}]});
    let path = "/v1beta/models/demo-blocked:generateContent";
    let blocked = json_of(&post(&demo, path, &contents).await);
    assert!(blocked.get("candidates").is_none() && blocked["promptFeedback"]["blockReason"].is_string());
}

#[tokio::test]
async fn anthropic_thinks_signs_and_takes_its_thoughts_back() {
    let demo = Demo::start().await.unwrap();
    let messages = json!([{"role": "user", "content": "hi"}]);
    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    let mut body = json!({
        "model": "demo", "max_tokens": 2000, "messages": messages, "thinking": thinking, "stream": true,
    });
    let reply = post(&demo, "/v1/messages", &body).await;
    let of = |kind: &str, field: &'static str| -> String {
        let told = events(&reply);
        let deltas = told.iter().filter(|event| event["delta"]["type"] == kind);
        deltas.filter_map(|event| event["delta"][field].as_str()).collect()
    };
    let (thought, signature) = (of("thinking_delta", "thinking"), of("signature_delta", "signature"));
    assert!(!thought.is_empty() && !of("text_delta", "text").is_empty());
    let block = json!({"type": "thinking", "thinking": thought, "signature": signature});
    let said = json!({"type": "text", "text": "Hello."});
    body["messages"] = json!([messages[0], {"role": "assistant", "content": [block, said]}, messages[0]]);
    body["stream"] = json!(false);
    assert!(post(&demo, "/v1/messages", &body).await.starts_with("HTTP/1.1 200"));
    body["messages"][1]["content"][0]["thinking"] = json!("something else");
    assert!(post(&demo, "/v1/messages", &body).await.contains("Invalid `signature`"));
}

#[tokio::test]
async fn a_cached_block_is_written_once_and_then_read() {
    let demo = Demo::start().await.unwrap();
    let system =
        json!([{"type": "text", "text": "Be brief. ".repeat(50), "cache_control": {"type": "ephemeral"}}]);
    let messages = json!([{"role": "user", "content": "hi"}]);
    let body = json!({"model": "demo", "max_tokens": 50, "messages": messages, "system": system});
    let first = json_of(&post(&demo, "/v1/messages", &body).await)["usage"].take();
    let second = json_of(&post(&demo, "/v1/messages", &body).await)["usage"].take();
    assert!(first["cache_creation_input_tokens"].as_u64() > Some(100), "{first}");
    assert_eq!(first["cache_creation_input_tokens"], second["cache_read_input_tokens"]);
    assert_eq!(first["cache_read_input_tokens"], second["cache_creation_input_tokens"]);
}

#[tokio::test]
async fn gemini_3_signs_the_first_call_and_counts_as_it_goes() {
    let demo = Demo::start().await.unwrap();
    let tools = json!([{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]);
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "tools": tools});
    let path = "/v1beta/models/gemini-3-pro-demo-tools:streamGenerateContent?alt=sse";
    let told = events(&post(&demo, path, &body).await);
    let parts: Vec<&Value> = told.iter().map(|chunk| &chunk["candidates"][0]["content"]["parts"]).collect();
    assert!(parts[0][0]["text"].is_string() && parts[0][1]["thoughtSignature"].is_string(), "{parts:?}");
    assert!(parts[1][0]["functionCall"]["name"] == "g" && parts[1][0].get("thoughtSignature").is_none());
    let body = json!({"contents": [{"parts": [{"text": "a story"}]}]});
    let told = events(&post(&demo, "/v1beta/models/demo:streamGenerateContent?alt=sse", &body).await);
    let counts: Vec<u64> =
        told.iter().filter_map(|chunk| chunk["usageMetadata"]["candidatesTokenCount"].as_u64()).collect();
    assert!(counts.len() > 50 && counts.is_sorted(), "{counts:?}");
}

#[tokio::test]
async fn a_models_name_may_be_percent_encoded() {
    let demo = Demo::start().await.unwrap();
    let body = json!({"contents": [{"parts": [{"text": "hi"}]}]});
    let reply = post(&demo, "/v1beta/models/org%2Fdemo%3Aone:generateContent", &body).await;
    assert_eq!(json_of(&reply)["modelVersion"], "org/demo:one");
}

#[tokio::test]
async fn responses_think_first_and_go_on_only_from_what_is_known() {
    let demo = Demo::start().await.unwrap();
    let reasoning = json!({"effort": "low", "summary": "auto"});
    let mut body = json!({"model": "demo", "stream": true, "input": "hi", "reasoning": reasoning});
    let told = events(&post(&demo, "/v1/responses", &body).await);
    assert!(told.iter().enumerate().all(|(i, event)| event["sequence_number"] == i));
    let last = &told.last().unwrap()["response"];
    let kinds: Vec<&Value> = last["output"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["reasoning", "message"]);
    assert!(last["output"][0]["summary"][0]["text"].as_str().unwrap().contains("pretends to think"));
    body["previous_response_id"] = last["id"].clone();
    assert!(post(&demo, "/v1/responses", &body).await.starts_with("HTTP/1.1 200"));
    body["previous_response_id"] = json!("resp_unknown");
    assert!(post(&demo, "/v1/responses", &body).await.contains("previous_response_not_found"));
}

#[tokio::test]
async fn one_min_ai_wants_its_key_and_repeats_itself() {
    let demo = Demo::start().await.unwrap();
    let body =
        json!({"type": "UNIFY_CHAT_WITH_AI", "model": "demo", "promptObject": {"prompt": "Human: hi"}});
    let path = "/api/chat-with-ai?isStreaming=true";
    assert!(post(&demo, path, &body).await.starts_with("HTTP/1.1 401"));
    let key = "api-key: k\r\nx-demo-chunk-delay-ms: 0\r\n";
    let reply = raw(&demo, &format!("POST {path}"), key, &body.to_string()).await;
    let told = events(&reply);
    let contents: Vec<&str> = told.iter().filter_map(|event| event["content"].as_str()).collect();
    let (whole, words) = contents.split_last().unwrap();
    assert_eq!(words.concat(), *whole);
    assert!(reply.contains("event: result\n") && reply.contains("event: done\n"), "{reply}");
    let record = json_of(&raw(&demo, "POST /api/chat-with-ai", key, &body.to_string()).await);
    assert_eq!(record["aiRecord"]["aiRecordDetail"]["resultObject"][0], *whole);
}

#[tokio::test]
async fn one_min_ai_takes_only_files_it_knows() {
    let demo = Demo::start().await.unwrap();
    let upload = async |name: &str| {
        let form = format!(
            "--x\r\ncontent-disposition: form-data; name=\"asset\"; filename=\"{name}\"\r\n\r\nno picture\r\n\
             --x--\r\n"
        );
        let headers = "api-key: k\r\ncontent-type: multipart/form-data; boundary=x\r\n";
        raw(&demo, "POST /api/assets", headers, &form).await
    };
    assert!(upload("a").await.contains("isn't supported"));
    assert!(upload("a.png").await.contains("isn't supported"), "the bytes are no PNG");
    let path = json_of(&upload("a.mp3").await)["fileContent"]["path"].take();
    let hear =
        |path: &Value| json!({"type": "SPEECH_TO_TEXT", "promptObject": {"audioUrl": path}}).to_string();
    let heard = raw(&demo, "POST /api/features", "api-key: k\r\n", &hear(&path)).await;
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    let unknown = raw(&demo, "POST /api/features", "api-key: k\r\n", &hear(&json!("x.mp3"))).await;
    assert!(unknown.starts_with("HTTP/1.1 404"), "{unknown}");
}

#[tokio::test]
async fn workers_ai_answers_as_its_model_does() {
    let demo = Demo::start().await.unwrap();
    let run = "/client/v4/accounts/a/ai/run/@cf";
    let body = json!({"prompt": "a cat", "text": ["a", "b"]});
    let flux = json_of(&post(&demo, &format!("{run}/black-forest-labs/flux-1-schnell"), &body).await);
    assert!(flux["result"]["image"].as_str().unwrap().starts_with("iVBOR"));
    let raw_image = post(&demo, &format!("{run}/stabilityai/stable-diffusion-xl-base-1.0"), &body).await;
    assert!(raw_image.contains("content-type: image/png"), "{raw_image:.300}");
    let vectors = json_of(&post(&demo, &format!("{run}/baai/bge-base-en-v1.5"), &body).await);
    assert_eq!(vectors["result"]["shape"], json!([2, 768]));
    let mut body = json!({"messages": [{"role": "user", "content": "hi"}], "stream": true});
    let stream = post(&demo, &format!("{run}/meta/llama"), &body).await;
    let words: String = events(&stream).iter().filter_map(|event| event["response"].as_str()).collect();
    assert!(words.contains("hi") && stream.contains("[DONE]"), "{stream}");
    body["model"] = json!("demo-error-429");
    let compatible = post(&demo, "/client/v4/accounts/a/ai/v1/chat/completions", &body).await;
    assert_eq!(json_of(&compatible)["error"]["code"], "rate_limit_exceeded");
    let wrong = json_of(&post(&demo, &format!("{run}/meta/llama"), &json!({})).await);
    assert!(wrong["success"] == false && wrong["errors"][0]["code"].is_u64(), "{wrong}");
}

#[tokio::test]
async fn a_blocked_stream_without_events_is_an_array_all_the_same() {
    let demo = Demo::start().await.unwrap();
    let body = json!({"contents": [{"parts": [{"text": "hi"}]}]});
    for model in ["demo-blocked", "demo-empty", "demo-length"] {
        let reply = post(&demo, &format!("/v1beta/models/{model}:streamGenerateContent"), &body).await;
        let array: Value = serde_json::from_str(&dechunked(body_of(&reply))).unwrap();
        assert!(!array.as_array().unwrap().is_empty(), "{model}");
    }
}
