//! Batches that are accepted and never worked on: the demo says "in_progress" until one is cancelled.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::reply::Reply;
use crate::routes::unknown;
use crate::seen::locked;

/// The oldest batches are forgotten beyond this many.
const MOST: usize = 1_000;

/// The batches of one demo, oldest first, as the API words them.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<VecDeque<Value>>);

/// Answers `/v1/batches…`; `path` is what follows that.
pub(crate) fn reply(batches: &Batches, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("POST", []) => Ok(batches.put(batch(call)?)),
        ("GET", []) => Ok(batches.list()),
        ("GET", [id]) => batches.with(id, |_| ()),
        ("POST", [id, "cancel"]) => batches.with(id, |batch| batch["status"] = json!("cancelling")),
        _ => Err(unknown(call)),
    }
}

impl Batches {
    fn put(&self, mut batch: Value) -> Reply {
        let reply = Reply::json(&batch);
        batch["status"] = json!("in_progress");
        let mut batches = locked(&self.0);
        batches.push_back(batch);
        let surplus = batches.len().saturating_sub(MOST);
        batches.drain(..surplus);
        reply
    }

    fn list(&self) -> Reply {
        let data: Value = locked(&self.0).iter().rev().cloned().collect();
        Reply::json(&json!({"object": "list", "data": data, "has_more": false}))
    }

    fn with(&self, id: &str, change: impl Fn(&mut Value)) -> Result<Reply, Refusal> {
        let mut batches = locked(&self.0);
        let batch = batches.iter_mut().find(|batch| batch["id"] == id);
        let batch = batch.ok_or_else(|| Refusal::not_found(format!("No batch found with id '{id}'.")))?;
        change(batch);
        Ok(Reply::json(batch))
    }
}

fn batch(call: &Call) -> Result<Value, Refusal> {
    let body = call.json()?;
    body["input_file_id"].as_str().ok_or_else(|| Refusal::missing("input_file_id"))?;
    body["endpoint"].as_str().ok_or_else(|| Refusal::missing("endpoint"))?;
    Ok(json!({
        "id": call.id("batch_"), "object": "batch", "created_at": call.at,
        "status": "validating", "errors": null,
        "endpoint": body["endpoint"], "input_file_id": body["input_file_id"], "output_file_id": null,
        "error_file_id": null, "completion_window": body["completion_window"], "metadata": body["metadata"],
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
    }))
}
