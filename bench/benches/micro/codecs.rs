//! What a translation takes, from bytes to bytes: a call, a whole reply, and a chunk of a stream, for each pair of formats.

use std::fmt;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use serde_json::{Value, json};
use twinlane_dialects::translation::{self, Translated};
use twinlane_dialects::{Dialect, Quirks, Target, usage};

use crate::passing::{event, reply};

/// The events of a stream whose chunks are counted.
const CHUNKS: usize = 100;

const TARGET: Target<'_> =
    Target { model: "real", asked_model: "asked", quirks: Quirks::NONE, id: "1", now: 1_700_000_000 };

const WORDS: &str =
    "There is a gateway between me and the one who answers. I would like to know what it costs me.";

/// A client's format and a provider's.
#[derive(Clone, Copy)]
struct Pair(Dialect, Dialect);

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.0, self.1)
    }
}

/// Every codec once: the clients' with a provider of chat, the providers' with a client of chat, and both at once.
const PAIRS: [Pair; 9] = [
    Pair(Dialect::Chat, Dialect::Chat),
    Pair(Dialect::Completions, Dialect::Chat),
    Pair(Dialect::Responses, Dialect::Chat),
    Pair(Dialect::Messages, Dialect::Chat),
    Pair(Dialect::Gemini, Dialect::Chat),
    Pair(Dialect::Chat, Dialect::Messages),
    Pair(Dialect::Chat, Dialect::Gemini),
    Pair(Dialect::Chat, Dialect::OneMin),
    Pair(Dialect::Messages, Dialect::Gemini),
];

#[divan::bench(args = PAIRS)]
fn a_call(bencher: Bencher<'_, '_>, pair: Pair) {
    let body = asks(pair.0, false).to_string();
    bencher.bench_local(|| {
        let body = serde_json::from_str(black_box(&body)).unwrap_or_default();
        translated(pair, body).body.to_string()
    });
}

#[divan::bench(args = PAIRS)]
fn a_reply(bencher: Bencher<'_, '_>, pair: Pair) {
    let (back, body) = (translated(pair, asks(pair.0, false)).reply, answers(pair.1));
    let told = |body: &[u8]| {
        let body = serde_json::from_slice(body).unwrap_or_default();
        back.whole(body).map(|whole| whole.reply.to_string()).ok()
    };
    assert!(told(&body).is_some_and(|told| told.contains("answers")), "the reply has an answer in it");
    bencher.bench_local(|| told(black_box(&body)));
}

/// The time of a whole stream of 100; beside it, how many chunks a second that is.
#[divan::bench(args = PAIRS)]
fn chunks_of_a_stream(bencher: Bencher<'_, '_>, pair: Pair) {
    let (back, event) = (translated(pair, asks(pair.0, true)).reply, says(pair.1));
    let mut first = Vec::new();
    back.clone().stream().push(&event, &mut first);
    assert!(String::from_utf8_lossy(&first).contains(" word"), "the chunk has its word in it");
    let bencher =
        bencher.counter(ItemsCount::new(CHUNKS)).with_inputs(|| (back.clone().stream(), Vec::new()));
    bencher.bench_local_values(|(mut stream, mut out)| {
        for _ in 0..CHUNKS {
            out.clear();
            stream.push(black_box(&event), &mut out);
        }
        out
    });
}

#[divan::bench]
fn reading_what_a_reply_cost(bencher: Bencher<'_, '_>) {
    let told = [json!({ "prompt_tokens": 187, "completion_tokens": 142, "total_tokens": 329 })];
    bencher.bench_local(|| usage::read(Dialect::Chat, black_box(&told)));
}

fn translated(Pair(client, provider): Pair, body: Value) -> Translated {
    translation::request(client, provider, body, &TARGET).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

/// A client's request with a few turns.
fn asks(client: Dialect, stream: bool) -> Value {
    let turns = |assistant, turn: fn(&str) -> Value| -> Vec<Value> {
        ["user", assistant].into_iter().cycle().take(7).map(turn).collect()
    };
    let said = |role: &str| json!({ "role": role, "content": WORDS });
    match client {
        Dialect::Completions => json!({ "model": "asked", "prompt": WORDS.repeat(7), "stream": stream }),
        Dialect::Responses => {
            json!({ "model": "asked", "input": turns("assistant", said), "stream": stream })
        }
        Dialect::Gemini => {
            let contents = turns("model", |role| json!({ "role": role, "parts": [{ "text": WORDS }] }));
            json!({ "contents": contents, "stream": stream })
        }
        _ => {
            json!({ "model": "asked", "max_tokens": 512, "messages": turns("assistant", said), "stream": stream })
        }
    }
}

/// A provider's whole reply.
fn answers(provider: Dialect) -> Vec<u8> {
    let text = WORDS.repeat(8);
    let body = match provider {
        Dialect::Messages => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "real",
            "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn",
            "usage": { "input_tokens": 187, "output_tokens": 142 },
        }),
        Dialect::Gemini => json!({
            "candidates": [{ "content": { "role": "model", "parts": [{ "text": text }] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 187, "candidatesTokenCount": 142, "totalTokenCount": 329 },
            "modelVersion": "real", "responseId": "r",
        }),
        Dialect::OneMin => json!({ "aiRecord": { "aiRecordDetail": { "resultObject": [text] } } }),
        _ => return reply().to_vec(),
    };
    body.to_string().into_bytes()
}

/// An event in the middle of a provider's stream.
fn says(provider: Dialect) -> Vec<u8> {
    let (name, data) = match provider {
        Dialect::Messages => {
            let delta = json!({ "type": "text_delta", "text": " word" });
            ("content_block_delta", json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
        }
        Dialect::Gemini => {
            let content = json!({ "role": "model", "parts": [{ "text": " word" }] });
            let candidates = json!([{ "content": content, "index": 0 }]);
            ("", json!({ "candidates": candidates, "modelVersion": "real", "responseId": "r" }))
        }
        Dialect::OneMin => ("content", json!({ "content": " word" })),
        _ => return event().to_vec(),
    };
    let name = if name.is_empty() { String::new() } else { format!("event: {name}\n") };
    format!("{name}data: {data}\n\n").into_bytes()
}
