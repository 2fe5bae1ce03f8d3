//! Takes fields out of a client's body. One of the wrong type is refused by its path, never guessed at or passed by.

use serde_json::{Map, Value};

use crate::chat;
use crate::target::{Quirks, Refusal};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// The whole body, which must be an object.
pub(crate) fn body(value: Value) -> Result<Object, Refusal> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal {
            message: "The body must be a JSON object.".to_owned(),
            param: None,
            code: "invalid_value",
        }),
    }
}

/// Takes a field. `null` is as good as absent, and the others keep their order.
pub(crate) fn take(object: &mut Object, name: &str) -> Option<Value> {
    object.shift_remove(name).filter(|value| !value.is_null())
}

/// Takes a field that must be there.
pub(crate) fn need(object: &mut Object, name: &str) -> Result<Value, Refusal> {
    take(object, name)
        .ok_or_else(|| Refusal::of(name, "missing_required_parameter", format!("`{name}` is required.")))
}

/// Takes an optional string.
pub(crate) fn text(object: &mut Object, name: &str) -> Result<Option<String>, Refusal> {
    match take(object, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, "a string")),
    }
}

/// Takes a string that must be there.
pub(crate) fn need_text(object: &mut Object, name: &str) -> Result<String, Refusal> {
    match need(object, name)? {
        Value::String(text) => Ok(text),
        _ => Err(wrong(name, "a string")),
    }
}

/// Takes an optional list; an absent one is empty.
pub(crate) fn list(object: &mut Object, name: &str) -> Result<Vec<Value>, Refusal> {
    match take(object, name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(wrong(name, "a list")),
    }
}

/// Takes an optional object.
pub(crate) fn inner(object: &mut Object, name: &str) -> Result<Option<Object>, Refusal> {
    match take(object, name) {
        None => Ok(None),
        Some(Value::Object(inner)) => Ok(Some(inner)),
        Some(_) => Err(wrong(name, "an object")),
    }
}

/// Takes an optional switch, which is off where it is absent.
pub(crate) fn flag(object: &mut Object, name: &str) -> Result<bool, Refusal> {
    match take(object, name) {
        None => Ok(false),
        Some(Value::Bool(on)) => Ok(on),
        Some(_) => Err(wrong(name, "true or false")),
    }
}

/// Reads each item of a list of objects; a refusal says which one it was.
pub(crate) fn each(
    list: Vec<Value>,
    name: &str,
    mut read: impl FnMut(Object) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for (at, item) in list.into_iter().enumerate() {
        let read = match item {
            Value::Object(item) => read(item),
            _ => Err(Refusal {
                message: "An object belongs here.".to_owned(),
                param: None,
                code: "invalid_value",
            }),
        };
        read.map_err(|refusal| refusal.inside(&format!("{name}[{at}]")))?;
    }
    Ok(())
}

/// Moves fields that both formats have.
pub(crate) fn pass(from: &mut Object, names: &[&str], to: &mut Object) {
    for name in names {
        if let Some(value) = take(from, name) {
            to.insert((*name).to_owned(), value);
        }
    }
}

/// Moves the limit of the answer, a whole number, to the name that the target has for it.
pub(crate) fn pass_limit(
    from: &mut Object,
    name: &str,
    quirks: Quirks,
    to: &mut Object,
) -> Result<(), Refusal> {
    let Some(limit) = take(from, name) else { return Ok(()) };
    if limit.as_u64().is_none_or(|limit| limit == 0) {
        return Err(wrong(name, "a whole number above zero"));
    }
    to.insert(chat::limit_name(quirks).to_owned(), limit);
    Ok(())
}

/// A field has another type or value than it may have.
pub(crate) fn wrong(name: &str, wanted: &str) -> Refusal {
    Refusal::of(name, "invalid_value", format!("`{name}` must be {wanted}."))
}

/// A part of the content that the target has no place for.
pub(crate) fn unsupported_part(kind: &str) -> Refusal {
    let message = format!("Content of type `{kind}` cannot be sent to this model.");
    Refusal::of("type", "unsupported_content_part", message)
}
