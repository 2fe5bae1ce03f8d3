//! What Claude's generations take and refuse, as data: without it, every other request would be answered with a 400.
//!
//! Read in November 2026 from Anthropic's model pages and migration guides and checked against the capability table of
//! `@ai-sdk/anthropic` 3.0.138. A model that is not here is taken for a new Claude when its name says `claude-`.

/// What one model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// The most tokens it answers with.
    pub(super) max_output: u64,
    pub(super) sampling: Sampling,
    pub(super) thinking: Thinking,
    /// Whether `output_config.format` and strict tools are understood without a beta header.
    pub(super) schemas: bool,
    /// Whether a tool can be forced; the models of autumn 2026 answer 400 to `any` and `tool`.
    pub(super) forced_tools: bool,
}

/// Which of `temperature`, `top_p` and `top_k` are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    All,
    /// `temperature` or `top_p`, not both.
    One,
    None,
}

/// How it reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    None,
    /// With a budget of tokens.
    Budget,
    /// As it sees fit, guided by an effort.
    Adaptive(Adaptive),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Adaptive {
    pub(super) off: Off,
    /// Whether the effort `xhigh` exists.
    pub(super) xhigh: bool,
    /// Whether the text of its reasoning is left out of the reply unless it is asked for.
    pub(super) silent: bool,
}

/// How thinking is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    /// It is off unless asked for.
    Omit,
    /// By `{"type": "disabled"}`.
    Disabled,
    /// By `{"type": "between_tools"}`, which comes closest.
    BetweenTools,
    /// Not at all.
    Never,
}

const OLD: Model = Model {
    max_output: 4096,
    sampling: Sampling::All,
    thinking: Thinking::None,
    schemas: false,
    forced_tools: true,
};
const FOURTH: Model = Model { max_output: 64_000, thinking: Thinking::Budget, ..OLD };
const FOUR_FIVE: Model = Model { sampling: Sampling::One, schemas: true, ..FOURTH };
const FOUR_SIX: Model = Model {
    max_output: 128_000,
    thinking: Thinking::Adaptive(Adaptive { off: Off::Omit, xhigh: false, silent: false }),
    ..FOUR_FIVE
};
const FOUR_SEVEN: Model = Model { sampling: Sampling::None, thinking: adaptive(Off::Omit), ..FOUR_SIX };
const FIFTH: Model = Model { thinking: adaptive(Off::Disabled), ..FOUR_SEVEN };
const ALWAYS_THINKING: Model = Model { thinking: adaptive(Off::Never), ..FIFTH };
const FIVE_FIVE: Model = Model { forced_tools: false, ..ALWAYS_THINKING };

const fn adaptive(off: Off) -> Thinking {
    Thinking::Adaptive(Adaptive { off, xhigh: true, silent: true })
}

/// What a model's name holds → what it takes. The first that fits counts.
const MODELS: &[(&str, Model)] = &[
    ("claude-sonnet-5-5", Model { thinking: adaptive(Off::BetweenTools), ..FIVE_FIVE }),
    ("claude-opus-5-5", FIVE_FIVE),
    ("claude-haiku-5-5", FIFTH),
    ("claude-fable-5-", FIVE_FIVE),
    ("claude-mythos-5-", FIVE_FIVE),
    ("claude-fable-5", ALWAYS_THINKING),
    ("claude-mythos-5", ALWAYS_THINKING),
    ("claude-opus-5", FIFTH),
    ("claude-sonnet-5", FIFTH),
    ("claude-opus-4-8", FOUR_SEVEN),
    ("claude-opus-4-7", FOUR_SEVEN),
    ("claude-opus-4-6", FOUR_SIX),
    ("claude-sonnet-4-6", FOUR_SIX),
    ("claude-opus-4-5", FOUR_FIVE),
    ("claude-sonnet-4-5", FOUR_FIVE),
    ("claude-haiku-4-5", FOUR_FIVE),
    // Its structured outputs never left the beta.
    ("claude-opus-4-1", Model { max_output: 32_000, sampling: Sampling::One, ..FOURTH }),
    ("claude-opus-4", Model { max_output: 32_000, ..FOURTH }),
    ("claude-sonnet-4", FOURTH),
    ("claude-3-7", FOURTH),
    ("claude-3-5", Model { max_output: 8192, ..OLD }),
    ("claude-3", OLD),
    ("claude-2", OLD),
    ("claude-instant", OLD),
    ("claude-", FIFTH),
];

/// What the model of this name takes. The name may be a platform's (`us.anthropic.claude-opus-4-5-20251101-v1:0`) and
/// may write its version with a dot. Of other makers' models nothing is known but that they speak the format.
pub(super) fn named(name: &str) -> Model {
    let name = name.to_ascii_lowercase().replace('.', "-");
    MODELS.iter().find(|(pattern, _)| name.contains(pattern)).map_or(OLD, |&(_, model)| model)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Model) {
        assert_eq!(named(name), expected, "{name}");
    }

    #[test]
    fn every_platforms_name_finds_its_model() {
        check("claude-opus-4-7", FOUR_SEVEN);
        check("anthropic.claude-opus-4-7", FOUR_SEVEN);
        check("global.anthropic.claude-opus-4-5-20251101-v1:0", FOUR_FIVE);
        check("claude-sonnet-4@20250514", FOURTH);
        check("claude-sonnet-4-20250514", FOURTH);
        check("Claude-Sonnet-4.6", FOUR_SIX);
        check("claude-3-5-haiku-latest", Model { max_output: 8192, ..OLD });
        check("claude-3.7-sonnet", FOURTH);
        check("claude-opus-5", FIFTH);
        check("claude-opus-5-5", FIVE_FIVE);
        check("claude-fable-5", ALWAYS_THINKING);
        check("claude-fable-5-2", FIVE_FIVE);
        check("claude-opus-9", FIFTH);
        check("glm-4.6", OLD);
    }
}
