//! A whole reply's way back.

use serde_json::json;

use super::{asked, completion};
use crate::from_responses::reply;

#[test]
fn a_completion_becomes_a_response() {
    let mut asked = asked();
    asked.custom_tools.insert("patch".to_owned());
    asked.repeated.insert("temperature".to_owned(), json!(0.5));
    let message = json!({ "reasoning": "Hm.", "content": "Hi", "tool_calls": [
        { "id": "a", "function": { "name": "f", "arguments": "" } },
        { "id": "b", "function": { "name": "patch", "arguments": "{\"input\":\"x\\ny\"}" } },
    ] });
    assert_eq!(
        reply(completion(message, "stop"), &asked),
        json!({
            "id": "resp_9", "object": "response", "created_at": 11, "status": "completed", "error": null,
            "incomplete_details": null, "model": "m1",
            "output": [
                { "id": "rs_call1_0", "type": "reasoning", "summary": [{ "type": "summary_text", "text": "Hm." }] },
                { "id": "msg_call1_1", "type": "message", "status": "completed", "role": "assistant", "content": [
                    { "type": "output_text", "text": "Hi", "annotations": [], "logprobs": [] },
                ] },
                { "id": "fc_call1_2", "type": "function_call", "status": "completed", "call_id": "a", "name": "f", "arguments": "{}" },
                { "id": "ctc_call1_3", "type": "custom_tool_call", "status": "completed", "call_id": "b", "name": "patch", "input": "x\ny" },
            ],
            "usage": {
                "input_tokens": 5, "input_tokens_details": { "cached_tokens": 2, "cache_write_tokens": 0 },
                "output_tokens": 3, "output_tokens_details": { "reasoning_tokens": 1 }, "total_tokens": 8,
            },
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "temperature": 0.5,
        })
    );
}

#[test]
fn a_cut_or_filtered_answer_says_so() {
    // 53, 54.
    let cut = reply(completion(json!({ "content": "a" }), "length"), &asked());
    assert_eq!((&cut["status"], &cut["output"][0]["status"]), (&json!("incomplete"), &json!("incomplete")));
    assert_eq!(cut["incomplete_details"], json!({ "reason": "max_output_tokens" }));
    let filtered = reply(completion(json!({ "content": "a" }), "content_filter"), &asked());
    assert_eq!(
        (&filtered["status"], &filtered["error"]["code"]),
        (&json!("failed"), &json!("invalid_prompt"))
    );
}
