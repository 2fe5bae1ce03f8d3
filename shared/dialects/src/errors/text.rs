//! Makes a short, plain sentence of what a proxy or a provider says in HTML, in text, or at great length.

/// The longest message that is passed on. Some providers quote the whole request in theirs.
const LONGEST_MESSAGE: usize = 4096;

/// How much of a body that is no JSON is shown.
const LONGEST_TEXT: usize = 300;

/// A message, cut to a length that fits into a log and a dialog.
pub(super) fn capped(message: &str) -> String {
    cut(message.trim(), LONGEST_MESSAGE)
}

/// The beginning of a page or a text, without tags, on one line.
pub(super) fn plain(body: &[u8]) -> String {
    // A page's words may stand behind much script and style; what is beyond is cut off anyway.
    let body = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    let words = without_tags(&body);
    cut(&words.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST_TEXT)
}

fn cut(text: &str, longest: usize) -> String {
    let mut kept: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(longest).collect();
    if text.chars().nth(longest).is_some() {
        kept.push('…');
    }
    kept
}

/// The text between tags. A `<` that opens no tag stays.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag = &rest[start..];
        if !opens_tag(tag) {
            text.push('<');
            rest = &tag[1..];
            continue;
        }
        text.push(' ');
        rest = after(tag);
    }
    text.push_str(rest);
    text
}

fn opens_tag(text: &str) -> bool {
    text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?')
}

/// What follows a tag; after the whole element, where its content is for machines.
fn after(tag: &str) -> &str {
    let end = [("<script", "</script"), ("<style", "</style"), ("<!--", "-->")]
        .into_iter()
        .find(|(open, _)| starts_with(tag, open))
        .map_or(Some(0), |(_, close)| find(tag, close));
    let from = end.unwrap_or(tag.len());
    tag[from..].find('>').map_or("", |close| &tag[from + close + 1..])
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}
