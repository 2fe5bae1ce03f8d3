//! The provider that costs next to nothing, so that what is measured is what stands before it.
//!
//! `mock-provider PORT [PACE]` listens on 127.0.0.1 and answers `POST …/chat/completions` at once with the same kilobyte of
//! JSON; where the body asks for a stream, with `?chunks=20&interval_us=5000&first_us=0` (the defaults) it sends that many
//! events at that interval. PACE is the query of requests that have none. Timers tick in milliseconds; an interval of 0
//! waits for nothing.

mod events;

use std::net::Ipv4Addr;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use events::{Events, Pace};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Reply = Response<Either<Full<Bytes>, Events>>;

/// A completion as OpenAI words it, about a kilobyte of it.
const COMPLETION: &str = concat!(
    r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"bench","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":"A gateway stands between those who ask and those who answer. It knows who "#,
    r#"may ask, keeps the keys that open the doors, and sends each question to the one who can answer it. When the answer "#,
    r#"comes in pieces, it hands on every piece as it comes; when the answer breaks off, it says so. It waits as long as is "#,
    r#"sensible and no longer, asks again where that can do no harm, and remembers what was asked and what it cost, but not "#,
    r#"what was said. Above all it should not be felt: the one who asks should hear the first word as soon as if there were "#,
    r#"nobody in between, and the machine it runs on should have better things to do than to carry words.","refusal":null,"#,
    r#""annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":187,"completion_tokens":142,"#,
    r#""total_tokens":329},"service_tier":"default","system_fingerprint":"fp_bench"}"#
);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let port = std::env::args().nth(1).ok_or("usage: mock-provider PORT [PACE]")?;
    let pace = Pace::of(&std::env::args().nth(2).unwrap_or_default())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse()?)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service_fn(move |request| answer(request, pace));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, usual: Pace) -> Result<Reply, Error> {
    let chat = request.method() == Method::POST && request.uri().path().ends_with("/chat/completions");
    let pace = request.uri().query().map_or(Ok(usual), Pace::of);
    let body = request.into_body().collect().await?.to_bytes();
    Ok(match (chat, asks_for_stream(&body)) {
        (false, _) => reply(StatusCode::NOT_FOUND, "application/json", Either::Left(Full::from("{}"))),
        (true, false) => reply(StatusCode::OK, "application/json", Either::Left(Full::from(COMPLETION))),
        (true, true) => reply(StatusCode::OK, "text/event-stream", Either::Right(Events::at(pace?))),
    })
}

fn asks_for_stream(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|body| body.contains(r#""stream":true"#))
}

fn reply(status: StatusCode, kind: &'static str, body: Either<Full<Bytes>, Events>) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}
