//! The answer of an invoked function, taken out of the event stream that Lambda wraps it in.
//!
//! The payload's first bytes are the head of an HTTP response as JSON; eight zero bytes end them, and the body follows
//! as it is made. Either can be split over events anywhere.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use serde_json::Value;
use twinlane_gateway::Body;
use twinlane_gateway::body::{BoxError, streaming};

const ZEROS: [u8; 8] = [0; 8];

/// Far more than a head has. Whoever sends more before the zeros is no function of ours.
const LONGEST_HEAD: usize = 256 * 1024;

/// The response that an invocation streams, as soon as its head is there.
///
/// # Errors
/// When the invocation ends, or fails, before the head is whole.
pub(crate) async fn of(stream: Body) -> Result<Response<Body>, BoxError> {
    let mut payload = Payload::of(stream);
    let mut seen = BytesMut::new();
    let end = loop {
        let frame = payload.frame().await.ok_or("the invocation ended without a head")??;
        seen.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        if let Some(end) = seen.windows(ZEROS.len()).position(|window| window == ZEROS) {
            break end;
        }
        if seen.len() > LONGEST_HEAD {
            return Err("the invocation's head does not end".into());
        }
    };
    let response = head(&seen.split_to(end))?;
    seen.advance(ZEROS.len());
    payload.unread = seen.freeze();
    Ok(response.map(|()| streaming(payload)))
}

/// The head of a response, from what Lambda's runtime writes before the zeros.
fn head(json: &[u8]) -> Result<Response<()>, BoxError> {
    let json: Value = serde_json::from_slice(json)?;
    let mut response = Response::new(());
    let status = json["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    *response.status_mut() = StatusCode::from_u16(status.ok_or("the head has no status")?)?;
    let headers = json["headers"].as_object().into_iter().flatten();
    for (name, value) in headers {
        append(response.headers_mut(), &HeaderName::try_from(name)?, value)?;
    }
    append(response.headers_mut(), &http::header::SET_COOKIE, &json["cookies"])?;
    Ok(response)
}

/// Adds a value, or each of a list.
fn append(headers: &mut HeaderMap, name: &HeaderName, value: &Value) -> Result<(), BoxError> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for value in values.iter().filter_map(Value::as_str) {
        headers.append(name, HeaderValue::try_from(value)?);
    }
    Ok(())
}

/// The payload of an invocation: its chunks, until Lambda says that the invocation is complete.
#[derive(Debug)]
struct Payload {
    stream: Body,
    /// What was taken out already and is to be read again.
    unread: Bytes,
    buffer: BytesMut,
    decoder: MessageFrameDecoder,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Lambda has said so; its connection ends a moment later.
    Complete,
    Ended,
}

/// An event of the stream.
#[derive(Debug)]
enum Event {
    Chunk(Bytes),
    Complete,
}

impl Payload {
    fn of(stream: Body) -> Self {
        Self {
            stream,
            unread: Bytes::new(),
            buffer: BytesMut::new(),
            decoder: MessageFrameDecoder::new(),
            state: State::Open,
        }
    }

    /// The next event of what has come so far.
    fn event(&mut self) -> Result<Option<Event>, BoxError> {
        let DecodedFrame::Complete(message) = self.decoder.decode_frame(&mut self.buffer)? else {
            return Ok(None);
        };
        let header = |name: &str| {
            let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
            header.value().as_string().ok().map(|text| text.as_str())
        };
        match (header(":message-type"), header(":event-type")) {
            (Some("event"), Some("PayloadChunk")) => Ok(Some(Event::Chunk(message.payload().clone()))),
            (Some("event"), Some("InvokeComplete")) => complete(message.payload()).map(Some),
            (Some("event"), _) => Ok(Some(Event::Chunk(Bytes::new()))),
            _ => Err("Lambda ended the invocation with an exception".into()),
        }
    }

