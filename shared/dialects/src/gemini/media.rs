//! Media in requests and replies: data URLs, and what a name's ending says of its kind.

/// A data URL in base64, taken apart without copying what may be megabytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DataUrl {
    /// The kind of media, in lower case, never empty.
    pub(crate) mime: String,
    /// The bytes in base64.
    pub(crate) data: String,
}

impl DataUrl {
    /// Takes a data URL apart; what is none, or is not in base64, comes back.
    pub(crate) fn parse(mut url: String) -> Result<Self, String> {
        let Some((mime, start)) = read_head(&url) else { return Err(url) };
        url.drain(..start);
        Ok(Self { mime, data: url })
    }

    /// The URL.
    pub(crate) fn write(self) -> String {
        let mut url = self.data;
        url.insert_str(0, &format!("data:{};base64,", self.mime));
        url
    }

    /// With the alphabet that everyone reads: google-genai writes base64 with `-` and `_`, as Google allows.
    pub(crate) fn in_common_alphabet(self) -> Self {
        if !self.data.contains(['-', '_']) {
            return self;
        }
        let common = |letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        };
        Self { data: self.data.chars().map(common).collect(), mime: self.mime }
    }
}

/// The kind of media and where the data begins.
fn read_head(url: &str) -> Option<(String, usize)> {
    let comma = url.find(',')?;
    let head = url[..comma].strip_prefix("data:")?.strip_suffix(";base64")?;
    let mime = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // A mime of anything else could end the URL early when it is put together again.
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-._".contains(&byte);
    (mime.contains('/') && mime.bytes().all(sane)).then(|| (known(mime), comma + 1))
}

/// `image/jpg` is what many write, and no provider knows.
fn known(mime: String) -> String {
    if mime == "image/jpg" { "image/jpeg".to_owned() } else { mime }
}

/// Endings of names, and the kinds of media they stand for.
const ENDINGS: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
];

/// What a file's name or URL says of its kind.
pub(crate) fn mime_of_name(name: &str) -> Option<&'static str> {
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let (_, ending) = path.rsplit('/').next().unwrap_or_default().rsplit_once('.')?;
    ENDINGS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, mime)| *mime)
}

#[cfg(test)]
mod tests {
    use super::{DataUrl, mime_of_name};

    #[test]
    fn data_urls_are_taken_apart() {
        let check = |url: &str, expected: Option<(&str, &str)>| {
            let parsed = DataUrl::parse(url.to_owned());
            let parsed = parsed.as_ref().ok().map(|found| (found.mime.as_str(), found.data.as_str()));
            assert_eq!(parsed, expected, "{url}");
        };
        check("data:image/png;base64,AAAA", Some(("image/png", "AAAA")));
        check("data:image/jpg;base64,AAAA", Some(("image/jpeg", "AAAA")));
        check("data:IMAGE/PNG;charset=utf-8;base64,AA==", Some(("image/png", "AA==")));
        check("data:text/plain,hello", None);
        check("data:;base64,AAAA", None);
        check("data:image/png;base64", None);
        check("https://example.com/a.png", None);
        check("data:image/p\u{e9}g;base64,AAAA", None);
    }

    #[test]
    fn a_data_url_is_put_together_again() {
        let url = "data:image/png;base64,A-_A";
        let parsed = DataUrl::parse(url.to_owned()).unwrap();
        assert_eq!(parsed.in_common_alphabet().write(), "data:image/png;base64,A+/A");
    }

    #[test]
    fn a_names_ending_says_what_it_is() {
        let check = |name: &str, expected| assert_eq!(mime_of_name(name), expected, "{name}");
        check("https://example.com/a.PNG?size=2#x", Some("image/png"));
        check("gs://bucket/b.jpg", Some("image/jpeg"));
        check("report.pdf", Some("application/pdf"));
        check("https://example.com/v1.2/noending", None);
        check("", None);
    }
}
