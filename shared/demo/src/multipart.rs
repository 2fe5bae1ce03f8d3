//! Takes a multipart form apart without copying the files in it.

use bytes::Bytes;
use memchr::memmem;

use crate::call::Call;
use crate::error::Refusal;

/// One field of a form.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) data: Bytes,
}

/// The fields of a call's form.
pub(crate) struct Form(Vec<Part>);

impl Form {
    pub(crate) fn read(call: &Call) -> Result<Self, Refusal> {
        let kind = call.header("content-type").unwrap_or_default();
        let boundary =
            boundary(kind).ok_or_else(|| Refusal::bad_request("Expected a multipart/form-data body."))?;
        let parts = parts(&call.body, boundary);
        parts.map(Self).ok_or_else(|| Refusal::bad_request("Could not parse the multipart form."))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.part(name).map(|part| String::from_utf8_lossy(&part.data).into_owned())
    }

    /// The file of this name, or the first of a list of them.
    pub(crate) fn file(&self, name: &'static str) -> Result<&Part, Refusal> {
        self.part(name).ok_or_else(|| Refusal::missing(name))
    }

    fn part(&self, name: &str) -> Option<&Part> {
        self.0.iter().find(|part| part.name == name || part.name.strip_suffix("[]") == Some(name))
    }
}

fn boundary(kind: &str) -> Option<&str> {
    let parameters = kind.strip_prefix("multipart/form-data")?;
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    Some(boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

/// The parts between the delimiters; `None` when the last delimiter never comes.
fn parts(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("--{boundary}");
    let next = format!("\r\n{delimiter}");
    let finder = memmem::Finder::new(&next);
    let mut rest = body.slice(memmem::find(body, delimiter.as_bytes())? + delimiter.len()..);
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let end = finder.find(&rest)?;
        parts.push(part(&rest.slice(..end))?);
        rest = rest.slice(end + next.len()..);
    }
    Some(parts)
}

fn part(bytes: &Bytes) -> Option<Part> {
    let split = memmem::find(bytes, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let disposition =
        head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let name = parameter(disposition, "name")?;
    Some(Part { name, filename: parameter(disposition, "filename"), data: bytes.slice(split + 4..) })
}

fn parameter(line: &str, name: &str) -> Option<String> {
    let value = line.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a b.txt\"\r\ncontent-type: text/plain\r\n\r\n\
        one\r\n\r\n--two\r\n--x--\r\n";

    #[test]
    fn a_form_is_taken_apart_to_the_byte() {
        let parts = parts(&Bytes::from_static(FORM.as_bytes()), "x").unwrap();
        let told: Vec<_> =
            parts.iter().map(|part| (&*part.name, part.filename.as_deref(), &part.data[..])).collect();
        assert_eq!(told, [("purpose", None, &b"batch"[..]), ("file", Some("a b.txt"), b"one\r\n\r\n--two")]);
    }

    #[test]
    fn a_form_that_breaks_off_is_none() {
        for end in 1..FORM.len() - 4 {
            assert!(parts(&Bytes::from_static(&FORM.as_bytes()[..end]), "x").is_none(), "{end}");
        }
    }

    #[test]
    fn a_boundary_may_be_quoted() {
        assert_eq!(boundary("multipart/form-data; charset=utf-8; boundary=\"a b\""), Some("a b"));
        assert_eq!(boundary("application/json"), None);
    }
}
