//! The accents of one language: how each provider that calls itself OpenAI-compatible differs from OpenAI.
//!
//! The differences are data. What a provider says differently is in its [`Habits`]; what it refuses is in
//! `openai/strict.rs`.

/// Whose peculiarities a reply has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// No provider in particular: tells all it knows and refuses only what makes no sense.
    #[default]
    Plain,
    OpenAi,
    Azure,
    Cohere,
    DeepSeek,
    GeminiCompat,
    Groq,
    HuggingFace,
    Mistral,
    Ollama,
    OpenRouter,
    Together,
    /// Gemini's own dialect, as strict as Vertex AI is.
    Vertex,
    Xai,
}

/// The names by which `x-demo-flavour` and a model's name ask for them.
const NAMES: [(&str, Flavour); 13] = [
    ("openai", Flavour::OpenAi),
    ("azure", Flavour::Azure),
    ("cohere", Flavour::Cohere),
    ("deepseek", Flavour::DeepSeek),
    ("gemini-compat", Flavour::GeminiCompat),
    ("groq", Flavour::Groq),
    ("huggingface", Flavour::HuggingFace),
    ("mistral", Flavour::Mistral),
    ("ollama", Flavour::Ollama),
    ("openrouter", Flavour::OpenRouter),
    ("together", Flavour::Together),
    ("vertex", Flavour::Vertex),
    ("xai", Flavour::Xai),
];

/// What a provider says differently in a chat completion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) thoughts: Thoughts,
    pub(crate) calls: Calls,
    /// The finish reason of an answer that is complete.
    pub(crate) stop: &'static str,
    /// The finish reason of a stream that calls tools.
    pub(crate) tools: &'static str,
    /// The finish reason of every chunk before the last; null where there is none.
    pub(crate) unfinished: Option<&'static str>,
    pub(crate) usage: UsageAt,
    /// Comments come before the first event, to keep the connection busy.
    pub(crate) comments: bool,
}

/// Where the thoughts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoughts {
    /// Nowhere: they are only counted.
    Kept,
    Field(&'static str),
    /// In `reasoning`, and once more in `reasoning_details`.
    Details,
    /// As a part of the content.
    Parts,
}

/// How a stream tells the calls of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calls {
    /// The name, then the arguments in fragments.
    Fragments,
    /// Each call at once.
    Whole,
    /// Each call at once, and without an index.
    Unnumbered,
}

/// When a stream tells its usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsageAt {
    /// In a chunk of its own, when it was asked for.
    Request,
    /// In the chunk with the finish reason, asked for or not.
    Finish,
}

const PLAIN: Habits = Habits {
    thoughts: Thoughts::Field("reasoning_content"),
    calls: Calls::Fragments,
    stop: "stop",
    tools: "tool_calls",
    unfinished: None,
    usage: UsageAt::Request,
    comments: false,
};

impl Flavour {
    pub(crate) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, flavour)| *flavour)
    }

    /// The flavour a text begins with, and the rest of the text.
    pub(crate) fn leading(text: &str) -> Option<(Self, &str)> {
        NAMES.iter().find_map(|(name, flavour)| Some((*flavour, text.strip_prefix(name)?)))
    }

    pub(crate) fn habits(self) -> Habits {
        match self {
            Self::OpenAi | Self::Azure => Habits { thoughts: Thoughts::Kept, ..PLAIN },
            // Only its streams end with "stop" when tools are called (googleapis/python-genai#2868).
            Self::GeminiCompat => Habits {
                thoughts: Thoughts::Kept,
                calls: Calls::Unnumbered,
                tools: "stop",
                usage: UsageAt::Finish,
                ..PLAIN
            },
            Self::Groq => Habits { thoughts: Thoughts::Field("reasoning"), calls: Calls::Whole, ..PLAIN },
            Self::Mistral => {
                Habits { thoughts: Thoughts::Parts, calls: Calls::Whole, usage: UsageAt::Finish, ..PLAIN }
            }
            Self::Ollama => Habits {
                thoughts: Thoughts::Field("reasoning"),
                calls: Calls::Whole,
                unfinished: Some(""),
                ..PLAIN
            },
            Self::DeepSeek => Habits { usage: UsageAt::Finish, ..PLAIN },
            Self::OpenRouter => Habits { thoughts: Thoughts::Details, comments: true, ..PLAIN },
            Self::Together => Habits { stop: "eos", usage: UsageAt::Finish, ..PLAIN },
            _ => PLAIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flavours_name_begins_with_anothers() {
        for (name, flavour) in NAMES {
            assert_eq!(Flavour::named(name), Some(flavour));
            assert_eq!(Flavour::leading(&format!("{name}-tools")), Some((flavour, "-tools")));
        }
    }
}
