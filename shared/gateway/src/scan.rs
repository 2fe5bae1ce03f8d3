//! Finds out what a JSON body asks for, without building a tree of it.
//!
//! Every body of every call is looked at once on its way, so this walks the bytes a single time, hops over strings with
//! `memchr` and keeps a depth counter where a parser would keep a tree: a 4 MB body with a base64 image costs about what
//! reading its memory costs.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// The names that providers have for the most tokens of an answer, at the top of a body.
const LONGEST: [&str; 3] = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
/// The object in which Gemini's clients say it, and the name there.
const GEMINI: (&str, &str) = ("generationConfig", "maxOutputTokens");
/// The names for how many answers there are to be, at the top and in Gemini's object.
const ANSWERS: [&str; 2] = ["n", "best_of"];
const CANDIDATES: &str = "candidateCount";

/// From this length on, a string without a space is no text but a file in it.
const FILE: usize = 1024;
/// The tokens of an image, which is what such files are: OpenAI's count for one of 1024 × 1024 in tiles, the usual size.
const PER_FILE: u64 = 765;
/// The bytes of a token of English text, which is what the providers' own rule of thumb says.
const PER_TOKEN: u64 = 4;

/// What a body asks for, as far as it can be told at a glance. Of a body that is no JSON object nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether the top-level object has `"stream": true`.
    pub stream: bool,
    /// Where the model stands in the body, between its quotes.
    model: Option<Range<usize>>,
    /// The most tokens that the answer may have.
    pub most_tokens: Option<u64>,
    /// How many answers there are to be, where the body says.
    answers: Option<u64>,
    /// The bytes of all strings that are text.
    text: u64,
    /// How many strings are files.
    files: u64,
}

impl Asked {
    /// Looks at a body.
    ///
    /// For valid JSON this is exactly what `serde_json` would find: the last of duplicate keys counts, keys may be
    /// escaped, and what stands in a nested object does not count.
    #[must_use]
    pub fn by(body: &[u8]) -> Self {
        let mut scan = Scan { rest: body, text: 0, files: 0 };
        let mut asked = Self::default();
        if scan.next_token() != Some(b'{') {
            return asked;
        }
        while let Some(key) = scan.next_key() {
            let Some(value) = scan.value() else { return Self::default() };
            asked.note(body, key, &value);
        }
        (asked.text, asked.files) = (scan.text, scan.files);
        asked
    }

    /// The model that `body`, which this was read from, asks for.
    #[must_use]
    pub fn model<'a>(&self, body: &'a [u8]) -> Option<Cow<'a, str>> {
        Text(body.get(self.model.clone()?)?).read()
    }

    /// About how many tokens the prompt has: for limits and budgets, until the provider says how many there were.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        self.text.div_ceil(PER_TOKEN) + self.files * PER_FILE
    }

    /// How many answers there are to be. Each may be as long as one.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.answers.unwrap_or(1).max(1)
    }

    fn note(&mut self, body: &[u8], key: Text<'_>, value: &Value<'_>) {
        match value {
            Value::Literal(literal) if key.is("stream") => self.stream = literal == b"true",
            _ if key.is("stream") => self.stream = false,
            Value::Text(text) if key.is("model") => {
                // The text borrows from the body, so their distance is where it stands.
                let at = text.0.as_ptr() as usize - body.as_ptr() as usize;
                self.model = Some(at..at + text.0.len());
            }
            Value::Literal(literal) if LONGEST.iter().any(|name| key.is(name)) => self.longest(literal),
            Value::Literal(literal) if ANSWERS.iter().any(|name| key.is(name)) => self.most_answers(literal),
            Value::Nested(object) if key.is(GEMINI.0) => self.within(object),
            _ => {}
        }
    }

    /// Of several limits the largest counts, since it is not known which one the provider reads.
    fn longest(&mut self, literal: &[u8]) {
        self.most_tokens = self.most_tokens.max(whole(literal));
    }

    fn most_answers(&mut self, literal: &[u8]) {
        self.answers = self.answers.max(whole(literal));
    }

    /// What Gemini's object says.
    fn within(&mut self, object: &[u8]) {
        let mut scan = Scan { rest: object, text: 0, files: 0 };
        while let Some(key) = scan.next_key() {
            match scan.value() {
                Some(Value::Literal(literal)) if key.is(GEMINI.1) => self.longest(literal),
                Some(Value::Literal(literal)) if key.is(CANDIDATES) => self.most_answers(literal),
                Some(_) => {}
                None => return,
            }
        }
    }
}

