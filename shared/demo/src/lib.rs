//! A pretend provider that speaks every dialect and misbehaves on request.
//!
//! `cargo run` starts it as the service `demo`, so that a newcomer without a key sees a working gateway; the
//! tests use it as the hostile provider a gateway has to survive. It listens on loopback only, wants no key,
//! and what it answers is honest and visibly synthetic: no model is ever asked.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let demo = twinlane_demo::Demo::start().await?;
//! assert!(demo.url().starts_with("http://127.0.0.1:"));
//! assert!(demo.calls().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What it answers
//!
//! | paths | dialect |
//! |---|---|
//! | `/v1/chat/completions`, `/v1/completions`, `/v1/responses`, `/v1/embeddings`, `/v1/images/{generations,edits}`, `/v1/audio/{speech,transcriptions,translations}`, `/v1/moderations`, `/v1/files…`, `/v1/batches…`, `/v1/models…` | OpenAI |
//! | the same below `/openai/v1` (Azure when `api-key` is sent, else Groq or Bedrock), `/openai/deployments/{name}` (Azure), `/v1beta/openai` (Gemini), `/compatibility/v1` (Cohere), `/api/v1` (OpenRouter), `/inference/v1`, `/inference`, `/serverless/v1`, `/api/paas/v4`, `/client/v4/accounts/{account}/ai/v1`; `/chat/completions` | OpenAI, with that provider's accent |
//! | `/v1/messages`, `/v1/messages/count_tokens`, and `/v1/models…` when `anthropic-version` is sent; the same below `/anthropic/v1` | Anthropic |
//! | `/v1beta/models…` or `/v1/models…` with `:generateContent`, `:streamGenerateContent`, `:countTokens`, `:embedContent`, `:batchEmbedContents` | Gemini |
//! | `/client/v4/accounts/{account}/ai/run/{model}`, `…/ai/models/search` | Workers AI |
//! | `/api/chat-with-ai`, `/api/features`, `/api/assets` with an `API-KEY`, and `/models` | 1min.ai |
//! | `/echo…` | any method: the body as it came, with `x-demo-sha256`, `x-demo-method` and `x-demo-target` |
//! | `/bytes/{n}` | [`bytes()`] of that length, also in ranges; `?chunked=1` in uneven chunks without a length |
//! | `/status/{n}` | that status; a redirect leads to a port where nothing listens |
//! | `/headers` | the headers that arrived, under reply headers a gateway should think about |
//! | `/encoded` | a gzip body with its `content-encoding` |
//!
//! It tells a story when one is asked for, quotes a tool's result, describes the images it was sent, counts a
//! word as a token, thinks aloud when an effort or a budget asks for it, and answers a JSON schema with its
//! smallest instance. It calls an offered tool when the message mentions the weather or the choice demands it
//! (twice when it mentions two cities); when it mentions tools, it calls two different ones at once, says so
//! first, and streams their arguments in turns.
//!
//! It is as strict as the provider: a result without its call, a text of white space, a thought whose
//! signature is not the demo's own, a parameter the model does not take are refused in the provider's words.
//!
//! # How to be mistreated
//!
//! Any endpoint obeys these request headers. A value it does not understand is answered 400.
//!
//! | header | effect |
//! |---|---|
//! | `x-demo-status: N` | answers that status, with an error body in the dialect's shape |
//! | `x-demo-retry-after: S` | adds `retry-after: S` |
//! | `x-demo-delay-ms: N` | waits before the head |
//! | `x-demo-silence: head` | never answers |
//! | `x-demo-silence: stream` | sends the head and two pieces (half of a body of known length), then nothing for ever |
//! | `x-demo-cut: head`, `reset` | closes (FIN), resets (RST) before any byte, once the request has arrived |
//! | `x-demo-cut: body`, `body-reset` | closes, resets after two pieces of a stream, or half of a body of known length |
//! | `x-demo-cut: clean` | ends a stream properly, but without its finish reason and what follows it |
//! | `x-demo-cut: error` | ends a stream after two pieces with an error in the dialect's words; what is no stream is overloaded (503, Anthropic 529, OpenRouter 200) |
//! | `x-demo-cut-after: N` | cuts, fails, or falls silent, after N pieces instead; 0 is right after the head |
//! | `x-demo-malformed: KIND` | `status-line`, `bad-chunk`, `two-lengths`, `length-and-chunked`, `te-unknown`, `header-name`, `http09`, `switching` (101), `informational` (103, then the proper reply), `huge-head` (1 MiB) |
//! | `x-demo-times: K` with `x-demo-key: ANY` | only the first K calls with that key are treated so; all headers above are forgiven after that, those below are not |
//! | `x-demo-chunk-delay-ms: N` | waits before each piece of a stream; 25 unless said otherwise, 0 for `/bytes` |
//! | `x-demo-chunks: N` | streams that many text deltas |
//! | `x-demo-bytes: N` | pads each text delta, or the whole text, to N characters |
//! | `x-demo-flavour: NAME` | has the accent of `openai`, `azure`, `cohere`, `deepseek`, `gemini-compat`, `groq`, `huggingface`, `mistral`, `ollama`, `openrouter`, `together`, `vertex` or `xai` |
//!
//! A piece is an event of a stream, so the first is not yet text. Of several contradicting headers, malformed
//! wins over cut, cut over silence. Streams end with a pause of 20 ms before a cut, so that what came before
//! it has left.
//!
//! # What a model's name does
//!
//! Where no header arrives, because a gateway translates or a person has only curl, the model's name asks for
//! the same. A name that is `demo`, or ends in it, is followed by words, as many as you like:
//! `demo-flavour-mistral-tools`, `gemini-3-pro-demo-thinking`, `@cf/meta/llama-demo-cut`. Any other name, and
//! any other word, asks for nothing. What a model can do is read from the beginning of its name, so that
//! `gemini-3…`, `claude-opus-4-7…` and `gpt-5…` are as strict as those models are.
//!
//! | word | effect |
//! |---|---|
//! | `slow` | waits two seconds, then streams four words a second |
//! | `silent` | never answers |
//! | `cut` | closes the connection after five pieces |
//! | `ended` | ends the stream properly, but without its finish reason |
//! | `overloaded` | fails in the dialect's words after five pieces of a stream, or at once |
//! | `error-N` | answers the status N |
//! | `flavour-NAME` | has that provider's accent |
//! | `tools` | calls the offered tools whatever was asked: two different ones at once if there are two |
//! | `thinking` | thinks aloud whether or not that was asked for |
//! | `length` | stops half-way as if a limit were reached; a tool's arguments break off |
//! | `refusal` | stops after four words by the provider's rules (`content_filter`, `refusal`, `SAFETY`) |
//! | `blocked` | refuses the question itself, with no word said |
//! | `empty` | has nothing to say |

