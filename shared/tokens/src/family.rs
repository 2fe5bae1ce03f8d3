//! Which tokenizer a model reads with, told from its name: what is exact and what is a guess begins here.

use crate::Encoding;

/// A family of models that count text alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family {
    /// The tokenizer that is theirs, or the nearest one we have.
    pub(crate) encoding: Encoding,
    pub(crate) text: Text,
    /// Whether the published price of a message (three tokens, one for a name, three for the reply) was
    /// confirmed against the API. Reasoning models were measured one token below it.
    pub(crate) exact_messages: bool,
}

/// How well [`Family::encoding`] fits the text of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Exact,
    /// An estimate: so many tokens for ten of the nearest tokenizer.
    PerTen(u64),
}

impl Text {
    pub(crate) fn is_exact(self) -> bool {
        self == Self::Exact
    }
}

const O200K_CHAT: Family = Family { encoding: Encoding::O200k, text: Text::Exact, exact_messages: true };
const O200K_REASONING: Family = Family { exact_messages: false, ..O200K_CHAT };
const CL100K: Family = Family { encoding: Encoding::Cl100k, text: Text::Exact, exact_messages: true };
const OLD_CLAUDE: Family = guess(11);
const CLAUDE: Family = guess(14);
const UNKNOWN: Family = guess(10);

const fn guess(tokens: u64) -> Family {
    Family { encoding: Encoding::O200k, text: Text::PerTen(tokens), exact_messages: false }
}

/// The first prefix that fits decides.
///
/// OpenAI: github.com/openai/tiktoken, `tiktoken/model.py` (MODEL_TO_ENCODING and MODEL_PREFIX_TO_ENCODING). Messages:
/// OpenAI's cookbook, "How to count tokens with tiktoken", checks them against the API for gpt-3.5, gpt-4 and gpt-4o;
/// measurements of gpt-4.1 agree (community.openai.com/t/1262691), those of o3 and gpt-5 are one token lower.
///
/// Anthropic publishes no tokenizer. English takes 4.33 characters a token up to Claude 4.6 and 3.60 since 4.7
/// (claudecodecamp.com, April 2026, by Anthropic's own counter), where o200k takes 4.5 to 5; Anthropic says 1.0 to 1.35
/// times as many as before. Other languages lie nearer to o200k, so these factors err upwards for them.
const FAMILIES: &[(&str, Family)] = &[
    ("gpt-oss", O200K_REASONING),
    ("gpt-4o", O200K_CHAT),
    ("chatgpt-4o", O200K_CHAT),
    ("gpt-4.1", O200K_CHAT),
    ("gpt-4.5", O200K_CHAT),
    ("gpt-5", O200K_REASONING),
    ("o1", O200K_REASONING),
    ("o3", O200K_REASONING),
    ("o4", O200K_REASONING),
    ("gpt-4", CL100K),
    ("gpt-3.5", CL100K),
    ("gpt-35", CL100K),
    ("text-embedding-3", CL100K),
    ("text-embedding-ada-002", CL100K),
    ("davinci-002", CL100K),
    ("babbage-002", CL100K),
    ("claude-2", OLD_CLAUDE),
    ("claude-3", OLD_CLAUDE),
    ("claude-instant", OLD_CLAUDE),
    ("claude-haiku-4", OLD_CLAUDE),
    ("claude-sonnet-4", OLD_CLAUDE),
    ("claude-opus-4-7", CLAUDE),
    ("claude-opus-4-8", CLAUDE),
    ("claude-opus-4.7", CLAUDE),
    ("claude-opus-4.8", CLAUDE),
    ("claude-opus-4", OLD_CLAUDE),
    ("claude", CLAUDE),
];

/// The family of a model; a name nobody knows gets the nearest tokenizer, as a guess.
pub(crate) fn of(model: &str) -> Family {
    let name = base_name(model);
    FAMILIES.iter().find(|(prefix, _)| starts(&name, prefix)).map_or(UNKNOWN, |(_, family)| *family)
}

/// The name without its provider (`openai/gpt-4o`), without `ft:` of a fine-tuned model, in lower case.
///
/// Bedrock writes `us.anthropic.claude-…`: what is before `claude` is left out, too.
pub(crate) fn base_name(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let name = name.strip_prefix("ft:").unwrap_or(&name);
    let from = name.find("anthropic.claude").map_or(0, |at| at + "anthropic.".len());
    name[from..].to_owned()
}

/// Whether a name begins with a prefix as with a word: `o1-mini` is an o1, `o10` is not.
fn starts(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(model: &str, family: Family) {
        assert_eq!(of(model), family, "{model}");
    }

    #[test]
    fn a_model_is_known_by_the_beginning_of_its_name() {
        check("gpt-4o", O200K_CHAT);
        check("gpt-4o-mini-2024-07-18", O200K_CHAT);
        check("chatgpt-4o-latest", O200K_CHAT);
        check("gpt-4.1-nano", O200K_CHAT);
        check("gpt-5.4-mini", O200K_REASONING);
        check("gpt-oss-120b", O200K_REASONING);
        check("o1-preview", O200K_REASONING);
        check("o4-mini", O200K_REASONING);
        check("gpt-4", CL100K);
        check("gpt-4-turbo-2024-04-09", CL100K);
        check("gpt-35-turbo", CL100K);
        check("text-embedding-3-large", CL100K);
        check("claude-opus-4-6", OLD_CLAUDE);
        check("claude-3-5-sonnet-20241022", OLD_CLAUDE);
        check("claude-opus-4-7", CLAUDE);
        check("claude-fable-5", CLAUDE);
    }

    #[test]
    fn a_provider_before_the_name_does_not_hide_it() {
        check("openai/gpt-4o", O200K_CHAT);
        check("azure/eu/GPT-4o", O200K_CHAT);
        check("ft:gpt-4o-mini:acme::abc", O200K_CHAT);
        check("us.anthropic.claude-sonnet-4-5-20250929-v1:0", OLD_CLAUDE);
    }

    #[test]
    fn an_unknown_name_is_a_guess() {
        check("gemini-3-pro", UNKNOWN);
        check("llama-3.3-70b", UNKNOWN);
        check("o10", UNKNOWN);
        check("o3d-art", UNKNOWN);
        check("", UNKNOWN);
        check("gpt-40", UNKNOWN);
    }
}