    /// What one step brings: an event's data, the end, or nothing yet.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BoxError>> {
        match self.event()? {
            Some(Event::Chunk(data)) => return Poll::Ready(Ok(Some(data))),
            Some(Event::Complete) => self.state = State::Complete,
            None => match ready!(Pin::new(&mut self.stream).poll_frame(cx)).transpose() {
                Ok(Some(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Ok(None) | Err(_) if self.state == State::Complete => return Poll::Ready(Ok(None)),
                Ok(None) => {
                    return Poll::Ready(Err("the connection to Lambda ended before the invocation".into()));
                }
                Err(error) => return Poll::Ready(Err(error)),
            },
        }
        Poll::Ready(Ok(Some(Bytes::new())))
    }
}

/// An invocation that failed says so in its last event. What it says may quote a payload, and is left unread.
fn complete(payload: &[u8]) -> Result<Event, BoxError> {
    let told: Value = if payload.is_empty() { Value::Null } else { serde_json::from_slice(payload)? };
    match told["ErrorCode"].as_str() {
        None | Some("") => Ok(Event::Complete),
        Some(_) => Err("the invocation failed".into()),
    }
}

impl http_body::Body for Payload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if !self.unread.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.unread)))));
        }
        while self.state != State::Ended {
            match ready!(self.poll_step(cx)) {
                Ok(Some(data)) if data.is_empty() => {}
                Ok(Some(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(None) => self.state = State::Ended,
                Err(error) => {
                    self.state = State::Ended;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
    use bytes::Bytes;
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};
    use twinlane_gateway::Body;
    use twinlane_gateway::body::{BoxError, streaming};

    use super::of;

    const ANSWER: &[u8] =
        b"{\"statusCode\":201,\"headers\":{\"x-a\":\"1\",\"x-b\":[\"2\",\"3\"]},\"cookies\":[\"c=1\"]}\0\0\0\0\0\0\0\0\0body";

    fn event(kind: &str, payload: &[u8]) -> Vec<u8> {
        let text =
            |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
        let message = Message::new(Bytes::copy_from_slice(payload))
            .add_header(text(":message-type", if kind == "Exception" { "exception" } else { "event" }))
            .add_header(text(":event-type", kind));
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes
    }

    /// A connection that brings these bytes piece by piece, and then ends.
    fn brings(bytes: &[u8], piece: usize) -> Body {
        let pieces: Vec<_> = bytes
            .chunks(piece)
            .map(|piece| Ok::<_, BoxError>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        streaming(StreamBody::new(stream::iter(pieces)))
    }

    fn whole(payload: &[u8], chunk: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            payload.chunks(chunk).flat_map(|chunk| event("PayloadChunk", chunk)).collect();
        bytes.extend(event("InvokeComplete", b"{}"));
        bytes
    }

    #[tokio::test]
    async fn an_answer_reads_the_same_however_it_is_split() {
        for chunk in 1..=ANSWER.len() {
            let response = of(brings(&whole(ANSWER, chunk), 7 * chunk)).await.unwrap();
            assert_eq!(response.status(), 201);
            assert_eq!(response.headers()["x-a"], "1");
            assert_eq!(response.headers().get_all("x-b").iter().count(), 2);
            assert_eq!(response.headers()["set-cookie"], "c=1");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, &b"\0body"[..], "a body may begin with a zero of its own");
        }
    }

    #[tokio::test]
    async fn an_empty_body_is_an_answer() {
        let response =
            of(brings(&whole(&[b"{\"statusCode\":204}", &[0; 8][..]].concat(), 9), 9)).await.unwrap();
        assert!(
            response.status() == 204 && response.into_body().collect().await.unwrap().to_bytes().is_empty()
        );
    }

    #[tokio::test]
    async fn an_invocation_that_does_not_end_well_breaks_the_body() {
        let failed = event("InvokeComplete", br#"{"ErrorCode":"Unhandled","ErrorDetails":"secret"}"#);
        for end in [failed, event("Exception", b"{}"), Vec::new(), b"nonsense, and not a frame".to_vec()] {
            let bytes = [event("PayloadChunk", ANSWER), end].concat();
            let mut body = of(brings(&bytes, 1000)).await.unwrap().into_body();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), &b"\0body"[..]);
            let error = body.frame().await.unwrap().unwrap_err();
            assert!(!error.to_string().contains("secret"));
            assert!(body.frame().await.is_none());
        }
    }

    #[tokio::test]
    async fn without_a_head_there_is_no_answer() {
        let failed = event("InvokeComplete", br#"{"ErrorCode":"Runtime.ExitError"}"#);
        for bytes in [failed, whole(b"no zeros", 3), whole(b"not JSON\0\0\0\0\0\0\0\0", 99), Vec::new()] {
            assert!(of(brings(&bytes, 1000)).await.is_err());
        }
    }
}
