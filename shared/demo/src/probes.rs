//! Endpoints no provider has, for looking at what a gateway does to bytes and headers.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::final_status;
use crate::reply::{Content, Reply};
use crate::routes::unknown;
use crate::{media, noise};

/// `/bytes/{n}` promises no more than this.
const MOST_BYTES: u64 = 8 << 30;
/// The sizes of the chunks of `/bytes/{n}?chunked=1`, over and over.
const UNEVEN: [u64; 6] = [1, 7, 1_000, 16_384, 3, 60_001];
/// Redirects lead to the discard port, where nothing listens: whoever follows one is found out.
const ELSEWHERE: &str = "http://127.0.0.1:9/elsewhere";

pub(crate) fn reply(call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        (_, ["echo", ..]) => Ok(echo(call)),
        ("GET", ["bytes", n]) => bytes(call, n),
        (_, ["status", n]) => status(n),
        (_, ["headers"]) => Ok(headers(call)),
        ("GET", ["encoded"]) => Ok(encoded()),
        // Where 1min.ai's pictures are fetched.
        ("GET", ["demo", "pictures", name]) => Ok(Reply::bytes("image/png", media::png(name))),
        _ => Err(unknown(call)),
    }
}

fn echo(call: &Call) -> Reply {
    let reply = Reply::empty()
        .with_content(Content::whole(call.body.clone()))
        .tell("x-demo-sha256", noise::sha256(&call.body))
        .tell("x-demo-method", call.method.as_str())
        .tell("x-demo-target", &call.target);
    match call.headers.get(header::CONTENT_TYPE) {
        Some(kind) => reply.with(header::CONTENT_TYPE, kind),
        None => reply,
    }
}

fn bytes(call: &Call, n: &str) -> Result<Reply, Refusal> {
    let n = n.parse().ok().filter(|n| *n <= MOST_BYTES);
    let n =
        n.ok_or_else(|| Refusal::bad_request(format!("/bytes/{{n}} wants a number up to {MOST_BYTES}.")))?;
    let reply = Reply::bytes("application/octet-stream", "").tell("accept-ranges", "bytes");
    if call.query("chunked") == Some("1") {
        let content = Content { length: None, ..Content::sized(n, Box::new(chunks(0..n, &UNEVEN))) };
        return Ok(reply.with_content(content));
    }
    Ok(match call.header("range").and_then(|asked| range(asked, n)) {
        None => reply.with_content(noise_of(0..n)),
        Some(Ok(part)) => partial(reply, &part, n),
        Some(Err(())) => {
            reply.with_status(StatusCode::RANGE_NOT_SATISFIABLE).tell("content-range", format!("bytes */{n}"))
        }
    })
}

fn partial(reply: Reply, part: &Range<u64>, n: u64) -> Reply {
    reply
        .with_status(StatusCode::PARTIAL_CONTENT)
        .tell("content-range", format!("bytes {}-{}/{n}", part.start, part.end - 1))
        .with_content(noise_of(part.clone()))
}

fn noise_of(part: Range<u64>) -> Content {
    Content::sized(part.end - part.start, Box::new(chunks(part, &[64 << 10])))
}

fn chunks(part: Range<u64>, sizes: &'static [u64]) -> impl Iterator<Item = Bytes> + Send {
    let mut from = part.start;
    sizes.iter().cycle().map_while(move |size| {
        let chunk = from..part.end.min(from + size);
        from = chunk.end;
        (!chunk.is_empty()).then(|| noise::bytes(chunk))
    })
}

/// A single byte range of `n` bytes; `None` when the header is one to ignore, an error when no byte is in it.
fn range(asked: &str, n: u64) -> Option<Result<Range<u64>, ()>> {
    let (first, last) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let part = match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(first), Some(last)) if last >= first => first..n.min(last.saturating_add(1)),
        (Some(first), None) if last.is_empty() => first..n,
        (None, Some(suffix)) if first.is_empty() => n.saturating_sub(suffix)..n,
        _ => return None,
    };
    Some(if part.is_empty() { Err(()) } else { Ok(part) })
}

fn status(n: &str) -> Result<Reply, Refusal> {
    let status = final_status(n);
    let status = status.ok_or_else(|| Refusal::bad_request("/status/{n} wants a number from 200 to 999."))?;
    if status.is_client_error() || status.is_server_error() {
        return Err(Refusal::new(status, format!("You asked for {}.", status.as_u16())));
    }
    let reply = Reply::json(&json!({"status": status.as_u16()})).with_status(status);
    Ok(if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        reply.with(header::LOCATION, ELSEWHERE)
    } else {
        reply
    })
}

/// Tells which headers arrived, and answers with those a gateway should think about.
fn headers(call: &Call) -> Reply {
    let arrived = headers_of(&call.headers);
    Reply::json(&json!({"method": call.method.as_str(), "target": call.target, "headers": arrived}))
        .tell("set-cookie", "demo=1; Path=/")
        .tell("alt-svc", "h3=\":443\"; ma=86400")
        .tell("strict-transport-security", "max-age=63072000")
        .tell("access-control-allow-origin", "*")
        .tell("connection", "x-nominated")
        .tell("x-nominated", "1")
        .tell("x-vercel-id", "iad1::demo")
        .tell("x-multi", "one")
        .tell("x-multi", "two")
        .tell("x-custom", "kept")
}

/// Each header with all of its values.
pub(crate) fn headers_of(headers: &HeaderMap) -> Value {
    let values = |name| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let told = headers.keys().map(|name| (name.to_string(), values(name).collect::<Value>()));
    Value::Object(told.collect::<Map<_, _>>())
}

fn encoded() -> Reply {
    let text = "These bytes were compressed at the source. Twinlane hands them on as they are.\n".repeat(20);
    Reply::bytes("text/plain; charset=utf-8", media::gzip(text.as_bytes()))
        .with(header::CONTENT_ENCODING, "gzip")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: &str, wanted: &Option<Result<Range<u64>, ()>>) {
        assert_eq!(&range(asked, 100), wanted, "{asked}");
    }

    #[test]
    fn ranges_are_read_as_http_says() {
        check("bytes=0-9", &Some(Ok(0..10)));
        check("bytes=90-", &Some(Ok(90..100)));
        check("bytes=-5", &Some(Ok(95..100)));
        check("bytes=50-5000", &Some(Ok(50..100)));
        check("bytes=100-", &Some(Err(())));
        check("bytes=9-1", &None);
        check("bytes=0-1,5-6", &None);
        check("lines=0-9", &None);
    }

    #[test]
    fn uneven_chunks_are_the_same_bytes_as_even_ones() {
        let uneven: Vec<u8> = chunks(0..100_000, &UNEVEN).flatten().collect();
        assert_eq!(uneven, noise_of(0..100_000).collect());
    }
}
