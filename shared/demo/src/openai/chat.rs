//! Chat completions, whole and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::prompt::{Choice, Format, Picture, Prompt, Tool, list, text_of};
use crate::reply::{Reply, data};
use crate::speech::{self, End, Speech, ToolCall};

/// The last line of every stream of OpenAI's.
pub(crate) const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// More choices than this are not asked for by accident.
const MOST_CHOICES: u64 = 128;

/// What all chunks of one answer have in common.
#[derive(Debug, Clone)]
struct Telling {
    id: String,
    model: String,
    created: u64,
    choices: usize,
    with_usage: bool,
}

pub(crate) fn reply(call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    let speech = speech::answer(&prompt(&body, call)?);
    let telling = Telling {
        id: call.id("chatcmpl-"),
        model: body["model"].as_str().unwrap_or("demo").to_owned(),
        created: call.at,
        choices: choices(&body)?,
        with_usage: body["stream_options"]["include_usage"] == true,
    };
    Ok(if body["stream"] == true { telling.stream(&speech, shape) } else { telling.whole(&speech, shape) })
}

fn choices(body: &Value) -> Result<usize, Refusal> {
    let n = body["n"].as_u64().unwrap_or(1);
    let usable = (1..=MOST_CHOICES).contains(&n);
    if usable {
        Ok(n as usize)
    } else {
        Err(Refusal::bad_request(format!("n must be from 1 to {MOST_CHOICES}.")))
    }
}

fn prompt(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    let messages = body["messages"].as_array().ok_or_else(|| Refusal::missing("messages"))?;
    if messages.is_empty() {
        return Err(Refusal::bad_request("[] is too short - 'messages'"));
    }
    let asked = messages.iter().rev().find(|message| message["role"] == "user");
    let last_tools = messages.iter().rev().take_while(|message| message["role"] == "tool");
    let mut tool_results: Vec<String> = last_tools.map(|message| text_of(&message["content"])).collect();
    tool_results.reverse();
    Ok(Prompt {
        user: asked.map(|message| text_of(&message["content"])).unwrap_or_default(),
        tool_results,
        pictures: messages.iter().flat_map(|message| pictures(&message["content"])).collect(),
        tools: list(&body["tools"]).iter().filter_map(tool).collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["parallel_tool_calls"] == false,
        format: format(&body["response_format"]),
        limit: body["max_completion_tokens"].as_u64().or(body["max_tokens"].as_u64()),
        size: call.body.len(),
    })
}

fn pictures(content: &Value) -> impl Iterator<Item = Picture> {
    list(content).iter().filter_map(|part| part["image_url"]["url"].as_str()).map(Picture::at)
}

fn tool(tool: &Value) -> Option<Tool> {
    let function = tool.get("function")?;
    Some(Tool { name: function["name"].as_str()?.to_owned(), schema: function["parameters"].clone() })
}

pub(crate) fn choice(choice: &Value) -> Choice {
    let named = choice["function"]["name"].as_str().or(choice["name"].as_str());
    match (choice.as_str(), named) {
        (Some("none"), _) => Choice::Never,
        (Some("required"), _) => Choice::Any,
        (_, Some(name)) => Choice::Named(name.to_owned()),
        _ => Choice::Auto,
    }
}

fn format(format: &Value) -> Format {
    match format["type"].as_str() {
        Some("json_object") => Format::Object,
        Some("json_schema") => Format::Schema(format["json_schema"]["schema"].clone()),
        _ => Format::Text,
    }
}

impl Telling {
    fn whole(&self, speech: &Speech, shape: Shape) -> Reply {
        let mut message = json!({"role": "assistant", "content": null, "refusal": null});
        match speech.end {
            End::Tools => message["tool_calls"] = self.calls(speech),
            _ => message["content"] = json!(speech.text(shape)),
        }
        let finish = finish(speech);
        let choice =
            |index| json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish});
        Reply::json(&json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
            "choices": (0..self.choices).map(choice).collect::<Value>(), "usage": usage(speech, self.choices),
            "service_tier": "default", "system_fingerprint": "fp_demo",
        }))
    }

    fn calls(&self, speech: &Speech) -> Value {
        let call = |(i, call): (usize, &ToolCall)| {
            let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
            json!({"id": self.call_id(i), "type": "function", "function": function})
        };
        speech.calls.iter().enumerate().map(call).collect()
    }

    fn call_id(&self, i: usize) -> String {
        format!("{}_{i}", self.id.replace("chatcmpl-", "call_"))
    }

    fn stream(self, speech: &Speech, shape: Shape) -> Reply {
        let ending = self.ending(speech);
        let opening = match speech.end {
            End::Tools => json!({"role": "assistant", "content": null}),
            _ => json!({"role": "assistant", "content": "", "refusal": null}),
        };
        let words = speech.deltas(shape).map(|word| json!({"content": word}));
        let deltas = std::iter::once(opening).chain(words).chain(self.call_deltas(speech));
        let pieces = deltas.flat_map(move |delta| self.to_every_choice(&delta, &Value::Null));
        Reply::events(Box::new(pieces), ending)
    }

    /// A call is announced with its name, then its arguments arrive in fragments.
    fn call_deltas(&self, speech: &Speech) -> std::vec::IntoIter<Value> {
        let mut deltas = Vec::new();
        for (i, call) in speech.calls.iter().enumerate() {
            let function = json!({"name": call.name, "arguments": ""});
            deltas.push(json!({"index": i, "id": self.call_id(i), "type": "function", "function": function}));
            let fragment = |arguments| json!({"index": i, "function": {"arguments": arguments}});
            deltas.extend(call.fragments().into_iter().map(fragment));
        }
        deltas.into_iter().map(|delta| json!({"tool_calls": [delta]})).collect::<Vec<_>>().into_iter()
    }

    fn ending(&self, speech: &Speech) -> Vec<Bytes> {
        let mut ending = self.to_every_choice(&json!({}), &json!(finish(speech)));
        if self.with_usage {
            let mut last = self.chunk(&json!([]));
            last["usage"] = usage(speech, self.choices);
            ending.push(data(&last));
        }
        ending.push(DONE);
        ending
    }

    fn to_every_choice(&self, delta: &Value, finish: &Value) -> Vec<Bytes> {
        let choice =
            |index| json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        (0..self.choices).map(|index| data(&self.chunk(&choice(index)))).collect()
    }

    /// One chunk; with usage asked for, every chunk but the last says that it has none.
    fn chunk(&self, choices: &Value) -> Value {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "service_tier": "default", "system_fingerprint": "fp_demo", "choices": choices,
        });
        if self.with_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

pub(crate) fn finish(speech: &Speech) -> &'static str {
    match speech.end {
        End::Stop => "stop",
        End::Length => "length",
        End::Tools => "tool_calls",
    }
}

pub(crate) fn usage(speech: &Speech, choices: usize) -> Value {
    let (input, output) = (speech.input, speech.output() * choices);
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}
