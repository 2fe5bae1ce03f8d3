//! An image as a client gives it: a file, a URL, or base64 with or without a data URL around it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::found;
use crate::Error;
use crate::unified::fetch::Kind;

/// How closely a model may be asked to look.
const DETAILS: [&str; 3] = ["low", "auto", "high"];
/// The fields of an object in which the image itself is.
const PLACES: [&str; 5] = ["url", "image_url", "image_base64", "base64", "data"];

/// An image that a question is about.
#[derive(Debug, PartialEq)]
pub(super) struct Given {
    /// Where it stands, for errors.
    at: String,
    source: Source,
    detail: Option<String>,
}

#[derive(Debug, PartialEq)]
enum Source {
    File(Bytes),
    Text(String),
}

/// Adds the images that a field of JSON names: one or a list, each a text or an object with a text.
///
/// # Errors
/// [`Error::Unfit`].
pub(super) fn named(name: &str, value: Option<&Value>, images: &mut Vec<Given>) -> Result<(), Error> {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => {
            for (at, value) in list.iter().enumerate() {
                images.push(Given::told(format!("{name}[{at}]"), value)?);
            }
        }
        Some(value) => images.push(Given::told(name.to_owned(), value)?),
    }
    Ok(())
}

impl Given {
    /// A file of a form.
    pub(super) fn file(at: String, bytes: Bytes) -> Self {
        Self { at, source: Source::File(bytes), detail: None }
    }

    fn told(at: String, value: &Value) -> Result<Self, Error> {
        match value {
            Value::String(text) => Ok(Self { at, source: Source::Text(text.clone()), detail: None }),
            Value::Object(fields) => Self::of_object(at, fields),
            _ => Err(unfit("invalid_value", &at, "an image is a string or an object with a `url`")),
        }
    }

    /// `{"url", "detail"}`, or the part of a chat message that holds such an object.
    fn of_object(at: String, fields: &Map<String, Value>) -> Result<Self, Error> {
        let place = PLACES.iter().find_map(|name| fields.get(*name).filter(|value| !value.is_null()));
        let text = match place {
            Some(Value::Object(inner)) if !inner.values().any(Value::is_object) => {
                return Self::of_object(at, inner);
            }
            Some(Value::String(text)) => text.clone(),
            _ => return Err(unfit("invalid_value", &at, "the object has no `url` that is a string")),
        };
        let detail = match fields.get("detail") {
            None | Some(Value::Null) => None,
            Some(detail) => Some(detail.as_str().unwrap_or_default().to_owned()),
        };
        Ok(Self { at, source: Source::Text(text), detail })
    }

    /// The image as a part of a chat message. `detail` holds where the image says nothing itself.
    ///
    /// # Errors
    /// [`Error::Unfit`] for what is no image, [`Error::TooLarge`] for one of more than `most` bytes.
    pub(super) fn part(self, detail: Option<&str>, most: usize) -> Result<Value, Error> {
        let mut image = json!({ "url": self.url(most)? });
        if let Some(detail) = self.detail.as_deref().or(detail) {
            if !DETAILS.contains(&detail) {
                return Err(Error::unfit(
                    "invalid_value",
                    Some("detail"),
                    "`detail` is one of low, auto and high",
                ));
            }
            image["detail"] = detail.into();
        }
        Ok(json!({ "type": "image_url", "image_url": image }))
    }

    /// Where a provider finds it: a link as it is, else the image itself, its type told by its bytes.
    fn url(&self, most: usize) -> Result<String, Error> {
        let bytes = match &self.source {
            Source::Text(text) if is_link(text) => return Ok(text.clone()),
            Source::Text(text) => Cow::Owned(decoded(text).ok_or_else(|| self.unreadable())?),
            Source::File(bytes) => Cow::Borrowed(&bytes[..]),
        };
        if bytes.len() > most {
            let what = format!("The image `{}`", self.at);
            return Err(Error::TooLarge { what, size: bytes.len(), limit: most, setting: "MAX_IMAGE_SIZE" });
        }
        let kind = Kind::of(&bytes).ok_or_else(|| self.no_image(found::name(&bytes)))?;
        Ok(format!("data:{};base64,{}", kind.mime(), STANDARD.encode(&bytes)))
    }

    fn unreadable(&self) -> Error {
        unfit("invalid_value", &self.at, "this is neither an http(s) URL nor base64, in a data URL or alone")
    }

