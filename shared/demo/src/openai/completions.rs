//! The old completions endpoint, whole and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use super::telling::{DONE, finish, usage};
use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::prompt::{Prompt, texts};
use crate::reply::{Reply, data};
use crate::speech::{self, Speech};

pub(crate) fn reply(call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    let speech = speech::answer(&prompt(&body, call)?, shape.scene);
    let frame = json!({
        "id": call.id("cmpl-"), "object": "text_completion", "created": call.at, "model": body["model"],
        "system_fingerprint": "fp_demo",
    });
    let with_usage = body["stream_options"]["include_usage"] == true;
    Ok(if body["stream"] == true {
        stream(frame, &speech, shape, with_usage)
    } else {
        whole(frame, &speech, shape)
    })
}

fn prompt(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    let user = match &body["prompt"] {
        Value::Null => return Err(Refusal::missing("prompt")),
        Value::String(text) => text.clone(),
        other => other[0].as_str().map_or_else(|| other.to_string(), str::to_owned),
    };
    Ok(Prompt {
        user,
        limit: body["max_tokens"].as_u64(),
        stop: texts(&body["stop"]),
        size: call.body.len(),
        ..Prompt::default()
    })
}

fn whole(mut frame: Value, speech: &Speech, shape: Shape) -> Reply {
    frame["choices"] = choices(&speech.text(shape), &json!(finish(speech, "stop", "stop")));
    frame["usage"] = usage(speech, 1);
    Reply::json(&frame)
}

fn stream(mut frame: Value, speech: &Speech, shape: Shape, with_usage: bool) -> Reply {
    if with_usage {
        frame["usage"] = Value::Null;
    }
    let mut ending = vec![chunk(&frame, &choices("", &json!(finish(speech, "stop", "stop"))))];
    if with_usage {
        let last = json!({"usage": usage(speech, 1)});
        ending.push(chunk(&merged(&frame, &last), &json!([])));
    }
    ending.push(DONE);
    let pieces = speech.deltas(shape).map(move |text| chunk(&frame, &choices(&text, &Value::Null)));
    Reply::events(Box::new(pieces), ending)
}

fn merged(frame: &Value, more: &Value) -> Value {
    let both = [frame, more].into_iter().filter_map(Value::as_object).flatten();
    Value::Object(both.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn chunk(frame: &Value, choices: &Value) -> Bytes {
    data(&merged(frame, &json!({"choices": choices})))
}

fn choices(text: &str, finish: &Value) -> Value {
    json!([{"text": text, "index": 0, "logprobs": null, "finish_reason": finish}])
}
