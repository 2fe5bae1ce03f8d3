//! What can be counted: which server stands between the client and the provider, what the one asks and the other answers.

use crate::Error;
use crate::said::{self, HEADERS, TOKEN};

/// How much longer an upload is than a chat: with it, 4 MiB.
const UPLOAD: usize = (4 << 20) - 1024;

/// A text that is in every chunk of a stream, once, whatever format it is told in.
pub(crate) const WORD: &[u8] = b"palabra";

/// What stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// The minimal proxy.
    Floor,
    /// The gateway.
    Gateway,
}

/// What kind of call it is, and so what is counted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A chat of a kilobyte, answered with another.
    Whole,
    /// The same chat, answered in chunks.
    Stream,
    /// A long chat, of which the highest memory above rest is told.
    Upload,
}

/// A kind of call.
#[derive(Debug)]
pub(crate) struct Exchange {
    name: &'static str,
    path: &'static str,
    pub(crate) between: Between,
    pub(crate) manner: Manner,
}

const PASSED: &str = "/gateway/bench/v1/chat/completions";
const UNIFIED: &str = "/v1/chat/completions";
const TRANSLATED: &str = "/v1/messages";

const ALL: [Exchange; 9] = [
    Exchange::of("floor", UNIFIED, Between::Floor, Manner::Whole),
    Exchange::of("floor-stream", UNIFIED, Between::Floor, Manner::Stream),
    Exchange::of("passed", PASSED, Between::Gateway, Manner::Whole),
    Exchange::of("passed-stream", PASSED, Between::Gateway, Manner::Stream),
    Exchange::of("unified", UNIFIED, Between::Gateway, Manner::Whole),
    Exchange::of("unified-stream", UNIFIED, Between::Gateway, Manner::Stream),
    Exchange::of("translated", TRANSLATED, Between::Gateway, Manner::Whole),
    Exchange::of("translated-stream", TRANSLATED, Between::Gateway, Manner::Stream),
    Exchange::of("upload", PASSED, Between::Gateway, Manner::Upload),
];

impl Exchange {
    const fn of(name: &'static str, path: &'static str, between: Between, manner: Manner) -> Self {
        Self { name, path, between, manner }
    }

    pub(crate) fn named(name: &str) -> Result<Self, Error> {
        let known = ALL.into_iter().find(|exchange| exchange.name == name);
        known.ok_or_else(|| format!("'{name}' is none of {}", Self::names()).into())
    }

    pub(crate) fn names() -> String {
        ALL.map(|exchange| exchange.name).join(", ")
    }

    /// The request as it goes over the wire.
    pub(crate) fn request(&self) -> Vec<u8> {
        let padding = if self.manner == Manner::Upload { UPLOAD } else { 0 };
        let body = said::body(self.path, self.manner == Manner::Stream, padding);
        let headers = HEADERS.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
        format!(
            "POST {} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}authorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\r\n{body}",
            self.path,
            body.len()
        )
        .into_bytes()
    }
}

/// A provider's answer to a chat, as it goes over the wire.
pub(crate) fn reply() -> Vec<u8> {
    let body = concat!(
        r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"bench","choices":[{"index":0,"#,
        r#""message":{"role":"assistant","content":"A gateway stands between those who ask and those who answer. It knows "#,
        r#"who may ask, keeps the keys that open the doors, and sends each question to the one who can answer it.","refusal":"#,
        r#"null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":187,"#,
        r#""completion_tokens":42,"total_tokens":229},"service_tier":"default","system_fingerprint":"fp_bench"}"#
    );
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The head of an answer in chunks.
pub(crate) const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// A chunk with one event, which holds [`WORD`].
pub(crate) fn event() -> Vec<u8> {
    let word = String::from_utf8_lossy(WORD);
    chunk(&format!(
        "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench\",\
         \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" {word}\"}},\"finish_reason\":null}}]}}\n\n"
    ))
}

/// How a stream ends.
pub(crate) fn stream_end() -> Vec<u8> {
    let head = "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench\"";
    let finish =
        format!("data: {head},\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n");
    let usage = "\"usage\":{\"prompt_tokens\":187,\"completion_tokens\":50,\"total_tokens\":237}";
    let last = format!("data: {head},\"choices\":[],{usage}}}\n\ndata: [DONE]\n\n");
    [chunk(&finish), chunk(&last), b"0\r\n\r\n".to_vec()].concat()
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}
