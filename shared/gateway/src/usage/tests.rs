use http::Method;
use proptest::prelude::*;
use serde_json::json;
use twinlane_dialects::Dialect::{self, Chat, Gemini, Messages, Responses};

use crate::inband::Protocol;
use crate::reading::Reading;
use crate::record::Notes;

/// Prompt, cached, completion, reasoning; and the model.
type Learnt = (Option<[u64; 4]>, Option<String>);

fn learnt(mut reading: Reading, pieces: &[&[u8]]) -> Learnt {
    let notes = Notes::default();
    pieces.iter().for_each(|piece| reading.see(piece));
    reading.tell(&notes);
    let noted = notes.read();
    let usage = noted.usage.map(|usage| [usage.prompt, usage.cached, usage.completion, usage.reasoning]);
    (usage, noted.model_served)
}

fn reading(dialect: Dialect, events: bool) -> Reading {
    let protocol = match dialect {
        Messages => Protocol::Messages,
        Responses => Protocol::Responses,
        Gemini => Protocol::Gemini,
        _ => Protocol::Chat,
    };
    if events { Reading::of_events(protocol, Some(dialect)) } else { Reading::of_whole(dialect) }
}

const WHOLE: [(Dialect, &str, [u64; 4], &str); 10] = [
    (
        Chat,
        r#"{"id":"1","model":"gpt-4o","choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":1}","tool_calls":[
            {"function":{"arguments":"{\"usage\":{\"prompt_tokens\":99}}"}}]}}],
            "usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2},
            "completion_tokens_details":{"reasoning_tokens":3},"total_tokens":13},"service_tier":"default"}"#,
        [9, 2, 4, 3],
        "gpt-4o",
    ),
    (
        Chat,
        r#"{"object":"list","data":[{"embedding":[0.5,-1e-3,[1,2]],"index":0}],"model":"emb","usage":{"prompt_tokens":5,"total_tokens":5}}"#,
        [5, 0, 0, 0],
        "emb",
    ),
    // Moonshot's place, and escapes in a name.
    (
        Chat,
        "{\"model\":\"moonshotai\\/kimi\",\"choices\":[{\"index\":0,\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}]}",
        [7, 0, 2, 0],
        "moonshotai/kimi",
    ),
    (
        Responses,
        r#"{"model":"gpt-5","output":[{"content":[{"text":"x","usage":{"input_tokens":99}}]}],"tools":[{"usage":{"input_tokens":98}}],
            "metadata":{"usage":"none","model":"mine"},
            "usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":1},"output_tokens":5,
            "output_tokens_details":{"reasoning_tokens":2},"total_tokens":14}}"#,
        [9, 1, 5, 2],
        "gpt-5",
    ),
    (
        Messages,
        r#"{"type":"message","model":"claude-opus-4-1","content":[{"type":"tool_use","input":{"usage":{"input_tokens":99}}}],
            "usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":5,
            "cache_creation":{"ephemeral_5m_input_tokens":0},"output_tokens":12,"service_tier":"standard"}}"#,
        [8, 5, 12, 0],
        "claude-opus-4-1",
    ),
    (
        Gemini,
        "{\n  \"candidates\": [ { \"content\": { \"parts\": [ { \"functionCall\": { \"args\": { \"usageMetadata\": { \"promptTokenCount\": 99 } } } } ] } } ],\r\n  \"usageMetadata\": {\n    \"promptTokenCount\": 9,\n    \"candidatesTokenCount\": 4,\n    \"promptTokensDetails\": [\n      { \"modality\": \"TEXT\", \"tokenCount\": 9 }\n    ],\n    \"thoughtsTokenCount\": 3,\n    \"totalTokenCount\": 16\n  },\n  \"modelVersion\": \"gemini-2.5-pro\"\n}",
        [9, 0, 7, 3],
        "gemini-2.5-pro",
    ),
    // Gemini's stream without `alt=sse`, and Code Assist's wrapper.
    (
        Gemini,
        "[{\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":1},\"modelVersion\":\"g\"}\n,\r\n{\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":6}}]",
        [9, 0, 6, 0],
        "g",
    ),
    (
        Gemini,
        r#"{"response":{"modelVersion":"g","usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":6}},"traceId":"x"}"#,
        [9, 0, 6, 0],
        "g",
    ),
    (
        Gemini,
        r#"{"embeddings":[{"values":[1,2,3]}],"usageMetadata":{"promptTokenCount":9},"modelVersion":"e"}"#,
        [9, 0, 0, 0],
        "e",
    ),
    // Images.
    (
        Responses,
        r#"{"created":1,"data":[{"b64_json":"aaaa"}],"model":"i","usage":{"input_tokens":9,"output_tokens":1056}}"#,
        [9, 0, 1056, 0],
        "i",
    ),
];

