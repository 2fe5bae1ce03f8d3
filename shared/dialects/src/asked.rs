//! What a reply's translation must remember of the request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Facts about a request that its reply is written by. Filled by the request codecs, read by the reply codecs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The model as the client named it: what a reply says where the provider names none.
    pub model: String,
    /// The call's id, from which ids are made where the provider sends none (`chatcmpl-…`, `msg_…`, `resp_…`).
    pub id: String,
    /// When the call came in, in seconds since 1970, where the provider sends no `created`.
    pub created: u64,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// Whether the client asked for usage at the end of a chat stream (`stream_options.include_usage`).
    pub include_usage: bool,
    /// Tool names that the provider does not take as they are: sent name → the client's name.
    pub tool_names: BTreeMap<String, String>,
    /// Whether a JSON schema is emulated by a forced tool, whose input is then the answer's content.
    pub json_tool: bool,
    /// The prompt's tokens by estimate, for formats that tell them before the provider does.
    pub prompt_estimate: u64,
    /// Whether a Gemini client did not ask to see thoughts (`includeThoughts`), so that none are written.
    pub hide_thoughts: bool,
    /// Whether embeddings were asked for in base64. openai-node reads a list of floats as bytes then: wrong numbers.
    pub base64_embeddings: bool,
    /// A responses client's tools that take free text. Chat's take JSON, so theirs have one parameter, `input`.
    pub custom_tools: BTreeSet<String>,
    /// The parameters of a responses request that its reply repeats.
    pub repeated: Map<String, Value>,
}

impl Asked {
    /// The client's name of a tool that the provider calls `sent`.
    #[must_use]
    pub fn tool_name<'a>(&'a self, sent: &'a str) -> &'a str {
        self.tool_names.get(sent).map_or(sent, String::as_str)
    }
}
