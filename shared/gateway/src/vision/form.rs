//! Reads a question from a form, as pages and `curl -F` send them.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use multer::Multipart;
use serde_json::Value;

use super::Question;
use super::given::Given;
use crate::Error;

/// How many parts a form may have.
const PARTS: usize = 64;

/// Fields that hold text, whatever it looks like.
const TEXTS: [&str; 6] = ["prompt", "system", "model", "detail", "provider", "user"];
/// Fields that name images, and may come several times.
const IMAGES: [&str; 3] = ["image_url", "image_base64", "images"];
/// Fields that hold the bytes of an image even where nobody gave them a file's name.
const FILES: [&str; 3] = ["file", "files", "image"];

/// Reads a form.
///
/// # Errors
/// [`Error::Unfit`].
pub(super) fn read(kind: &str, body: &Bytes) -> Result<Question, Error> {
    let boundary = multer::parse_boundary(kind).map_err(|error| malformed(&error.to_string()))?;
    let whole = stream::iter([Ok::<_, Infallible>(body.clone())]);
    // The library reads as bytes arrive. These are all there, so nothing is ever waited for.
    let read = parts(Multipart::new(whole, boundary)).now_or_never();
    read.unwrap_or_else(|| Err(malformed("it breaks off")))
}

async fn parts(mut form: Multipart<'_>) -> Result<Question, Error> {
    let mut question = Question::default();
    while let Some(field) = form.next_field().await.map_err(|error| malformed(&error.to_string()))? {
        if field.index() >= PARTS {
            return Err(malformed(&format!("it has more than {PARTS} parts")));
        }
        let name = field.name().unwrap_or_default().trim_end_matches("[]").to_owned();
        let file = field.file_name().map(str::to_owned);
        let bytes = field.bytes().await.map_err(|error| malformed(&error.to_string()))?;
        if bytes.is_empty() && file.as_deref().unwrap_or_default().is_empty() {
            // Pages send the fields that nobody filled in as well.
            continue;
        }
        if file.is_some() || FILES.contains(&name.as_str()) {
            question.add_file(name, bytes);
        } else {
            question.add_text(name, &bytes)?;
        }
    }
    Ok(question)
}

impl Question {
    fn add_file(&mut self, name: String, bytes: Bytes) {
        let at = if self.files.is_empty() { name } else { format!("{name}[{}]", self.files.len()) };
        self.files.push(Given::file(at, bytes));
    }

    /// A form knows text only: what is no text of ours is read as JSON, where it is some.
    fn add_text(&mut self, name: String, bytes: &Bytes) -> Result<(), Error> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let message = "A field of the form is not UTF-8; only files may be anything";
            return Err(Error::unfit("invalid_value", Some(&name), message));
        };
        if IMAGES.contains(&name.as_str()) {
            let list = self.fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().into_iter().for_each(|list| list.push(text.into()));
            return Ok(());
        }
        let read = serde_json::from_str(text).ok().filter(|_| !TEXTS.contains(&name.as_str()));
        self.fields.insert(name, read.unwrap_or_else(|| text.into()));
        Ok(())
    }
}

fn malformed(why: &str) -> Error {
    Error::unfit("invalid_form", None, format!("The form cannot be read: {why}"))
}