const STREAMS: [(Dialect, &str, [u64; 4], &str); 9] = [
    (
        Chat,
        "data: {\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"{\\\"usage\\\":{\\\"prompt_tokens\\\":99}}\"}}],\"usage\":null}\n\ndata: {\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\ndata: {\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n",
        [9, 0, 4, 0],
        "gpt-4o",
    ),
    // A usage on every chunk, growing, and zeros at the end.
    (
        Chat,
        "data: {\"model\":\"grok\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\r\n\r\ndata: {\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\r\n\r\ndata: {\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}\r\n\r\n",
        [9, 0, 2, 0],
        "grok",
    ),
    // Groq's place.
    (
        Chat,
        "data: {\"model\":\"llama\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"id\":\"req\",\"usage\":{\"queue_time\":0.1,\"prompt_tokens\":9,\"completion_tokens\":2}}}\n\n",
        [9, 0, 2, 0],
        "llama",
    ),
    (
        Responses,
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"model\":\"gpt-5\",\"usage\":null}}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"model\":\"gpt-5\",\"output\":[{\"usage\":{\"input_tokens\":99}}],\"usage\":{\"input_tokens\":9,\"output_tokens\":4},\"user\":null}}\n\n",
        [9, 0, 4, 0],
        "gpt-5",
    ),
    (
        Messages,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\",\"content\":[],\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":5,\"output_tokens\":1}}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"partial_json\":\"{\\\"usage\\\":{\\\"output_tokens\\\":9}}\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":12}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        [8, 5, 12, 0],
        "claude",
    ),
    // A client that left before the end has cost what was told by then.
    (
        Messages,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_bl",
        [3, 0, 1, 0],
        "claude",
    ),
    (
        Gemini,
        "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a\"}]}}],\"usageMetadata\": {\"promptTokenCount\": 9,\"totalTokenCount\": 9},\"modelVersion\": \"g\"}\r\n\r\ndata: {\"candidates\": [{\"finishReason\": \"STOP\"}],\"usageMetadata\": {\"promptTokenCount\": 9,\"candidatesTokenCount\": 6,\"totalTokenCount\": 15},\"modelVersion\": \"g\"}\r\n\r\n",
        [9, 0, 6, 0],
        "g",
    ),
    // One event's JSON in several lines, and one that was cut before it.
    (
        Chat,
        "data: {\"usage\":{\"prompt_to\n\ndata: {\ndata: \"model\":\ndata: \"m\",\ndata: \"usage\": {\ndata:   \"prompt_tokens\": 9\ndata: }}\n\n",
        [9, 0, 0, 0],
        "m",
    ),
    (
        Responses,
        "data: {\"type\":\"image_generation.completed\",\"b64_json\":\"aa\",\"model\":\"i\",\"usage\":{\"input_tokens\":9,\"output_tokens\":4}}\n\n",
        [9, 0, 4, 0],
        "i",
    ),
];

fn all() -> impl Iterator<Item = (bool, &'static (Dialect, &'static str, [u64; 4], &'static str))> {
    WHOLE.iter().map(|case| (false, case)).chain(STREAMS.iter().map(|case| (true, case)))
}

#[test]
fn each_dialect_tells_what_a_reply_cost() {
    for (events, (dialect, text, usage, model)) in all() {
        let learnt = learnt(reading(*dialect, events), &[text.as_bytes()]);
        assert_eq!(learnt, (Some(*usage), Some((*model).to_owned())), "{dialect} {text}");
    }
}

#[test]
fn what_only_looks_like_usage_is_none() {
    let deep = json!({ "usage": { "prompt_tokens": 1, "input_tokens": 1 }, "usageMetadata": { "promptTokenCount": 1 }, "model": "x", "modelVersion": "x" });
    for (dialect, reply) in [
        (
            Chat,
            json!({ "choices": [{ "delta": { "x": deep }, "message": deep }], "response": deep, "message": deep }),
        ),
        (Chat, json!({ "usage": "9", "model": 4 })),
        (Chat, json!({ "usage": [deep], "model": null })),
        (Chat, json!([[1, [2]], "usage", { "x": deep }])),
        (
            Responses,
            json!({ "response": { "output": [deep], "metadata": deep, "tools": [{ "parameters": deep }] }, "x_groq": deep }),
        ),
        (
            Messages,
            json!({ "message": { "content": [{ "input": deep }] }, "delta": deep, "content_block": deep }),
        ),
        (
            Gemini,
            json!({ "candidates": [deep, { "content": { "parts": [{ "functionCall": { "args": deep } }] } }] }),
        ),
        (Gemini, json!({ "usageMetadata": null })),
    ] {
        assert_eq!(
            learnt(reading(dialect, false), &[reply.to_string().as_bytes()]),
            (None, None),
            "{dialect} {reply}"
        );
        let event = format!("event: x\ndata: {reply}\n\n");
        assert_eq!(learnt(reading(dialect, true), &[event.as_bytes()]), (None, None), "{dialect} {event}");
    }
}

