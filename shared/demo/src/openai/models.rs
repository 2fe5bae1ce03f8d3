//! The models the demo pretends to have: each name says how it will treat its caller.

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::reply::Reply;

/// The names worth listing, with what each one does.
pub(crate) const MODELS: [(&str, &str); 15] = [
    ("demo", "Behaves: answers at once, and streams at a readable pace."),
    ("demo-slow", "Waits two seconds, then streams four words a second."),
    ("demo-silent", "Never answers."),
    ("demo-cut", "Breaks the connection in the middle of its answer."),
    ("demo-error-429", "Answers 429, as a provider does that is asked too often."),
    ("demo-error-500", "Answers 500; demo-error-N answers any status."),
    ("demo-ended", "Ends a stream properly, but in the middle of its answer."),
    ("demo-overloaded", "Fails in the middle of a stream, or at once where there is none."),
    ("demo-tools", "Calls the offered tools, whatever was asked."),
    ("demo-thinking", "Thinks aloud before it answers."),
    ("demo-length", "Stops half-way, as if a limit were reached; a tool's arguments break off."),
    ("demo-refusal", "Stops after four words, by the provider's rules; demo-blocked before the first."),
    ("demo-flavour-groq", "Has one provider's peculiarities; any of the flavours will do."),
    ("demo-embedding", "Unit vectors made from a hash: equal texts, equal vectors."),
    ("demo-image", "A checkerboard in two colours made from the prompt."),
];

pub(crate) fn list(call: &Call) -> Reply {
    let data: Value = MODELS.iter().map(|(id, description)| model(call, id, description)).collect();
    Reply::json(&json!({"object": "list", "data": data}))
}

pub(crate) fn one(call: &Call, id: &str) -> Result<Reply, Refusal> {
    let known = MODELS.iter().find(|(known, _)| *known == id);
    let missing =
        || Refusal::not_found(format!("The model '{id}' does not exist or you do not have access to it."));
    known.map(|(id, description)| Reply::json(&model(call, id, description))).ok_or_else(missing)
}

fn model(call: &Call, id: &str, description: &str) -> Value {
    json!({
        "id": id, "object": "model", "created": call.at, "owned_by": "twinlane-demo",
        "description": description,
    })
}
