//! Decides what the demo says: honestly synthetic text, a tool call, or an instance of a schema.

use serde_json::json;

use crate::mischief::Shape;
use crate::prompt::{Format, Picture, Prompt};
use crate::scene::{Scene, Twist};
use crate::schema;
use crate::tools::{self, ToolCall};

/// Longer questions are not quoted whole.
const MOST_QUOTED: usize = 400;

const STORY: &str = "\
    This is a canned story from Twinlane's demo provider; no model was asked. Once there was a gateway with \
    two lanes. Small messages ran along the edge lane and were home before the kettle sang. Large ones took \
    the background lane, where the lorries are, and nobody hurried them. One night the bridge to the \
    provider fell silent. \"Is anyone there?\" asked a client, and the gateway, which never lies, said: \
    \"Not yet, but the line is open.\" So they waited together, one small comment at a time, until the words \
    came back across the bridge, every byte of them in order. And the last word was: done.";

/// An answer that is refused in the middle stops after so many words.
const WORDS_BEFORE_REFUSAL: usize = 4;

/// An answer, before a dialect words it: thoughts, then text, then calls, any of which may be missing.
#[derive(Debug, Clone)]
pub(crate) struct Speech {
    /// What is thought before anything is said, a word at a time.
    pub(crate) thoughts: Vec<String>,
    /// The text, a word (or a piece of JSON) at a time.
    words: Vec<String>,
    pub(crate) calls: Vec<ToolCall>,
    /// Different tools are called at once, so their arguments arrive in turns.
    pub(crate) in_turns: bool,
    pub(crate) end: End,
    /// The stop sequence that ended the text.
    pub(crate) stopped_by: Option<String>,
    /// Tokens of the request, guessed.
    pub(crate) input: usize,
    /// JSON must stay JSON: it is neither padded nor stretched.
    rigid: bool,
}

/// Why the demo stopped talking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Stop,
    Length,
    Tools,
    /// The provider's rules forbid to go on.
    Refused,
    /// The provider's rules forbid the question.
    Blocked,
}

/// What the demo says to a prompt.
pub(crate) fn answer(prompt: &Prompt, scene: Scene) -> Speech {
    let calls = tools::calls(prompt, scene);
    let thinks = prompt.thinks || scene.thinking;
    let mut speech = Speech {
        thoughts: if thinks { words(&thought(prompt)) } else { Vec::new() },
        words: words(&text(prompt, scene, &calls)),
        in_turns: calls.windows(2).any(|two| two[0].name != two[1].name),
        end: if calls.is_empty() { End::Stop } else { End::Tools },
        rigid: prompt.format != Format::Text || !calls.is_empty(),
        calls,
        stopped_by: None,
        input: tokens(prompt.size),
    };
    speech.stop_at(&prompt.stop);
    speech.twist(scene.twist);
    speech.keep_within(prompt.limit);
    speech
}

impl Speech {
    /// Ends the text before the first of the stop sequences.
    fn stop_at(&mut self, sequences: &[String]) {
        let text = self.words.concat();
        let found = sequences.iter().filter_map(|sequence| Some((text.find(sequence)?, sequence)));
        if let Some((at, sequence)) = found.min() {
            self.words = words(&text[..at]);
            self.stopped_by = Some(sequence.clone());
        }
    }

    fn twist(&mut self, twist: Twist) {
        match twist {
            Twist::Usual => {}
            Twist::Length => {
                self.words.truncate(self.words.len().div_ceil(2));
                self.end = End::Length;
            }
            Twist::Refused => self.fall_silent(WORDS_BEFORE_REFUSAL, End::Refused),
            Twist::Blocked => self.fall_silent(0, End::Blocked),
            Twist::Empty => self.fall_silent(0, End::Stop),
        }
    }

    fn fall_silent(&mut self, after: usize, end: End) {
        self.words.truncate(after);
        self.calls.clear();
        self.thoughts.clear();
        self.end = end;
    }

    /// Thoughts count, too: a small limit may leave nothing for the text.
    fn keep_within(&mut self, limit: Option<u64>) {
        let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let for_text = most.saturating_sub(self.thoughts.len());
        if self.words.len() > for_text {
            self.end = End::Length;
            self.calls.clear();
        }
        self.thoughts.truncate(most);
        self.words.truncate(for_text);
    }

