//! Reads from a model's name how the model will behave, for callers whose headers do not arrive.
//!
//! A name may be `demo` or end in it, as in `gemini-3-pro-demo`; what follows is a list of words, each after
//! a hyphen. A name of any other kind asks for nothing.

use std::time::Duration;

use crate::flavour::Flavour;
use crate::mischief::{Act, Wishes, final_status};

/// What happens in an answer, beside the answer itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scene {
    /// Tools are called whatever was asked.
    pub(crate) tools: bool,
    /// The answer is thought about aloud, whether or not that was asked for.
    pub(crate) thinking: bool,
    pub(crate) twist: Twist,
}

/// How an answer ends when the caller's limits do not end it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Twist {
    #[default]
    Usual,
    /// In the middle, as if a limit were reached; a tool's arguments break off.
    Length,
    /// In the middle, by the provider's own rules.
    Refused,
    /// Before it began: the question itself is refused.
    Blocked,
    /// At once: there is nothing to say.
    Empty,
}

/// What a model's name asks for.
pub(crate) fn wishes(model: &str) -> Wishes {
    let mut wishes = Wishes::default();
    let mut rest = words(model);
    while let Some(tail) = rest.strip_prefix('-').and_then(|rest| wish(&mut wishes, rest)) {
        rest = tail;
    }
    wishes
}

/// What follows `demo` in a name: after the last slash, before a colon and what HuggingFace has behind it.
fn words(model: &str) -> &str {
    let name = model.rsplit('/').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    match name.strip_prefix("demo") {
        Some(words) => words,
        None => name.split_once("-demo").map_or("", |(_, words)| words),
    }
}

/// Understands the first word of `text` and gives what follows it.
fn wish<'t>(wishes: &mut Wishes, text: &'t str) -> Option<&'t str> {
    if let Some((flavour, rest)) = text.strip_prefix("flavour-").and_then(Flavour::leading) {
        wishes.shape.flavour = flavour;
        return Some(rest);
    }
    let (word, rest) = text.split_at(text.find('-').unwrap_or(text.len()));
    if word == "error" {
        let number = rest.get(1..)?;
        let (number, rest) = number.split_at(number.find('-').unwrap_or(number.len()));
        wishes.mischief.status = Some(final_status(number)?);
        return Some(rest);
    }
    obey(wishes, word).then_some(rest)
}

/// Whether the word was one the demo knows.
fn obey(wishes: &mut Wishes, word: &str) -> bool {
    let scene = &mut wishes.shape.scene;
    match word {
        "tools" => scene.tools = true,
        "thinking" => scene.thinking = true,
        "length" => scene.twist = Twist::Length,
        "refusal" => scene.twist = Twist::Refused,
        "blocked" => scene.twist = Twist::Blocked,
        "empty" => scene.twist = Twist::Empty,
        "slow" => {
            wishes.mischief.delay = Duration::from_secs(2);
            wishes.shape.pause = Some(Duration::from_millis(250));
        }
        "silent" => wishes.mischief.act = Some(Act::SilentHead),
        "cut" => wishes.mischief.act = Some(Act::CutBody(5)),
        "ended" => wishes.mischief.act = Some(Act::EndEarly(None)),
        "overloaded" => wishes.mischief.act = Some(Act::Fail(5)),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_name_add_up() {
        let shape = wishes("demo-flavour-gemini-compat-tools-thinking").shape;
        assert_eq!((shape.flavour, shape.scene.tools), (Flavour::GeminiCompat, true));
        assert!(shape.scene.thinking);
        let wished = wishes("demo-flavour-groq-error-429-tools");
        assert_eq!(wished.mischief.status.map(|status| status.as_u16()), Some(429));
        assert_eq!((wished.shape.flavour, wished.shape.scene.tools), (Flavour::Groq, true));
    }

    #[test]
    fn a_real_models_name_may_come_first_and_a_provider_last() {
        for name in ["gemini-3-pro-demo-tools", "@cf/meta/llama-demo-tools", "org/demo-tools:groq"] {
            assert!(wishes(name).shape.scene.tools, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_asks_for_nothing() {
        for name in ["", "gpt-4o", "demonstration", "demo", "demo-embedding", "demo-error-nonsense", "tools"]
        {
            assert_eq!(wishes(name), Wishes::default(), "{name}");
        }
    }
}
