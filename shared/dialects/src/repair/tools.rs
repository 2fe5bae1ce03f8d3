//! The tool calls of one choice: numbered from nought without gaps, each named once, their arguments strings.
//!
//! OpenAI's SDK keeps calls in a list by their index, so a first index of one raises there; it joins the ids and names
//! of one call's fragments, so a repeated one must go.

use serde_json::{Map, Value, json};

/// The calls of a choice so far, by the index they leave with.
#[derive(Debug, Default)]
pub(super) struct Calls {
    known: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    /// The index it came with.
    index: Option<u64>,
    id: String,
    name: String,
}

impl Calls {
    pub(super) fn any(&self) -> bool {
        !self.known.is_empty()
    }

    /// Puts the fragments of one delta right.
    pub(super) fn repair(&mut self, fragments: Value, choice: u64, reply: &str) -> Vec<Value> {
        let Value::Array(fragments) = fragments else { return Vec::new() };
        let objects = fragments.into_iter().filter_map(|fragment| match fragment {
            Value::Object(fragment) => Some(fragment),
            _ => None,
        });
        objects.map(|fragment| self.fragment(fragment, choice, reply)).collect()
    }

    fn fragment(&mut self, mut fragment: Map<String, Value>, choice: u64, reply: &str) -> Value {
        let id = text(fragment.get("id"));
        let mut function = match fragment.shift_remove("function") {
            Some(Value::Object(function)) => function,
            _ => Map::new(),
        };
        let name = text(function.get("name"));
        arguments_as_text(&mut function);
        let at = match self.find(number(fragment.get("index")), &id, &name) {
            Some(at) => {
                self.forget_repeated(at, &mut fragment, &mut function);
                at
            }
            None => self.begin(&mut fragment, name, choice, reply),
        };
        fragment.insert("index".to_owned(), at.into());
        fragment.insert("function".to_owned(), Value::Object(function));
        Value::Object(fragment)
    }

    /// The call that a fragment goes on with; `None` where it begins one.
    fn find(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let last = self.known.len().checked_sub(1);
        let other = |call: &Call| !id.is_empty() && call.id != id && !name.is_empty();
        match index {
            // Some number every call nought. A call that brings another id and a name is another call.
            Some(_) => {
                let at = self.known.iter().rposition(|call| call.index == index)?;
                if other(&self.known[at]) { self.with_id(id) } else { Some(at) }
            }
            None if !id.is_empty() => self.with_id(id),
            None if !name.is_empty() => None,
            None => last,
        }
    }

    fn with_id(&self, id: &str) -> Option<usize> {
        self.known.iter().rposition(|call| call.id == id)
    }

    fn begin(&mut self, fragment: &mut Map<String, Value>, name: String, choice: u64, reply: &str) -> usize {
        let at = self.known.len();
        let id = match text(fragment.get("id")) {
            id if id.is_empty() => made_id(reply, choice, at),
            id => id,
        };
        fragment.insert("id".to_owned(), id.as_str().into());
        fragment.insert("type".to_owned(), json!("function"));
        self.known.push(Call { index: number(fragment.get("index")), id, name });
        at
    }

    fn forget_repeated(
        &mut self,
        at: usize,
        fragment: &mut Map<String, Value>,
        function: &mut Map<String, Value>,
    ) {
        let call = &mut self.known[at];
        fragment.shift_remove("id");
        fragment.shift_remove("type");
        let name = text(function.get("name"));
        if name.is_empty() || name == call.name {
            function.shift_remove("name");
        } else {
            call.name.push_str(&name);
        }
    }
}

/// The id of a call that has none.
pub(super) fn made_id(reply: &str, choice: u64, at: usize) -> String {
    format!("call_{reply}_{choice}_{at}")
}

/// Arguments are JSON in a string. Some send the object itself.
pub(super) fn arguments_as_text(function: &mut Map<String, Value>) {
    match function.get_mut("arguments") {
        None | Some(Value::String(_)) => {}
        Some(arguments) => {
            *arguments = if arguments.is_null() { json!("") } else { json!(arguments.to_string()) };
        }
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok()))
}
