//! Where a request holds its images, in the formats that name them by URL: chat, responses, messages.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::unified::fetch::{Picture, Trouble};

/// Shows every place of an image to `see`, with its name: the text of a URL, or a `source` of Anthropic's.
///
/// Only where images can be is looked: the arguments of a tool, or its schema, may have fields of the same names.
pub(super) fn visit(body: &mut Value, see: &mut impl FnMut(String, &mut Value)) {
    for list in ["messages", "input"] {
        for (at, item) in elements(body, list) {
            visit_item(item, &format!("{list}[{at}]"), see);
        }
    }
}

/// A message, or something else with parts: what a tool gave back is such a thing within one.
fn visit_item(item: &mut Value, path: &str, see: &mut impl FnMut(String, &mut Value)) {
    for list in ["content", "output", "images"] {
        for (at, part) in elements(item, list) {
            visit_part(part, &format!("{path}.{list}[{at}]"), see);
        }
    }
}

fn visit_part(part: &mut Value, path: &str, see: &mut impl FnMut(String, &mut Value)) {
    if let Some(url) = part.pointer_mut("/image_url/url") {
        see(format!("{path}.image_url.url"), url);
    } else if let Some(url) = part.get_mut("image_url") {
        see(format!("{path}.image_url"), url);
    } else if part["type"] == "image"
        && let Some(source) = part.get_mut("source")
    {
        see(format!("{path}.source.url"), source);
    } else {
        visit_item(part, path, see);
    }
}

fn elements<'a>(value: &'a mut Value, list: &str) -> impl Iterator<Item = (usize, &'a mut Value)> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().enumerate()
}

/// The URL that a place names, where it is one of the web.
pub(super) fn link(place: &Value) -> Option<&str> {
    let url = match place {
        Value::String(url) => url,
        place if place["type"] == "url" => place["url"].as_str()?,
        _ => return None,
    };
    let begins =
        |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (begins("https://") || begins("http://")).then_some(url)
}

/// Puts an image itself into its place.
pub(super) fn show(place: &mut Value, picture: &Picture) {
    let (mime, data) = (picture.kind.mime(), STANDARD.encode(&picture.bytes));
    *place = match place {
        Value::String(_) => format!("data:{mime};base64,{data}").into(),
        _ => json!({ "type": "base64", "media_type": mime, "data": data }),
    };
}

/// How long the text of an image is.
pub(super) fn size_in_base64(picture: &Picture) -> usize {
    picture.bytes.len().div_ceil(3) * 4
}

/// The image in a data URL.
///
/// # Errors
/// [`Trouble::NoImage`].
pub(super) fn picture(url: &str) -> Result<Picture, Trouble> {
    let data = url.split_once(',').filter(|(head, _)| is_data(head)).map(|(_, data)| data);
    let data = data.ok_or(Trouble::NoImage)?.trim_end_matches('=');
    // Google's clients write the alphabet of URLs.
    let alphabet = if data.contains(['-', '_']) { URL_SAFE_NO_PAD } else { STANDARD_NO_PAD };
    Picture::of(alphabet.decode(data).map_err(|_| Trouble::NoImage)?.into())
}

fn is_data(head: &str) -> bool {
    let head = head.to_ascii_lowercase();
    head.starts_with("data:") && head.ends_with(";base64")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::{link, picture, show, visit};
    use crate::unified::fetch::{Kind, Picture};

    fn check(mut body: Value, expected: &[(&str, &str)]) {
        let mut found = Vec::new();
        visit(&mut body, &mut |param, place| {
            found.extend(link(place).map(|url| (param, url.to_owned())));
        });
        let found: Vec<_> = found.iter().map(|(param, url)| (param.as_str(), url.as_str())).collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn images_are_found_where_each_format_has_them() {
        let chat = json!({ "type": "image_url", "image_url": { "url": "https://a/1" } });
        check(
            json!({ "messages": [{ "content": "x" }, { "content": [{ "type": "text" }, chat], "images": [chat] }] }),
            &[
                ("messages[1].content[1].image_url.url", "https://a/1"),
                ("messages[1].images[0].image_url.url", "https://a/1"),
            ],
        );
        let input = json!({ "type": "input_image", "image_url": "HTTP://a/2" });
        check(
            json!({ "input": [{ "role": "user", "content": [input] }, { "type": "function_call_output", "output": [input] }] }),
            &[
                ("input[0].content[0].image_url", "HTTP://a/2"),
                ("input[1].output[0].image_url", "HTTP://a/2"),
            ],
        );
        let image = json!({ "type": "image", "source": { "type": "url", "url": "https://a/3" } });
        check(
            json!({ "messages": [{ "content": [image, { "type": "tool_result", "content": [image] }] }] }),
            &[
                ("messages[0].content[0].source.url", "https://a/3"),
                ("messages[0].content[1].content[0].source.url", "https://a/3"),
            ],
        );
    }

    #[test]
    fn what_only_looks_like_an_image_is_left_alone() {
        let image = json!({ "type": "image_url", "image_url": { "url": "https://a/1" } });
        check(json!({ "tools": [image], "metadata": { "content": [image] } }), &[]);
        check(
            json!({ "messages": [{ "content": [{ "type": "tool_use", "input": { "image_url": "https://a" } }] }] }),
            &[],
        );
        for url in ["data:image/png;base64,AAAA", "gs://bucket/a.png", "ftp://a/b", "https:", ""] {
            check(json!({ "messages": [{ "content": [{ "image_url": { "url": url } }] }] }), &[]);
        }
        for odd in
            [json!({ "messages": 1 }), json!([]), json!({ "input": "hi" }), json!({ "messages": [[1]] })]
        {
            check(odd, &[]);
        }
    }

    #[test]
    fn an_image_takes_the_shape_of_its_place() {
        let gif = Picture::of(Bytes::from_static(b"GIF89a")).unwrap();
        let (mut text, mut source) = (json!("https://a/1"), json!({ "type": "url", "url": "https://a/1" }));
        show(&mut text, &gif);
        show(&mut source, &gif);
        assert_eq!(text, "data:image/gif;base64,R0lGODlh");
        assert_eq!(source, json!({ "type": "base64", "media_type": "image/gif", "data": "R0lGODlh" }));
    }

    #[test]
    fn data_urls_are_read_by_their_bytes() {
        for url in
            ["data:image/png;base64,R0lGODlh", "DATA:;x=y;BASE64,R0lGODlhAA==", "data:a;base64,R0lGODlh-_8"]
        {
            assert_eq!(picture(url).expect(url).kind, Kind::Gif, "{url}");
        }
        for url in
            ["data:image/gif,GIF89a", "data:image/gif;base64,!!", "R0lGODlh", "data:image/gif;base64,AAAA"]
        {
            assert!(picture(url).is_err(), "{url}");
        }
    }
}