/// A number of tokens or answers. Providers take `4096.0` and `4e3`, too.
fn whole(literal: &[u8]) -> Option<u64> {
    let literal = std::str::from_utf8(literal).ok()?;
    let rounded = || literal.parse::<f64>().ok().filter(|number| *number >= 0.0);
    literal.parse().ok().or_else(|| rounded().map(|number| number.ceil() as u64))
}

/// The values of some names at the top of a JSON object, as they stand; `None` where the object is not here whole.
pub(crate) fn top<'a, const N: usize>(body: &'a [u8], names: [&str; N]) -> Option<[Option<&'a [u8]>; N]> {
    let mut scan = Scan { rest: body, text: 0, files: 0 };
    let mut found = [None; N];
    if scan.next_token()? != b'{' {
        return None;
    }
    while scan.peek()? != b'}' {
        let key = scan.next_key()?;
        scan.peek()?;
        let whole = scan.rest;
        scan.value()?;
        if let Some(at) = names.iter().position(|name| key.is(name)) {
            found[at] = Some(whole[..whole.len() - scan.rest.len()].trim_ascii_end());
        }
    }
    scan.next_token()?;
    scan.peek().is_none().then_some(found)
}

/// A cursor over the bytes not looked at yet.
struct Scan<'a> {
    rest: &'a [u8],
    /// The bytes of the strings so far that are text.
    text: u64,
    /// How many of the strings so far are files.
    files: u64,
}

/// A value at the top of a body.
enum Value<'a> {
    Text(Text<'a>),
    /// A number, `true`, `false` or `null`.
    Literal(&'a [u8]),
    /// An object or an array, whole.
    Nested(&'a [u8]),
}

/// The inside of a JSON string, with its escapes still in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn is(self, wanted: &str) -> bool {
        if !self.0.contains(&b'\\') {
            return self.0 == wanted.as_bytes();
        }
        self.read().is_some_and(|text| text == wanted)
    }

    fn read(self) -> Option<Cow<'a, str>> {
        if !self.0.contains(&b'\\') {
            return std::str::from_utf8(self.0).ok().map(Cow::Borrowed);
        }
        let quoted = [b"\"", self.0, b"\""].concat();
        serde_json::from_slice(&quoted).ok().map(Cow::Owned)
    }

    fn is_file(self) -> bool {
        self.0.len() >= FILE && !self.0[..FILE].contains(&b' ')
    }
}

