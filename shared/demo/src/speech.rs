//! Decides what the demo says: honestly synthetic text, a tool call, or an instance of a schema.

use serde_json::{Value, json};

use crate::mischief::Shape;
use crate::prompt::{Choice, Format, Prompt, Tool};
use crate::schema;

/// Longer questions are not quoted whole.
const MOST_QUOTED: usize = 400;

const STORY: &str = "\
    This is a canned story from Twinlane's demo provider; no model was asked. Once there was a gateway with \
    two lanes. Small messages ran along the edge lane and were home before the kettle sang. Large ones took \
    the background lane, where the lorries are, and nobody hurried them. One night the bridge to the \
    provider fell silent. \"Is anyone there?\" asked a client, and the gateway, which never lies, said: \
    \"Not yet, but the line is open.\" So they waited together, one small comment at a time, until the words \
    came back across the bridge, every byte of them in order. And the last word was: done.";

/// Cities the demo knows the weather tool's argument for.
const CITIES: [&str; 16] = [
    "Amsterdam",
    "Berlin",
    "Boston",
    "Cairo",
    "Lisbon",
    "London",
    "Madrid",
    "Mumbai",
    "New York",
    "Oslo",
    "Paris",
    "Rome",
    "San Francisco",
    "Tokyo",
    "Vienna",
    "Zurich",
];

/// An answer, before a dialect words it.
#[derive(Debug, Clone)]
pub(crate) struct Speech {
    /// The text, a word (or a piece of JSON) at a time; empty when tools are called.
    words: Vec<String>,
    pub(crate) calls: Vec<ToolCall>,
    pub(crate) end: End,
    /// Tokens of the request, guessed.
    pub(crate) input: usize,
    /// JSON must stay JSON: it is neither padded nor stretched.
    rigid: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolCall {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// Why the demo stopped talking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Stop,
    Length,
    Tools,
}

/// What the demo says to a prompt.
pub(crate) fn answer(prompt: &Prompt) -> Speech {
    let calls = calls(prompt);
    if !calls.is_empty() {
        return Speech { words: Vec::new(), calls, end: End::Tools, input: tokens(prompt.size), rigid: true };
    }
    let mut words = words(&text(prompt));
    let most = prompt.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let end = if words.len() > most { End::Length } else { End::Stop };
    words.truncate(most);
    Speech { words, calls, end, input: tokens(prompt.size), rigid: prompt.format != Format::Text }
}

impl Speech {
    /// The whole text, padded when the call wishes it.
    pub(crate) fn text(&self, shape: Shape) -> String {
        let text = self.words.concat();
        if self.rigid { text } else { pad(text, shape) }
    }

    /// The text as a stream tells it.
    pub(crate) fn deltas(&self, shape: Shape) -> Box<dyn Iterator<Item = String> + Send> {
        let words = self.words.clone();
        match shape.chunks {
            _ if self.rigid => Box::new(words.into_iter()),
            Some(n) => Box::new(stretch(words, n).map(move |delta| pad(delta, shape))),
            None => Box::new(words.into_iter().map(move |delta| pad(delta, shape))),
        }
    }

    /// Tokens of the answer, guessed.
    pub(crate) fn output(&self) -> usize {
        let arguments: usize =
            self.calls.iter().map(|call| tokens(call.arguments.to_string().len()) + 4).sum();
        self.words.len() + arguments
    }
}

impl ToolCall {
    /// The arguments as a stream tells them: a few characters at a time, cut without regard for JSON.
    pub(crate) fn fragments(&self) -> Vec<String> {
        let letters: Vec<char> = self.arguments.to_string().chars().collect();
        letters.chunks(5).map(|fragment| fragment.iter().collect()).collect()
    }
}

/// Tokens are guessed at four characters each.
pub(crate) fn tokens(characters: usize) -> usize {
    characters / 4 + 1
}

fn text(prompt: &Prompt) -> String {
    if let Format::Schema(schema) = &prompt.format {
        return schema::instance(schema).to_string();
    }
    let plain = plain_text(prompt);
    match prompt.format {
        Format::Object => json!({"synthetic": true, "answer": plain}).to_string(),
        _ => plain,
    }
}

fn plain_text(prompt: &Prompt) -> String {
    let quoted = quote(&prompt.user);
    if !prompt.tool_results.is_empty() {
        return format!("The tool said: {}. No model was asked.", quote(&prompt.tool_results.join("; ")));
    }
    if prompt.user.to_lowercase().contains("story") {
        return STORY.to_owned();
    }
    let greeting = "This is Twinlane's demo provider: no model was asked.";
    match prompt.pictures.len() {
        0 => format!("{greeting} You said: {quoted}"),
        n => {
            let seen: Vec<String> = prompt.pictures.iter().map(crate::prompt::Picture::describe).collect();
            let noun = if n == 1 { "image" } else { "images" };
            format!("{greeting} You sent {n} {noun} ({}). You said: {quoted}", seen.join("; "))
        }
    }
}

fn quote(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn calls(prompt: &Prompt) -> Vec<ToolCall> {
    let Some(tool) = tool_to_call(prompt) else { return Vec::new() };
    let cities: Vec<&str> = CITIES.into_iter().filter(|city| prompt.user.contains(city)).collect();
    let cities = if cities.is_empty() { vec!["Paris"] } else { cities };
    let call = |city| ToolCall { name: tool.name.clone(), arguments: arguments(&tool.schema, city) };
    cities.into_iter().take(if prompt.one_call { 1 } else { 2 }).map(call).collect()
}

/// The tool the choice names, else the one for the weather, else the first.
fn tool_to_call(prompt: &Prompt) -> Option<&Tool> {
    let about_weather = || prompt.user.to_lowercase().contains("weather");
    let first = || prompt.tools.iter().find(|tool| tool.name.contains("weather")).or(prompt.tools.first());
    match &prompt.choice {
        // A result ends the conversation, even where a call was demanded: a client's tool loop shall end.
        _ if !prompt.tool_results.is_empty() => None,
        Choice::Never => None,
        Choice::Auto if !about_weather() => None,
        Choice::Named(name) => prompt.tools.iter().find(|tool| tool.name == *name),
        Choice::Auto | Choice::Any => first(),
    }
}

fn arguments(schema: &Value, city: &str) -> Value {
    let mut arguments = schema::instance(schema);
    let names = ["city", "location", "place", "town"];
    let Some(object) = arguments.as_object_mut() else { return json!({}) };
    for (_, value) in
        object.iter_mut().filter(|(name, value)| names.contains(&name.as_str()) && value.is_string())
    {
        *value = json!(city);
    }
    arguments
}

/// Words with the space before them, as tokens have it.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.char_indices().skip(1).find(|(_, letter)| *letter == ' ') {
        let (word, tail) = rest.split_at(next.0);
        words.push(word.to_owned());
        rest = tail;
    }
    words.extend((!rest.is_empty()).then(|| rest.to_owned()));
    words
}

