//! How much a model is asked to think: OpenAI's effort in the words each generation of Gemini takes.

use serde_json::{Value, json};

use super::model::bare;
use crate::target::Refusal;

/// What a model lets itself be told.
#[derive(Debug, Clone, Copy)]
enum Thinking {
    /// One of these levels, least first. It cannot be switched off.
    Levels(&'static [&'static str]),
    /// A number of tokens, at least so many; and whether it can be switched off.
    Budget { least: u32, off: bool },
    /// Nothing.
    Fixed,
}

/// From the least thinking to the most.
const LEVELS: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];
const FROM_LOW: &[&str] = &["LOW", "MEDIUM", "HIGH"];

/// By the beginning of the model's name; the first that fits counts.
///
/// Google refuses a level that a model does not have with 400, so `MINIMAL` is only for those that document it: the
/// Flash models from 3.7 on do not. A new model falls to the last line.
const MODELS: &[(&str, Thinking)] = &[
    ("gemini-3-pro-image", Thinking::Fixed),
    ("gemini-3.1-flash-image", Thinking::Levels(&["MINIMAL", "HIGH"])),
    ("gemini-3.1-flash-lite-image", Thinking::Levels(&["MINIMAL", "HIGH"])),
    ("gemini-3-pro", Thinking::Levels(&["LOW", "HIGH"])),
    ("gemini-3-flash", Thinking::Levels(LEVELS)),
    ("gemini-3.1-flash-lite", Thinking::Levels(LEVELS)),
    ("gemini-3.5-flash", Thinking::Levels(LEVELS)),
    ("gemini-2.5-flash-image", Thinking::Fixed),
    ("gemini-2.5-pro", Thinking::Budget { least: 128, off: false }),
    ("gemini-2.5", Thinking::Budget { least: 512, off: true }),
    ("gemini-1", Thinking::Fixed),
    ("gemini-2", Thinking::Fixed),
    ("gemini-", Thinking::Levels(FROM_LOW)),
];

/// The `thinkingConfig` for an effort, `None` where the model cannot be told.
pub(super) fn config(effort: &str, model: &str) -> Result<Option<Value>, Refusal> {
    let Some(rank) = rank(effort) else {
        let message = "`reasoning_effort` must be none, minimal, low, medium, high, xhigh or max.";
        return Err(Refusal::of("reasoning_effort", "invalid_value", message));
    };
    Ok(match thinking_of(model) {
        Thinking::Fixed => None,
        Thinking::Levels(levels) => Some(level(rank, levels)),
        Thinking::Budget { least, off } => budget(rank, least, off),
    })
}

/// None, minimal, low, medium, high: 0 to 4. Gemini has nothing above high.
fn rank(effort: &str) -> Option<usize> {
    let efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    efforts.iter().position(|known| *known == effort).map(|rank| rank.min(4))
}

fn thinking_of(model: &str) -> Thinking {
    let model = bare(model);
    if model.contains("-tts") {
        return Thinking::Fixed;
    }
    let found = MODELS.iter().find(|(start, _)| model.starts_with(start));
    found.map_or(Thinking::Fixed, |(_, thinking)| *thinking)
}

/// The least level that is as much as was asked for; where nothing was, the least, without a word of it.
fn level(rank: usize, levels: &[&str]) -> Value {
    let asked = &LEVELS[rank.saturating_sub(1)..];
    let level = asked.iter().find(|level| levels.contains(level)).or(levels.last());
    json!({ "thinkingLevel": level, "includeThoughts": rank > 0 })
}

fn budget(rank: usize, least: u32, off: bool) -> Option<Value> {
    let tokens = match rank {
        0 => return off.then(|| json!({ "thinkingBudget": 0 })),
        1 => least,
        2 => 1024,
        3 => 8192,
        _ => 24576,
    };
    Some(json!({ "thinkingBudget": tokens, "includeThoughts": true }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::config;

    fn check(model: &str, effort: &str, expected: &Value) {
        let found = config(effort, model).unwrap().unwrap_or_default();
        assert_eq!(&found, expected, "{model} {effort}");
    }

    #[test]
    fn later_models_are_told_a_level_they_have() {
        let level = |level: &str| json!({"thinkingLevel": level, "includeThoughts": true});
        check("gemini-3-flash-preview", "minimal", &level("MINIMAL"));
        check("gemini-3-flash-preview", "medium", &level("MEDIUM"));
        check("gemini-3-pro-preview", "minimal", &level("LOW"));
        check("gemini-3-pro-preview", "medium", &level("HIGH"));
        check("models/gemini-3.8-flash", "minimal", &level("LOW"));
        check("gemini-flash-latest", "low", &level("LOW"));
        check("gemini-3.1-pro-preview", "max", &level("HIGH"));
        check("gemini-3.1-flash-image", "low", &level("HIGH"));
        check("gemini-3-flash", "none", &json!({"thinkingLevel": "MINIMAL", "includeThoughts": false}));
        check("gemini-3.8-flash", "none", &json!({"thinkingLevel": "LOW", "includeThoughts": false}));
    }

    #[test]
    fn earlier_models_are_told_a_budget() {
        let budget = |tokens: u32| json!({"thinkingBudget": tokens, "includeThoughts": true});
        check("gemini-2.5-flash", "none", &json!({"thinkingBudget": 0}));
        check("gemini-2.5-flash", "minimal", &budget(512));
        check("gemini-2.5-pro", "minimal", &budget(128));
        check("gemini-2.5-pro", "none", &Value::Null);
        check("gemini-2.5-pro", "low", &budget(1024));
        check("gemini-2.5-flash-lite", "medium", &budget(8192));
        check("gemini-2.5-pro", "xhigh", &budget(24576));
    }

    #[test]
    fn models_that_cannot_be_told_are_not() {
        for model in
            ["gemini-2.0-flash", "gemma-3-27b-it", "gemini-2.5-flash-preview-tts", "tunedModels/mine"]
        {
            check(model, "high", &Value::Null);
        }
        assert_eq!(config("enormous", "gemini-3-pro").unwrap_err().code, "invalid_value");
    }
}