#[test]
fn a_usage_without_end_is_given_up_and_a_later_one_read() {
    let endless = format!("{{\"usage\":{{\"x\":\"{}\"}}}}", "x".repeat(5000));
    let whole = format!("[{endless},{{\"usage\":{{\"prompt_tokens\":9}}}}]");
    assert_eq!(learnt(reading(Chat, false), &[endless.as_bytes()]).0, None);
    assert_eq!(learnt(reading(Chat, false), &[whole.as_bytes()]).0, Some([9, 0, 0, 0]));
}

#[test]
fn what_costs_tokens_is_known_by_its_path_and_method() {
    for (method, path, expected) in [
        (Method::POST, "/v1/chat/completions", Some(Chat)),
        (Method::POST, "/v1/completions", Some(Chat)),
        (Method::POST, "/v1/embeddings", Some(Chat)),
        (Method::POST, "/openai/v1/responses", Some(Responses)),
        (Method::POST, "/anthropic/v1/messages", Some(Messages)),
        (Method::POST, "/v1beta/models/g:generateContent", Some(Gemini)),
        (Method::POST, "/v1beta/models/g:countTokens", None),
        (Method::POST, "/v1/messages/count_tokens", None),
        (Method::POST, "/v1/files", None),
        (Method::GET, "/v1/responses", None),
        (Method::GET, "/v1/chat/completions", None),
    ] {
        assert_eq!(super::told(&method, path), expected, "{method} {path}");
    }
}

#[test]
fn a_model_works_wherever_a_path_leads_to_one_however_it_is_written() {
    for (method, path, expected) in [
        (Method::POST, "/v1/chat/completions", true),
        (Method::POST, "/v1/chat/completions/", true),
        (Method::POST, "/v1/chat/completion%73", true),
        (Method::POST, "/v1/responses", true),
        (Method::POST, "/v2/chat", true),
        (Method::POST, "/api/generate", true),
        (Method::POST, "/v1/files", false),
        (Method::POST, "/v1/messages/count_tokens", false),
        (Method::POST, "/v1beta/models/g:countTokens", false),
        (Method::GET, "/v1/responses", false),
        (Method::GET, "/v2/chat", false),
    ] {
        assert_eq!(super::works(&method, path), expected, "{method} {path}");
    }
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_tells_the_same(
        case in 0..WHOLE.len() + STREAMS.len(),
        cuts in prop::collection::vec(1_usize..60, 0..60),
    ) {
        let (events, (dialect, text, usage, model)) = all().nth(case).unwrap();
        let (mut pieces, mut rest) = (Vec::new(), text.as_bytes());
        for cut in cuts {
            let (piece, more) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        pieces.push(rest);
        let learnt = learnt(reading(*dialect, events), &pieces);
        prop_assert_eq!(learnt, (Some(*usage), Some((*model).to_owned())));
    }

    #[test]
    fn whatever_comes_is_read_to_its_end_the_same_in_any_pieces(
        bytes in "(data: |\"usage\"|usage|\"model\":\"m\"|\"choices\"|\\{|\\}|\\[|\\]|\"|\\\\|:|,|9|\n|\r|\u{fe0f}| ){0,60}",
        events in any::<bool>(),
    ) {
        let single: Vec<&[u8]> = bytes.as_bytes().chunks(1).collect();
        let whole = learnt(reading(Chat, events), &[bytes.as_bytes()]);
        prop_assert_eq!(learnt(reading(Chat, events), &single), whole);
    }

    #[test]
    fn no_word_of_a_model_or_a_client_is_taken_for_usage(
        words in "(\"|\\\\|usage|usageMetadata|model|prompt_tokens|data: |\n\n|:|\\{|\\}|\\[|9| ){0,16}",
        events in any::<bool>(),
    ) {
        let args = json!({ words.as_str(): { "usage": { "prompt_tokens": 1 } }, "usage": { "prompt_tokens": words } });
        for (dialect, reply) in [
            (Chat, json!({ "choices": [{ "delta": { "content": words, "tool_calls": [args] }, "finish_reason": null }] })),
            (Messages, json!({ "message": { "content": [{ "text": words, "input": args }] }, "delta": { "text": words } })),
            (Responses, json!({ "response": { "output": [{ "text": words }], "tools": [args], "instructions": words } })),
            (Gemini, json!({ "candidates": [{ "content": { "parts": [{ "text": words, "functionCall": { "args": args } }] } }] })),
        ] {
            let text = if events { format!("data: {reply}\n\n") } else { reply.to_string() };
            prop_assert_eq!(learnt(reading(dialect, events), &[text.as_bytes()]), (None, None), "{}", text);
        }
    }
}
