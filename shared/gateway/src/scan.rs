//! Finds out whether a JSON body asks for a stream, without building a tree of it.
//!
//! Every body of every call is looked at once on its way, so this walks the bytes a single time, hops over strings with
//! `memchr` and keeps a depth counter where a parser would keep a tree: a 4 MB body with a base64 image costs about what
//! reading its memory costs.

use memchr::memchr2;

/// Whether the top-level object of `body` has `"stream": true`.
///
/// For valid JSON this is exactly what `serde_json` would find: the last of duplicate keys counts, keys may be escaped,
/// and a `stream` in a nested object does not count. Bodies that are not JSON objects do not ask for a stream.
#[must_use]
pub fn asks_for_stream(body: &[u8]) -> bool {
    let mut scan = Scan { rest: body };
    if scan.next_token() != Some(b'{') {
        return false;
    }
    let mut asked = false;
    while let Some(key) = scan.next_key() {
        let is_stream = key.is("stream");
        match scan.value() {
            Some(is_true) if is_stream => asked = is_true,
            Some(_) => {}
            None => return false,
        }
    }
    asked
}

/// A cursor over the bytes not looked at yet.
struct Scan<'a> {
    rest: &'a [u8],
}

/// The inside of a JSON string, with its escapes still in.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn is(&self, wanted: &str) -> bool {
        if !self.0.contains(&b'\\') {
            return self.0 == wanted.as_bytes();
        }
        let quoted = [b"\"", self.0, b"\""].concat();
        serde_json::from_slice::<String>(&quoted).is_ok_and(|text| text == wanted)
    }
}

impl<'a> Scan<'a> {
    /// The next byte that is not white space, taken.
    fn next_token(&mut self) -> Option<u8> {
        let at = self.rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))?;
        let token = self.rest[at];
        self.rest = &self.rest[at + 1..];
        Some(token)
    }

    /// The next key of the top-level object, up to and with its colon; `None` where the object ends.
    fn next_key(&mut self) -> Option<Text<'a>> {
        let mut token = self.next_token()?;
        if token == b',' {
            token = self.next_token()?;
        }
        if token != b'"' {
            return None;
        }
        let key = self.string()?;
        (self.next_token()? == b':').then_some(key)
    }

    /// The rest of a string whose opening quote has been taken.
    fn string(&mut self) -> Option<Text<'a>> {
        let mut at = 0;
        loop {
            at += memchr2(b'"', b'\\', &self.rest[at..])?;
            if self.rest[at] == b'"' {
                let inside = &self.rest[..at];
                self.rest = &self.rest[at + 1..];
                return Some(Text(inside));
            }
            at += 2;
            if at > self.rest.len() {
                return None;
            }
        }
    }

    /// Steps over a value; tells whether it was `true`.
    fn value(&mut self) -> Option<bool> {
        match self.next_token()? {
            b'"' => self.string().map(|_| false),
            b'{' | b'[' => self.nested().map(|()| false),
            first => Some(self.literal(first)),
        }
    }

    /// Steps over the rest of an object or array. Strings are hopped over, so that brackets inside them do not count.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            depth = match self.next_bracket()? {
                b'"' => self.string().map(|_| depth)?,
                b'{' | b'[' => depth + 1,
                _ => depth - 1,
            };
        }
        Some(())
    }

    /// The next quote or bracket, taken. One look at each byte: searching for some of the five first would look at
    /// a long run of the others again and again.
    fn next_bracket(&mut self) -> Option<u8> {
        let at = self.rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))?;
        let found = self.rest[at];
        self.rest = &self.rest[at + 1..];
        Some(found)
    }

    /// Steps over a number, `true`, `false` or `null` that begins with `first`.
    fn literal(&mut self, first: u8) -> bool {
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (literal, rest) = self.rest.split_at(end);
        self.rest = rest;
        first == b't' && literal == b"rue"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::asks_for_stream;

    #[test]
    fn the_flag_is_found_however_it_is_written() {
        for body in [
            r#"{"stream":true}"#,
            r#" { "model" : "m" , "stream" : true } "#,
            "{\n\t\"stream\"\r\n:\n\ttrue\n}",
            r#"{"messages":[{"role":"user","content":"\"}]"}],"stream":true}"#,
            r#"{"s\u0074ream":true}"#,
            r#"{"stream":false,"stream":true}"#,
            r#"{"a":1,"b":-2.5e3,"c":null,"stream":true,"d":[]}"#,
        ] {
            assert!(asks_for_stream(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn nothing_else_counts_as_the_flag() {
        for body in [
            "",
            "{}",
            "[]",
            "true",
            r#"[{"stream":true}]"#,
            r#"{"stream":false}"#,
            r#"{"stream":"true"}"#,
            r#"{"stream":1}"#,
            r#"{"stream":[true]}"#,
            r#"{"options":{"stream":true}}"#,
            r#"{"text":"\"stream\": true"}"#,
            r#"{"stream":true,"stream":false}"#,
            r#"{"stream_options":true}"#,
            r#"{"Stream":true}"#,
            r#"{"stream":trueish}"#,
            r#"{"text":"\"#,
        ] {
            assert!(!asks_for_stream(body.as_bytes()), "{body}");
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let text = "(stream|true|[\"\\\\{}\\[\\]:, ]|\\PC){0,6}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("(stream|[a-z\"\\\\]{0,6})", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    /// An object written by hand, so that duplicate keys and odd spacing survive.
    fn json_object() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            Just(r#""stream""#.to_owned()),
            Just(r#""\u0073tream""#.to_owned()),
            "\"[a-z]{1,6}\""
        ];
        let value = prop_oneof![Just(json!(true)), Just(json!(false)), json_value(),];
        let pair = (key, "[ \t\r\n]{0,2}", "[ \t\r\n]{0,2}", value)
            .prop_map(|(key, before, after, value)| format!("{before}{key}{after}:{before}{value}{after}"));
        prop::collection::vec(pair, 0..6).prop_map(|pairs| format!("{{{}}}", pairs.join(",")))
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(body in json_object()) {
            let parsed: Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(asks_for_stream(body.as_bytes()), parsed["stream"] == json!(true), "{}", body);
        }

        #[test]
        fn any_bytes_are_stepped_over_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = asks_for_stream(&body);
        }

        #[test]
        fn any_cut_of_a_body_is_stepped_over_without_a_panic(body in json_object(), cut in 0_usize..200) {
            let _ = asks_for_stream(&body.as_bytes()[..cut.min(body.len())]);
        }
    }
}
