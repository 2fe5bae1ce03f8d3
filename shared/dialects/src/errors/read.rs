//! Reads what a provider says of an error, whatever the shape.

use serde_json::{Map, Value};

use super::kind::{kind_of_status, status_of_word};
use super::{Told, text};

/// Reads the body of an answer whose status is an error's. Never fails: what cannot be read is shown as text.
#[must_use]
pub fn read(status: u16, content_type: Option<&str>, body: &[u8]) -> Told {
    let json = if is_page(content_type) { None } else { serde_json::from_slice::<Value>(body).ok() };
    match json.as_ref().and_then(Found::of) {
        Some(found) => found.told(status),
        None => unread(status, body),
    }
}

impl Told {
    /// Reads an error that came with status 200: in the body, or in an event of a stream. `None` where it is an answer.
    ///
    /// The status is the one the error names, as `OpenRouter` and Google do in `code`, or the one its type stands for.
    #[must_use]
    pub fn of_object(value: &Value) -> Option<Self> {
        if !is_error(value) {
            return None;
        }
        let found = Found::of(value).unwrap_or_default();
        let status = found.status().unwrap_or(502);
        Some(found.told(status))
    }
}

/// Whether an object that came with status 200 is an error: nothing of an answer's shape is taken for one.
fn is_error(value: &Value) -> bool {
    let Value::Object(body) = value else {
        return value.as_array().and_then(|list| list.first()).is_some_and(is_error);
    };
    let says_error = |field: &str| body.get(field).and_then(Value::as_str) == Some("error");
    body.get("error").is_some_and(says_something)
        || says_error("type")
        || says_error("object")
        || body.get("success") == Some(&Value::Bool(false))
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

fn is_page(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// An error whose body has no shape we know.
fn unread(status: u16, body: &[u8]) -> Told {
    let message = match text::plain(body) {
        text if text.is_empty() => format!("The provider answered with status {status} and no message."),
        text => text,
    };
    Told {
        status,
        message,
        kind: kind_of_status(status).to_owned(),
        param: None,
        code: Some(format!("upstream_{status}")),
    }
}

/// What a body says of an error, in the provider's words.
#[derive(Debug, Default)]
struct Found {
    message: Option<String>,
    kind: Option<String>,
    param: Option<String>,
    code: Option<String>,
    /// Google's and Anthropic's word, which stands for a status.
    word: Option<String>,
}

impl Found {
    fn of(value: &Value) -> Option<Self> {
        match value {
            // Gemini's compatible surface wraps the object in an array.
            Value::Array(list) => list.first().filter(|first| first.is_object()).and_then(Self::of),
            Value::Object(body) => Self::of_body(body),
            _ => None,
        }
    }

    fn of_body(body: &Map<String, Value>) -> Option<Self> {
        match body.get("error") {
            Some(Value::Object(error)) if !error.is_empty() => Some(Self::of_error(error, body)),
            Some(error @ (Value::String(_) | Value::Array(_))) => Self::of_text(error, body),
            _ => Self::of_list(body).or_else(|| Self::of_message(body)).or_else(|| Self::of_detail(body)),
        }
    }

    /// `{error: {message, …}}`: OpenAI, Anthropic, Gemini, `OpenRouter`.
    fn of_error(error: &Map<String, Value>, body: &Map<String, Value>) -> Self {
        let kind = string(error.get("type"));
        let from_anthropic = body.get("type").and_then(Value::as_str) == Some("error");
        let google = string(error.get("status"));
        let code = google.clone().or_else(|| string(error.get("code")));
        Self {
            message: error.get("message").and_then(sentence),
            code: if from_anthropic { code.or_else(|| kind.clone()) } else { code },
            word: google.or_else(|| kind.clone()),
            kind: if from_anthropic { None } else { kind },
            param: string(error.get("param")),
        }
    }

    /// `{error: "text", code}`: xAI, Hugging Face. Where there is a `message` too, `error` is only the status's name.
    fn of_text(error: &Value, body: &Map<String, Value>) -> Option<Self> {
        let message = body.get("message").and_then(sentence).or_else(|| sentence(error))?;
        Some(Self { message: Some(message), code: string(body.get("code")), ..Self::default() })
    }

    /// `{errors: [{code, message}], success: false}`: Cloudflare.
    fn of_list(body: &Map<String, Value>) -> Option<Self> {
        let errors = body.get("errors")?.as_array().filter(|errors| !errors.is_empty())?;
        let code = errors.iter().find_map(|error| string(error.get("code")));
        Some(Self { message: Some(joined(errors)?), code, ..Self::default() })
    }

    /// `{message, code | type | __type}`: Cohere, Mistral, 1min.ai, AWS.
    fn of_message(body: &Map<String, Value>) -> Option<Self> {
        let message = body.get("message").or_else(|| body.get("Message")).and_then(sentence)?;
        // AWS names the service before the hash.
        let amazon =
            string(body.get("__type")).map(|name| name.rsplit('#').next().unwrap_or_default().to_owned());
        let code = string(body.get("code")).or(amazon).or_else(|| string(body.get("type")));
        Some(Self { message: Some(message), param: string(body.get("param")), code, ..Self::default() })
    }

    /// `{detail: "…"}`, `{detail: [{loc, msg}]}`: FastAPI and its kind.
    fn of_detail(body: &Map<String, Value>) -> Option<Self> {
        Some(Self { message: Some(sentence(body.get("detail")?)?), ..Self::default() })
    }

    /// The status the words stand for.
    fn status(&self) -> Option<u16> {
        let number =
            self.code.as_deref().and_then(|code| code.parse().ok()).filter(|code| (400..600).contains(code));
        let word = |word: &Option<String>| word.as_deref().and_then(status_of_word);
        number.or_else(|| word(&self.word)).or_else(|| word(&self.code))
    }

    fn told(self, status: u16) -> Told {
        let message = self.message.filter(|message| !message.is_empty());
        Told {
            status,
            message: message
                .unwrap_or_else(|| format!("The provider answered with an error of status {status}.")),
            kind: self.kind.unwrap_or_else(|| kind_of_status(status).to_owned()),
            param: self.param,
            code: self.code,
        }
    }
}

/// A string, or a number's digits. Empty ones say nothing.
fn string(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What a message, a detail or a list of them says.
fn sentence(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text::capped(&nested(text).unwrap_or_else(|| text.clone()))),
        Value::Array(list) => joined(list),
        Value::Object(map) => ["message", "msg", "detail", "error"]
            .into_iter()
            .find_map(|field| map.get(field).and_then(sentence))
            .map(|message| located(map, message)),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// Mistral has put an object of details into its message as JSON text.
fn nested(text: &str) -> Option<String> {
    if !text.trim_start().starts_with("{\"detail\"") {
        return None;
    }
    sentence(&serde_json::from_str(text).ok()?)
}

/// `body.messages.0.name: Field required`.
fn located(map: &Map<String, Value>, message: String) -> String {
    let place: Vec<_> = map.get("loc").and_then(Value::as_array).into_iter().flatten().collect();
    if place.is_empty() {
        return message;
    }
    let place: Vec<_> = place.into_iter().filter_map(|step| string(Some(step))).collect();
    format!("{}: {message}", place.join("."))
}

fn joined(list: &[Value]) -> Option<String> {
    let sentences: Vec<_> = list.iter().filter_map(sentence).collect();
    Some(text::capped(&sentences.join("; "))).filter(|text| !text.is_empty())
}
