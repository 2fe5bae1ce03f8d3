//! Tool calls of a chat stream, put together from their fragments: Gemini sends calls whole.

use serde_json::Value;

use super::response::call_part;

/// The calls of one choice.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

impl Calls {
    /// Takes the `tool_calls` of a delta.
    pub(super) fn take(&mut self, fragments: &Value) {
        for fragment in fragments.as_array().into_iter().flatten() {
            let call = self.call_of(fragment);
            let function = &fragment["function"];
            set_once(&mut call.id, &fragment["id"]);
            set_once(&mut call.name, &function["name"]);
            call.arguments.push_str(function["arguments"].as_str().unwrap_or_default());
        }
    }

    /// The call that a fragment belongs to: by index; without one by id; without either it is the last.
    fn call_of(&mut self, fragment: &Value) -> &mut Call {
        let index = fragment["index"].as_u64();
        let id = fragment["id"].as_str().unwrap_or_default();
        let known = match index {
            Some(_) => self.0.iter().position(|call| call.index == index),
            None if id.is_empty() => self.0.len().checked_sub(1),
            None => self.0.iter().position(|call| call.id == id),
        };
        let place = known.unwrap_or_else(|| {
            self.0.push(Call { index, ..Call::default() });
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    /// Takes all calls out, whole, in the order they began.
    pub(super) fn drain(&mut self) -> Vec<Value> {
        self.0.drain(..).map(|call| call_part(&call.id, &call.name, &call.arguments)).collect()
    }
}

/// Some providers repeat the id and the name in every fragment.
fn set_once(field: &mut String, value: &Value) {
    if field.is_empty() {
        field.push_str(value.as_str().unwrap_or_default());
    }
}