impl<'a> Scan<'a> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let at = self.rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))?;
        self.rest = &self.rest[at..];
        Some(self.rest[0])
    }

    /// The same, taken.
    fn next_token(&mut self) -> Option<u8> {
        let token = self.peek()?;
        self.rest = &self.rest[1..];
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

    /// Steps over a value.
    fn value(&mut self) -> Option<Value<'a>> {
        let first = self.peek()?;
        if !matches!(first, b'"' | b'{' | b'[') {
            return Some(Value::Literal(self.literal()));
        }
        self.next_token()?;
        if first == b'"' { self.counted_string().map(Value::Text) } else { self.nested().map(Value::Nested) }
    }

    /// The rest of a string that is a value, or may be one.
    fn counted_string(&mut self) -> Option<Text<'a>> {
        let text = self.string()?;
        if text.is_file() {
            self.files += 1;
        } else {
            self.text += text.0.len() as u64;
        }
        Some(text)
    }

    /// Steps over the rest of an object or array. Strings are hopped over, so that brackets inside them do not count.
    /// What is given back begins after the bracket that was taken.
    fn nested(&mut self) -> Option<&'a [u8]> {
        let whole = self.rest;
        let mut depth = 1_usize;
        while depth > 0 {
            depth = match self.next_bracket()? {
                b'"' => self.counted_string().map(|_| depth)?,
                b'{' | b'[' => depth + 1,
                _ => depth - 1,
            };
        }
        Some(&whole[..whole.len() - self.rest.len()])
    }

    /// The next quote or bracket, taken. One look at each byte: searching for some of the five first would look at
    /// a long run of the others again and again.
    fn next_bracket(&mut self) -> Option<u8> {
        let at = self.rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))?;
        let found = self.rest[at];
        self.rest = &self.rest[at + 1..];
        Some(found)
    }

    /// Steps over a number, `true`, `false` or `null`.
    fn literal(&mut self) -> &'a [u8] {
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (literal, rest) = self.rest.split_at(end);
        self.rest = rest;
        literal
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::Asked;

    fn asks_for_stream(body: &[u8]) -> bool {
        Asked::by(body).stream
    }

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

    #[test]
    fn the_model_and_the_longest_answer_are_found_at_the_top() {
        for (body, model, most) in [
            (r#"{"model":"m","max_tokens":5}"#, Some("m"), Some(5)),
            (
                r#"{"model":"a","model":"b\u0021","max_completion_tokens":7,"max_tokens":6}"#,
                Some("b!"),
                Some(7),
            ),
            (r#"{"contents":[],"generationConfig":{"a":[1],"maxOutputTokens":9}}"#, None, Some(9)),
            (r#"{"generationConfig":{"x":{"maxOutputTokens":9}},"max_output_tokens": 3 }"#, None, Some(3)),
            (r#"{"x":{"model":"m","max_tokens":5},"max_tokens":"5"}"#, None, None),
            (r#"{"model":7,"max_tokens":-1}"#, None, None),
            (r#"{"max_tokens":4096.0}"#, None, Some(4096)),
            (r#"{"max_tokens":1e30}"#, None, Some(u64::MAX)),
            (r#"{"model":"m","x":"y"#, None, None),
        ] {
            let asked = Asked::by(body.as_bytes());
            assert_eq!((asked.model(body.as_bytes()).as_deref(), asked.most_tokens), (model, most), "{body}");
        }
    }

    #[test]
    fn several_answers_are_each_as_long_as_one() {
        for (body, answers) in [
            ("{}", 1),
            (r#"{"n":5}"#, 5),
            (r#"{"n":0}"#, 1),
            (r#"{"n":2,"best_of":7}"#, 7),
            (r#"{"x":{"n":5},"n":"5"}"#, 1),
            (r#"{"generationConfig":{"candidateCount":3,"maxOutputTokens":9}}"#, 3),
        ] {
            assert_eq!(Asked::by(body.as_bytes()).answers(), answers, "{body}");
        }
    }

    #[test]
    fn names_at_the_top_are_found_in_an_object_that_is_whole() {
        let body = br#" { "model" : "m", "x": [{"usage": 1}], "usage" : {"a": [2, "}"]} , "usage":{"b":3}} "#;
        let found = super::top(body, ["usage", "model", "none"]).unwrap();
        assert_eq!(found, [Some(&br#"{"b":3}"#[..]), Some(b"\"m\""), None]);
        for cut in 0..body.len() - 1 {
            assert_eq!(super::top(&body[..cut], ["usage"]), None, "{cut}");
        }
        for other in ["[]", "[{}]", "{} {}", "{}x", "{\"a\"}", "{\"a\":1", "}", "{\"a\":1]"] {
            assert_eq!(super::top(other.as_bytes(), ["a"]), None, "{other}");
        }
    }

    #[test]
    fn a_prompt_is_about_a_token_for_four_bytes_and_an_image_is_not_counted_by_its_bytes() {
        let prompt = |body: &Value| Asked::by(body.to_string().as_bytes()).prompt_tokens();
        let words = "word ".repeat(800);
        assert_eq!(
            prompt(&json!({ "messages": [{ "role": "user", "content": words }] })),
            1004,
            "names count, too"
        );
        let image = format!("data:image/png;base64,{}", "iVBORw0KGgo".repeat(100_000));
        assert_eq!(prompt(&json!({ "image_url": { "url": image } })), super::PER_FILE + 1);
        assert_eq!(Asked::by(b"not json").prompt_tokens(), 0);
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