    fn no_image(&self, found: &str) -> Error {
        let told = format!("this is {found}; images are JPEG, PNG, WebP or GIF, whatever they are called");
        unfit("unsupported_image_type", &self.at, &told)
    }
}

fn unfit(code: &'static str, at: &str, told: &str) -> Error {
    Error::unfit(code, Some(at), format!("`{at}`: {told}"))
}

fn is_link(text: &str) -> bool {
    let begins =
        |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

/// The bytes behind base64. What a data URL calls them is not believed, and lines may be broken as `base64` does.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let data = match text.split_once(',') {
        Some((head, data)) => Some(data).filter(|_| is_data(head))?,
        None => text,
    };
    let data: String = data.split_ascii_whitespace().collect();
    let data = data.trim_end_matches('=');
    let alphabet = if data.contains(['-', '_']) { URL_SAFE_NO_PAD } else { STANDARD_NO_PAD };
    alphabet.decode(data).ok()
}

fn is_data(head: &str) -> bool {
    let head = head.trim_start().to_ascii_lowercase();
    head.starts_with("data:") && head.ends_with(";base64")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::{Given, named};
    use crate::Error;

    const GIF: &str = "data:image/gif;base64,R0lGODlhAQ==";

    fn part(value: &Value) -> Result<Value, Error> {
        let mut images = Vec::new();
        named("images", Some(value), &mut images)?;
        images.pop().expect("an image").part(None, 1000)
    }

    fn check(value: &Value, url: &str, detail: Option<&str>) {
        let part = part(value).unwrap_or_else(|error| panic!("{value}: {error}"));
        assert_eq!(part["image_url"]["url"], url, "{value}");
        assert_eq!(part["image_url"]["detail"].as_str(), detail, "{value}");
    }

    #[test]
    fn an_image_may_be_written_in_any_of_the_usual_ways() {
        let link = "https://a.example/b.png";
        check(&json!(link), link, None);
        check(&json!("HTTP://a/b"), "HTTP://a/b", None);
        check(&json!("R0lGODlhAQ=="), GIF, None);
        check(&json!("R0lG\nODlhAQ\n"), GIF, None);
        check(&json!("data:image/png;base64,R0lGODlhAQ"), GIF, None);
        check(&json!(["x", { "url": link, "detail": "low" }]), link, Some("low"));
        check(
            &json!({ "type": "image_url", "image_url": { "url": link, "detail": "high" } }),
            link,
            Some("high"),
        );
        check(&json!({ "image_url": link, "detail": "auto" }), link, Some("auto"));
        check(&json!({ "type": "base64", "media_type": "image/png", "data": "R0lGODlhAQ" }), GIF, None);
        check(
            &json!({ "image_base64": "R0lGODlh-_8", "url": null }),
            "data:image/gif;base64,R0lGODlh+/8=",
            None,
        );
    }

    #[test]
    fn what_is_no_image_is_refused_with_its_place() {
        for (value, code, word) in [
            (json!(7), "invalid_value", "images"),
            (json!([GIF, {}]), "invalid_value", "images[1]"),
            (json!({ "image_url": { "url": { "url": 1 } } }), "invalid_value", "images"),
            (json!("ftp://a/b.png"), "invalid_value", "neither"),
            (json!("data:image/png,abc"), "invalid_value", "neither"),
            (json!(""), "unsupported_image_type", "empty"),
            (json!("JVBERi0xLjc"), "unsupported_image_type", "a PDF document"),
            (json!({ "url": GIF, "detail": "sharp" }), "invalid_value", "low, auto and high"),
            (json!({ "url": GIF, "detail": 1 }), "invalid_value", "low, auto and high"),
        ] {
            let error = part(&value).expect_err(&value.to_string());
            assert_eq!((error.code(), error.status().as_u16()), (code, 400), "{value}");
            assert!(error.to_string().contains(word), "{value}: {error}");
        }
    }

    #[test]
    fn an_image_over_the_limit_is_told_the_limit() {
        let gif = |size: usize| {
            let bytes: Vec<u8> = b"GIF89a".iter().copied().cycle().take(size).collect();
            Given::file("file".to_owned(), Bytes::from(bytes)).part(None, 600)
        };
        assert!(gif(600).is_ok());
        let error = gif(601).unwrap_err();
        assert_eq!((error.status().as_u16(), error.code()), (413, "image_too_large"));
        let told = error.to_string();
        assert!(told.contains("`file` has 601 bytes") && told.contains("600 bytes"), "{told}");
    }
}
