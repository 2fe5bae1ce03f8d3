//! Sound: a tone for speech, and a plain word about what arrived for transcriptions.

use serde_json::json;

use crate::call::Call;
use crate::error::Refusal;
use crate::media;
use crate::multipart::Form;
use crate::prompt::sniff;
use crate::reply::Reply;

pub(crate) fn speech(call: &Call) -> Result<Reply, Refusal> {
    let body = call.json()?;
    body["input"].as_str().ok_or_else(|| Refusal::missing("input"))?;
    Ok(Reply::bytes("audio/wav", media::wav()))
}

/// Transcriptions and translations are the same to someone who did not listen.
pub(crate) fn transcription(call: &Call, task: &str) -> Result<Reply, Refusal> {
    let form = Form::read(call)?;
    let file = form.file("file")?;
    let (kind, size) = (sniff(&file.data), file.data.len());
    let text =
        format!("This is Twinlane's demo provider: {size} bytes arrived, {kind}; nobody listened to them.");
    Ok(match form.text("response_format").as_deref() {
        Some("text") => Reply::bytes("text/plain; charset=utf-8", text + "\n"),
        Some("srt") => {
            Reply::bytes("text/plain; charset=utf-8", format!("1\n00:00:00,000 --> 00:00:01,000\n{text}\n\n"))
        }
        Some("vtt") => {
            Reply::bytes("text/vtt", format!("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{text}\n\n"))
        }
        Some("verbose_json") => Reply::json(
            &json!({"task": task, "language": "english", "duration": 1.0, "text": text, "segments": []}),
        ),
        _ => Reply::json(&json!({"text": text, "usage": {"type": "duration", "seconds": 1}})),
    })
}
