//! Probabilities of the answer's tokens.

use serde_json::{Value, json};

/// A candidate's `logprobsResult` as chat's `logprobs`, `null` where it has none.
pub(super) fn read(candidate: &Value) -> Value {
    let Some(chosen) = candidate.pointer("/logprobsResult/chosenCandidates").and_then(Value::as_array) else {
        return Value::Null;
    };
    let others = candidate.pointer("/logprobsResult/topCandidates").and_then(Value::as_array);
    let content = chosen.iter().enumerate().map(|(at, token)| {
        let mut token = read_token(token);
        let top = others.and_then(|others| others.get(at)).and_then(|top| top["candidates"].as_array());
        token["top_logprobs"] =
            top.map(|top| top.iter().map(read_token).collect()).unwrap_or_else(|| json!([]));
        token
    });
    json!({ "content": content.collect::<Value>(), "refusal": null })
}

fn read_token(token: &Value) -> Value {
    json!({ "token": token["token"], "logprob": token["logProbability"], "bytes": null })
}