mod anthropic;
mod base64;
mod body;
mod call;
mod door;
mod embedding;
mod error;
mod flavour;
mod gemini;
mod malformed;
mod media;
mod mischief;
mod multipart;
mod noise;
mod onemin;
mod openai;
mod probes;
mod prompt;
mod reply;
mod routes;
mod scene;
mod schema;
mod seen;
mod server;
mod signature;
mod speech;
mod state;
#[cfg(test)]
mod tests;
mod tools;
mod workers_ai;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::task::JoinHandle;

pub use seen::{End, Seen};
use state::State;

/// A running demo provider; dropping it stops it and cuts its connections.
#[derive(Debug)]
pub struct Demo {
    addr: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl Demo {
    /// Starts a demo on a free port of 127.0.0.1.
    pub async fn start() -> io::Result<Self> {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts a demo on a loopback address of your choice; any other address is refused.
    pub async fn start_on(addr: SocketAddr) -> io::Result<Self> {
        let listener = server::listen(addr).await?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State::default());
        let server = tokio::spawn(server::run(listener, Arc::clone(&state)));
        Ok(Self { addr, state, server })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What arrived since the start or the last [`Demo::clear`], oldest first, and what became of it so far.
    pub fn calls(&self) -> Vec<Seen> {
        self.state.ledger.calls()
    }

    /// Forgets the calls, and how often each `x-demo-key` came.
    pub fn clear(&self) {
        self.state.clear();
    }

    /// How many TCP connections were accepted since the start.
    pub fn connections(&self) -> usize {
        self.state.connections()
    }

    /// How many of them are open now.
    pub fn open_connections(&self) -> usize {
        self.state.open_connections()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The first `n` bytes of what `GET /bytes/{n}` answers, for a test to compare.
pub fn bytes(n: u64) -> bytes::Bytes {
    noise::bytes(0..n)
}
