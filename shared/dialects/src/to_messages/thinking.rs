//! Reasoning: how much of it is asked for, and the signed thoughts that go back to their author.

use serde_json::{Value, json};

use super::models::{Adaptive, Model, Off, Thinking};
use super::object;
use crate::field::{Object, take, wrong};
use crate::target::Refusal;

/// The least budget that Anthropic takes.
const LEAST_BUDGET: u64 = 1024;

/// How much reasoning a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    None,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    /// Reads `reasoning_effort`.
    pub(super) fn read(effort: &str) -> Result<Self, Refusal> {
        match effort {
            "none" => Ok(Self::None),
            "minimal" | "low" => Ok(Self::Low),
            "medium" => Ok(Self::Medium),
            "high" => Ok(Self::High),
            "xhigh" => Ok(Self::Xhigh),
            "max" => Ok(Self::Max),
            _ => Err(wrong("reasoning_effort", "one of none, minimal, low, medium, high, xhigh, max")),
        }
    }

    /// The tokens this is worth.
    pub(super) fn budget(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Low => 1024,
            Self::Medium => 2048,
            Self::High => 4096,
            Self::Xhigh => 8192,
            Self::Max => 16384,
        }
    }

    fn word(self, model: Adaptive) -> &'static str {
        match self {
            Self::None | Self::Low => "low",
            Self::Medium => "medium",
            Self::Xhigh if model.xhigh => "xhigh",
            Self::High | Self::Xhigh => "high",
            Self::Max => "max",
        }
    }
}

/// What stands around a request for reasoning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) max_tokens: u64,
    /// A tool is forced, with which Claude cannot think.
    pub(super) forced: bool,
    /// The assistant's last calls came without a signed thought.
    pub(super) lacks_thought: bool,
}

/// What is sent for a wish to reason.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    /// The `thinking` field.
    pub(super) thinking: Option<Value>,
    /// `output_config.effort`.
    pub(super) effort: Option<&'static str>,
    /// Whether the wish was not fulfilled.
    pub(super) dropped: bool,
}

impl Plan {
    /// Whether sampling must be left alone because the model thinks.
    pub(super) fn thinks(&self) -> bool {
        let kind = self.thinking.as_ref().and_then(|thinking| thinking["type"].as_str());
        matches!(kind, Some("adaptive" | "enabled"))
    }
}

/// Decides how a model is asked to reason.
pub(super) fn plan(wish: Option<Effort>, model: &Model, situation: Situation) -> Plan {
    let wanted = wish.filter(|&effort| effort != Effort::None);
    match model.thinking {
        Thinking::None => Plan { dropped: wanted.is_some(), ..Plan::default() },
        Thinking::Budget => with_budget(wanted, situation),
        Thinking::Adaptive(model) => adaptive(wish, model, situation.forced),
    }
}

fn adaptive(wish: Option<Effort>, model: Adaptive, forced: bool) -> Plan {
    // A model that always thinks does so with a forced tool, too.
    let forced = forced && model.off != Off::Never;
    match wish {
        Some(Effort::None) => without(model),
        Some(_) if forced => Plan { dropped: true, ..without(model) },
        Some(effort) => with_effort(effort, model),
        None if forced => without(model),
        None => Plan::default(),
    }
}

fn with_budget(wanted: Option<Effort>, situation: Situation) -> Plan {
    let Some(effort) = wanted else { return Plan::default() };
    let possible = !situation.forced && !situation.lacks_thought;
    match budget(effort.budget(), situation.max_tokens).filter(|_| possible) {
        Some(budget) => {
            let thinking = json!({ "type": "enabled", "budget_tokens": budget });
            Plan { thinking: Some(thinking), ..Plan::default() }
        }
        None => Plan { dropped: true, ..Plan::default() },
    }
}

/// A budget must be smaller than the whole answer, and not below the least.
fn budget(wanted: u64, max_tokens: u64) -> Option<u64> {
    let fitting = wanted.min(max_tokens.saturating_sub(1));
    (fitting >= LEAST_BUDGET).then_some(fitting)
}

fn with_effort(effort: Effort, model: Adaptive) -> Plan {
    // From Opus 4.7 on the text of the thoughts is left out unless it is asked for.
    let thinking = if model.silent {
        json!({ "type": "adaptive", "display": "summarized" })
    } else {
        json!({ "type": "adaptive" })
    };
    Plan { thinking: Some(thinking), effort: Some(effort.word(model)), dropped: false }
}

/// A model that always thinks is at least asked for little.
fn without(model: Adaptive) -> Plan {
    let thinking = |kind: &str| Plan { thinking: Some(json!({ "type": kind })), ..Plan::default() };
    match model.off {
        Off::Omit => Plan::default(),
        Off::Disabled => thinking("disabled"),
        Off::BetweenTools => thinking("between_tools"),
        Off::Never => Plan { effort: Some("low"), dropped: true, ..Plan::default() },
    }
}

/// The thoughts of an assistant's message that carry a signature, as blocks. Others are left out: Anthropic checks.
pub(super) fn signed(message: &mut Object) -> Vec<Value> {
    let native = take(message, "thinking_blocks");
    let details = take(message, "reasoning_details");
    let told = take(message, "reasoning_content");
    if let Some(Value::Array(blocks)) = native {
        return blocks.into_iter().filter(is_signed).collect();
    }
    let Some(Value::Array(details)) = details else { return Vec::new() };
    let mut told = told.filter(|_| details.len() == 1);
    details.into_iter().filter_map(|detail| block(detail, &mut told)).collect()
}

fn is_signed(block: &Value) -> bool {
    let has = |field: &str| block[field].as_str().is_some_and(|text| !text.is_empty());
    match block["type"].as_str() {
        Some("thinking") => block["thinking"].is_string() && has("signature"),
        Some("redacted_thinking") => has("data"),
        _ => false,
    }
}

/// One of `reasoning_details` as a block. A client that kept only the signature of the one thought in a message has
/// its text in `reasoning_content`.
fn block(mut detail: Value, told: &mut Option<Value>) -> Option<Value> {
    let ours = detail["format"].as_str().is_none_or(|format| format.starts_with("anthropic"));
    let detail = detail.as_object_mut().filter(|_| ours)?;
    let block = match detail.get("type")?.as_str()? {
        "reasoning.text" => object([
            ("type", "thinking".into()),
            ("thinking", take(detail, "text").or_else(|| told.take()).unwrap_or_else(|| "".into())),
            ("signature", take(detail, "signature")?),
        ]),
        "reasoning.encrypted" => {
            object([("type", "redacted_thinking".into()), ("data", take(detail, "data")?)])
        }
        _ => return None,
    };
    Some(block).filter(is_signed)
}
