//! Pictures: a checkerboard in colours made from the prompt.

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::multipart::Form;
use crate::reply::Reply;
use crate::{base64, media};

/// As many as OpenAI draws at once.
const MOST: u64 = 10;

pub(crate) fn generations(call: &Call) -> Result<Reply, Refusal> {
    let body = call.json()?;
    let prompt = body["prompt"].as_str().ok_or_else(|| Refusal::missing("prompt"))?;
    Ok(pictures(call, prompt, body["n"].as_u64().unwrap_or(1), body["response_format"] == "url"))
}

pub(crate) fn edits(call: &Call) -> Result<Reply, Refusal> {
    let form = Form::read(call)?;
    form.file("image")?;
    let prompt = form.text("prompt").ok_or_else(|| Refusal::missing("prompt"))?;
    let n = form.text("n").and_then(|n| n.parse().ok()).unwrap_or(1);
    Ok(pictures(call, &prompt, n, form.text("response_format").as_deref() == Some("url")))
}

fn pictures(call: &Call, prompt: &str, n: u64, as_url: bool) -> Reply {
    let picture = |i: u64| {
        let coded = base64::encode(&media::png(&format!("{prompt}#{i}")));
        if as_url {
            json!({"url": format!("data:image/png;base64,{coded}")})
        } else {
            json!({"b64_json": coded})
        }
    };
    let data: Value = (0..n.clamp(1, MOST)).map(picture).collect();
    let usage = json!({"input_tokens": 10, "output_tokens": 16, "total_tokens": 26});
    Reply::json(&json!({"created": call.at, "data": data, "output_format": "png", "usage": usage}))
}
