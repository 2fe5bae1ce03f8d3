//! What the clients here say: a chat of a kilobyte, with the headers of OpenAI's Python client, which a gateway has to go
//! through.

/// The token that the gateway's callers show.
pub(crate) const TOKEN: &str = "bench-0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) const HEADERS: [(&str, &str); 13] = [
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate"),
    ("content-type", "application/json"),
    ("user-agent", "OpenAI/Python 2.8.0"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-async", "false"),
    ("x-stainless-lang", "python"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-package-version", "2.8.0"),
    ("x-stainless-read-timeout", "600"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-runtime", "CPython"),
    ("x-stainless-runtime-version", "3.13.1"),
];

const SYSTEM: &str = "You are the one who answers. Answer in whole sentences, say what you do not know, and keep to what was \
    asked. Where the question has a wrong premise, say so first, in one sentence, and then answer the question that should \
    have been asked. Do not repeat the question. Do not apologise. Do not end with an offer to help further.";

const QUESTION: &str = "There is a gateway between me and the one who answers. It knows who I am, holds the keys, and carries \
    my question and the answer. I would like to know what it costs me: how much later I hear the first word, how much later \
    the last, and how much of the machine it takes. What should I measure, with what beside it, and how do I tell a figure \
    from the noise of a machine that others use at the same time? Please be brief: \\\"as few words as it takes\\\" is what I mean.";

/// The body of a request: Anthropic's words for its path, else OpenAI's. The model comes last, so that whoever looks for
/// it has to read all of it; `padding` is how many bytes the question is longer than usual.
pub(crate) fn body(path: &str, stream: bool, padding: usize) -> String {
    let question = format!("{QUESTION}{}", "x".repeat(padding));
    let rest = r#""temperature":0.7,"max_tokens":512,"model":"bench""#;
    if path.ends_with("/messages") {
        return format!(
            r#"{{"stream":{stream},"system":"{SYSTEM}","messages":[{{"role":"user","content":"{question}"}}],{rest}}}"#
        );
    }
    format!(
        r#"{{"stream":{stream},"messages":[{{"role":"system","content":"{SYSTEM}"}},{{"role":"user","content":"{question}"}}],{rest}}}"#
    )
}