    /// All that was thought.
    pub(crate) fn thought(&self) -> String {
        self.thoughts.concat()
    }

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
        self.thoughts.len() + self.words.len() + arguments
    }
}

/// Tokens are guessed at four characters each.
pub(crate) fn tokens(characters: usize) -> usize {
    characters / 4 + 1
}

fn thought(prompt: &Prompt) -> String {
    format!(
        "The demo pretends to think about {} characters. No model was asked.",
        prompt.user.chars().count()
    )
}

fn text(prompt: &Prompt, scene: Scene, calls: &[ToolCall]) -> String {
    match calls {
        [] => answer_text(prompt),
        _ if tools::asked_for(prompt, scene) => "Let me ask the tools.".to_owned(),
        _ => String::new(),
    }
}

fn answer_text(prompt: &Prompt) -> String {
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
            let seen: Vec<String> = prompt.pictures.iter().map(Picture::describe).collect();
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
    use serde_json::Value;

    use crate::tools::tests::with_weather_tool;

    fn said(prompt: &Prompt) -> Speech {
        answer(prompt, Scene::default())
    }

    fn prompt(user: &str) -> Prompt {
        Prompt { user: user.to_owned(), ..Prompt::default() }
    }

    fn shape(chunks: usize, bytes: usize) -> Shape {
        Shape { chunks: Some(chunks), bytes: Some(bytes), ..Shape::default() }
    }

    #[test]
    fn the_deltas_of_an_answer_are_its_text() {
        let speech = said(&prompt("tell me a story"));
        assert_eq!(speech.deltas(Shape::default()).collect::<String>(), STORY);
        let few = Shape { chunks: Some(3), ..Shape::default() };
        assert_eq!(speech.deltas(few).collect::<String>(), STORY);
    }

    #[test]
    fn a_stream_has_as_many_deltas_as_wished_each_as_long_as_wished() {
        let speech = said(&prompt("hello"));
        for n in [0, 1, 5, 500] {
            let deltas: Vec<String> = speech.deltas(shape(n, 90)).collect();
            assert_eq!(deltas.len(), n);
            assert!(deltas.iter().all(|delta| delta.chars().count() >= 90));
        }
    }

    #[test]
    fn a_tool_result_is_quoted_instead_of_asking_again() {
        let results = vec!["18 degrees".to_owned()];
        let speech = said(&Prompt { tool_results: results, ..with_weather_tool("weather in Paris?") });
        assert!(speech.calls.is_empty() && speech.text(Shape::default()).contains("18 degrees"));
    }

    #[test]
    fn a_small_limit_ends_the_answer_early() {
        let speech = said(&Prompt { limit: Some(3), ..prompt("hello") });
        assert_eq!((speech.output(), speech.end), (3, End::Length));
    }

    #[test]
    fn json_stays_json_however_it_is_shaped() {
        let speech = said(&Prompt { format: Format::Object, ..prompt("hello") });
        let text: String = speech.deltas(shape(50, 50)).collect();
        assert!(serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object()), "{text}");
    }

    #[test]
    fn thoughts_count_towards_the_limit() {
        let speech = said(&Prompt { thinks: true, limit: Some(3), ..prompt("hello") });
        assert_eq!((speech.thoughts.len(), speech.text(Shape::default())), (3, String::new()));
        assert_eq!(speech.end, End::Length);
    }

    #[test]
    fn a_stop_sequence_ends_the_text_before_it() {
        let stop = vec!["was".to_owned(), "model".to_owned()];
        let speech = said(&Prompt { stop, ..prompt("hello") });
        assert!(speech.text(Shape::default()).ends_with("no "), "{speech:?}");
        assert_eq!((speech.stopped_by.as_deref(), speech.end), (Some("model"), End::Stop));
    }

    #[test]
    fn what_is_refused_is_said_in_part_or_not_at_all() {
        for (twist, words, end) in [
            (Twist::Refused, 4, End::Refused),
            (Twist::Blocked, 0, End::Blocked),
            (Twist::Empty, 0, End::Stop),
        ] {
            let speech = answer(&prompt("hello"), Scene { twist, ..Scene::default() });
            assert_eq!((speech.words.len(), speech.end), (words, end));
        }
    }
}