/// Exactly `n` deltas: too many words are told together, too few are made more.
fn stretch(words: Vec<String>, n: usize) -> impl Iterator<Item = String> + Send {
    let (all, told) = (words.len(), n.min(words.len()));
    let together = (0..told).map(move |i| words[i * all / told..(i + 1) * all / told].concat());
    together.chain(std::iter::repeat_n(" more".to_owned(), n - told))
}

fn pad(mut text: String, shape: Shape) -> String {
    let missing = shape.bytes.unwrap_or_default().saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('.', missing));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(user: &str) -> Prompt {
        Prompt { user: user.to_owned(), ..Prompt::default() }
    }

    fn with_weather_tool(user: &str) -> Prompt {
        let schema =
            json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        Prompt { tools: vec![Tool { name: "get_weather".to_owned(), schema }], ..prompt(user) }
    }

    fn shape(chunks: usize, bytes: usize) -> Shape {
        Shape { chunks: Some(chunks), bytes: Some(bytes), ..Shape::default() }
    }

    #[test]
    fn the_deltas_of_an_answer_are_its_text() {
        let speech = answer(&prompt("tell me a story"));
        assert_eq!(speech.deltas(Shape::default()).collect::<String>(), STORY);
        let few = Shape { chunks: Some(3), ..Shape::default() };
        assert_eq!(speech.deltas(few).collect::<String>(), STORY);
    }

    #[test]
    fn a_stream_has_as_many_deltas_as_wished_each_as_long_as_wished() {
        let speech = answer(&prompt("hello"));
        for n in [0, 1, 5, 500] {
            let deltas: Vec<String> = speech.deltas(shape(n, 90)).collect();
            assert_eq!(deltas.len(), n);
            assert!(deltas.iter().all(|delta| delta.chars().count() >= 90));
        }
    }

    #[test]
    fn each_city_gets_its_own_call() {
        let calls = answer(&with_weather_tool("What is the weather in Paris and Tokyo?")).calls;
        let cities: Vec<&Value> = calls.iter().map(|call| &call.arguments["city"]).collect();
        assert_eq!(cities, ["Paris", "Tokyo"]);
    }

    #[test]
    fn a_tool_is_called_only_when_it_is_wanted() {
        let called = |choice, user| !answer(&Prompt { choice, ..with_weather_tool(user) }).calls.is_empty();
        assert!(!called(Choice::Auto, "hello"));
        assert!(!called(Choice::Never, "weather"));
        assert!(called(Choice::Any, "hello"));
        assert!(called(Choice::Named("get_weather".to_owned()), "hello"));
        assert!(!called(Choice::Named("other".to_owned()), "weather"));
    }

    #[test]
    fn a_tool_result_is_quoted_instead_of_asking_again() {
        let results = vec!["18 degrees".to_owned()];
        let speech = answer(&Prompt { tool_results: results, ..with_weather_tool("weather in Paris?") });
        assert!(speech.calls.is_empty() && speech.text(Shape::default()).contains("18 degrees"));
    }

    #[test]
    fn a_small_limit_ends_the_answer_early() {
        let speech = answer(&Prompt { limit: Some(3), ..prompt("hello") });
        assert_eq!((speech.output(), speech.end), (3, End::Length));
    }

    #[test]
    fn json_stays_json_however_it_is_shaped() {
        let speech = answer(&Prompt { format: Format::Object, ..prompt("hello") });
        let text: String = speech.deltas(shape(50, 50)).collect();
        assert!(serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object()), "{text}");
    }
}
