//! The models that a multipart form names, read as strictly as it takes to know that a provider reads the same.

use memchr::memmem;

/// The values of every field named `model`; `None` where the form is not in the plain shape that all SDKs send, and a
/// provider might find another model in it than we do.
#[must_use]
pub(super) fn models(kind: &str, body: &[u8]) -> Option<Vec<String>> {
    let boundary = boundary(kind)?;
    let line = format!("--{boundary}");
    let first = body.strip_prefix(line.as_bytes())?;
    let between = format!("\r\n{line}");
    let mut models = Vec::new();
    let mut rest = first;
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let end = memmem::find(part, between.as_bytes())?;
        models.extend(model(&part[..end])?);
        rest = &part[end + between.len()..];
    }
    Some(models)
}

fn boundary(kind: &str) -> Option<&str> {
    let (_, boundary) = kind.split_once("boundary=")?;
    let boundary = boundary.split(';').next().unwrap_or(boundary).trim().trim_matches('"');
    (!boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
}

/// The value of a part that is the field `model`, or nothing of any other part; `None` where that cannot be told.
fn model(part: &[u8]) -> Option<Option<String>> {
    let end = memmem::find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..end]).ok()?;
    let is_disposition = |line: &&str| line.to_ascii_lowercase().starts_with("content-disposition:");
    let mut dispositions = head.split("\r\n").filter(is_disposition);
    let (Some(disposition), None) = (dispositions.next(), dispositions.next()) else { return None };
    let name = name(disposition)?;
    if !name.trim().eq_ignore_ascii_case("model") {
        return Some(None);
    }
    String::from_utf8(part[end + 4..].to_vec()).ok().map(Some)
}

/// The field's name: quoted, without an escape, once.
fn name(disposition: &str) -> Option<&str> {
    let mut names = disposition.match_indices("name").filter(|(at, _)| {
        // Not the end of `filename`.
        !disposition[..*at].ends_with(|before: char| before.is_ascii_alphanumeric())
    });
    let ((at, _), None) = (names.next()?, names.next()) else { return None };
    let value = disposition[at..].strip_prefix("name=\"")?;
    let (name, rest) = value.split_once('"')?;
    let plain = !name.contains(['\\', '%']) && (rest.is_empty() || rest.starts_with(';'));
    plain.then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::models;

    const KIND: &str = "multipart/form-data; boundary=x";

    fn form(parts: &[(&str, &str)]) -> String {
        let part = |(head, value): &(&str, &str)| format!("--x\r\n{head}\r\n\r\n{value}\r\n");
        format!("{}--x--\r\n", parts.iter().map(part).collect::<String>())
    }

    fn check(parts: &[(&str, &str)], expected: Option<&[&str]>) {
        let found = models(KIND, form(parts).as_bytes());
        let expected = expected.map(|list| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(found, expected, "{parts:?}");
    }

    const MODEL: &str = "Content-Disposition: form-data; name=\"model\"";
    const FILE: &str =
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg";

    #[test]
    fn every_model_that_a_form_names_is_found() {
        check(&[(FILE, "abc"), (MODEL, "whisper-1")], Some(&["whisper-1"]));
        check(&[(MODEL, "a"), (MODEL, "b")], Some(&["a", "b"]));
        check(&[(FILE, "abc")], Some(&[]));
        let decoy = "name=\"model\"\r\n\r\ncheap\r\n";
        check(&[(FILE, decoy), (MODEL, "dear")], Some(&["dear"]));
        check(&[("content-disposition: form-data; name=\"MODEL\"", "dear")], Some(&["dear"]));
    }

    #[test]
    fn what_somebody_else_might_read_otherwise_is_not_read() {
        for head in [
            "Content-Disposition: form-data; name=model",
            "Content-Disposition: form-data; name=\"mod\\el\"",
            "Content-Disposition: form-data; name=\"a\"; name=\"model\"",
            "Content-Disposition: form-data; name*=utf-8''model",
            "Content-Type: text/plain",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"model\"",
        ] {
            check(&[(head, "dear")], None);
        }
        for (kind, body) in [
            ("multipart/form-data", form(&[(MODEL, "a")])),
            (KIND, "--x\r\n".to_owned()),
            (KIND, String::new()),
        ] {
            assert_eq!(models(kind, body.as_bytes()), None, "{kind} {body:?}");
        }
    }

    proptest! {
        #[test]
        fn no_form_panics(body in "(--x|\r\n|name=|\"|model|;|[a-z:]|--){0,30}") {
            let _ = models(KIND, body.as_bytes());
        }
    }
}
