//! Questions about images, in a form or in JSON, understood as the chat call that each of them is: it is routed, falls
//! back, is translated, counted and recorded as any other, and its answer is a chat completion.

mod form;
mod found;
mod given;
mod usual;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

use crate::call::Received;
use crate::config::Config;
use crate::unified::plan::PROVIDER;
use crate::{Error, body};
use given::Given;

/// Where questions are asked, and whether the answer is a stream whatever they say.
const PAGES: [(&str, bool); 2] = [("/v1/vision/analyze", false), ("/v1/vision/stream", true)];

/// How many images a question may be about.
const MOST: usize = 16;

/// A call of the unified API, with a question about images told as chat.
#[derive(Debug)]
pub struct Told {
    /// The request.
    pub received: Received,
    /// The models to try in turn, where a question names none.
    pub chain: Vec<String>,
}

/// Tells a question about images as chat, and leaves every other call as it is. `own_key`: the client brings a
/// provider's key.
///
/// # Errors
/// [`Error::Unfit`] for what is no question about images, [`Error::TooLarge`], and [`Error::NotConfigured`] where there
/// is no model to ask.
pub fn told(received: Received, path: &str, config: &Config, own_key: bool) -> Result<Told, Error> {
    let page = PAGES.iter().find(|(page, _)| *page == path && received.method == Method::POST);
    let Some((_, stream)) = page else { return Ok(Told { received, chain: Vec::new() }) };
    let mut question = Question::of(&received.headers, &received.body)?;
    let chain = if question.names_a_model()? {
        Vec::new()
    } else {
        let named = received.headers.contains_key(PROVIDER)
            || question.fields.get("provider").is_some_and(Value::is_string);
        usual::models(config, own_key, named)?
    };
    if let Some(first) = chain.first() {
        question.fields.insert("model".to_owned(), first.as_str().into());
    }
    if *stream {
        question.fields.insert("stream".to_owned(), true.into());
    }
    let body = question.chat(config)?;
    Ok(Told { received: rewritten(received, body), chain })
}

/// The request with another body. Its path stays, for the log and for tokens that are bound to paths.
fn rewritten(mut received: Received, body: Bytes) -> Received {
    received.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    received.headers.remove(CONTENT_ENCODING);
    Received { body, query: None, ..received }
}

/// A question as it came: its fields, and the files of a form.
#[derive(Debug, Default)]
struct Question {
    fields: Map<String, Value>,
    files: Vec<Given>,
}

impl Question {
    fn of(headers: &HeaderMap, body: &Bytes) -> Result<Self, Error> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.to_ascii_lowercase().starts_with("multipart/") {
            return form::read(kind, body);
        }
        let fields = serde_json::from_slice(body).map_err(|_| neither())?;
        Ok(Self { fields, files: Vec::new() })
    }

    fn names_a_model(&self) -> Result<bool, Error> {
        Ok(self.text("model")?.is_some())
    }

    /// A field that has to be text; none where it is empty or `null`.
    fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
            Some(_) => Err(Error::unfit("invalid_value", Some(name), format!("`{name}` has to be a string"))),
        }
    }

    /// The body of the chat call. What is not about images is chat's own, and passes as it is.
    fn chat(mut self, config: &Config) -> Result<Bytes, Error> {
        if self.fields.contains_key("messages") {
            return Err(Error::unfit(
                "unsupported_parameter",
                Some("messages"),
                "`messages` belongs to /v1/chat/completions; here a question has a `prompt` and images",
            ));
        }
        let messages = self.messages(config.most_image())?;
        for ours in ["prompt", "system", "detail", "image_url", "image_base64", "images"] {
            self.fields.remove(ours);
        }
        self.fields.insert("messages".to_owned(), messages);
        let body = body::json(&self.fields.into());
        let limit = config.limits.request;
        if body.len() > limit {
            let what = "The request, in which images are base64,".to_owned();
            return Err(Error::TooLarge { what, size: body.len(), limit, setting: "MAX_REQUEST_SIZE" });
        }
        Ok(body)
    }

    fn messages(&mut self, most: usize) -> Result<Value, Error> {
        let images = self.images()?;
        let usual = if images.len() == 1 { "Describe the image." } else { "Describe the images." };
        let prompt = self.text("prompt")?.unwrap_or(usual);
        let detail = self.text("detail")?;
        let mut parts = vec![json!({ "type": "text", "text": prompt })];
        for image in images {
            parts.push(image.part(detail, most)?);
        }
        let system = self.text("system")?.map(|system| json!({ "role": "system", "content": system }));
        let user = json!({ "role": "user", "content": parts });
        Ok(system.into_iter().chain([user]).collect())
    }

    /// Every image, those that came as files first.
    fn images(&mut self) -> Result<Vec<Given>, Error> {
        let mut images = std::mem::take(&mut self.files);
        for name in ["image_url", "image_base64", "images"] {
            given::named(name, self.fields.get(name), &mut images)?;
        }
        match images.len() {
            0 => Err(no_image()),
            1..=MOST => Ok(images),
            many => {
                let message = format!("There are {many} images; a question is about {MOST} at most");
                Err(Error::unfit("too_many_images", Some("images"), message))
            }
        }
    }
}

fn no_image() -> Error {
    Error::unfit(
        "missing_required_parameter",
        Some("image_url"),
        "There is no image: send a `file` in a form, or `image_url`, `image_base64` or `images` in JSON",
    )
}

fn neither() -> Error {
    Error::unfit(
        "invalid_json",
        None,
        "The body is neither a form (multipart/form-data) with a `file` nor a JSON object with `image_url`, \
         `image_base64` or `images`",
    )
}

#[cfg(test)]
mod tests;
