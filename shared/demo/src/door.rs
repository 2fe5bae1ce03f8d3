//! The path of a call through the demo: read it, write it down, decide the reply, then send or spoil it.

use std::future::pending;
use std::io;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::time::sleep;

use crate::body::{self, Body};
use crate::call::{Call, Unread};
use crate::error::Refusal;
use crate::mischief::{Act, Wishes};
use crate::reply::Reply;
use crate::routes;
use crate::seen::Ticket;
use crate::server::{Order, Orders};
use crate::state::State;

/// Answers a request; the error ends the connection, as the client already did.
pub(crate) async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
    orders: Orders,
) -> io::Result<Response<Body>> {
    let call = match Call::read(state.next_number(), request).await {
        Ok(call) => call,
        Err(Unread::TooLarge) => return Ok(too_large()),
        Err(Unread::Broken) => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    let ticket = state.ledger.note(&call);
    let (reply, wishes) = match wishes(&state, &call) {
        Ok(wishes) => (routes::reply(&state, &call, &wishes), wishes),
        Err(wrong) => (routes::refuse(Refusal::bad_request(wrong), &call), Wishes::default()),
    };
    sleep(wishes.mischief.delay).await;
    Ok(send(reply, &wishes, &call.method, ticket, orders).await)
}

/// What the call wishes for, after its key was counted.
fn wishes(state: &State, call: &Call) -> Result<Wishes, String> {
    let wishes = Wishes::read(&call.headers, &call.model())?;
    let enough = match &wishes.times {
        Some((times, key)) => state.times_seen(key) > *times,
        None => false,
    };
    Ok(if enough { wishes.behaved() } else { wishes })
}

async fn send(
    reply: Reply,
    wishes: &Wishes,
    method: &Method,
    ticket: Ticket,
    orders: Orders,
) -> Response<Body> {
    match wishes.mischief.act {
        Some(Act::SilentHead) => pending().await,
        Some(Act::CutHead) => give(Order::Close, &ticket, &orders).await,
        Some(Act::ResetHead) => give(Order::Reset, &ticket, &orders).await,
        Some(Act::Malformed(kind)) => give(Order::Say(kind.bytes(reply)), &ticket, &orders).await,
        act => {
            let Reply { status, mut headers, content } = reply;
            if let Some(length) = content.length.filter(|_| may_have_length(status)) {
                headers.insert(header::CONTENT_LENGTH, length.into());
            }
            let body = if content.length == Some(0) || has_no_body(method, status) {
                ticket.complete();
                body::nothing()
            } else {
                body::tell(content, act, wishes.shape, ticket, orders)
            };
            respond(status, headers, body)
        }
    }
}

/// Hands the connection over and waits for it to be taken away.
async fn give(order: Order, ticket: &Ticket, orders: &Orders) -> Response<Body> {
    ticket.complete();
    let _ = orders.send(order);
    pending().await
}

fn respond(status: StatusCode, headers: http::HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn may_have_length(status: StatusCode) -> bool {
    status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
}

fn has_no_body(method: &Method, status: StatusCode) -> bool {
    method == Method::HEAD || !may_have_length(status)
}

fn too_large() -> Response<Body> {
    let mut headers = http::HeaderMap::new();
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    respond(StatusCode::PAYLOAD_TOO_LARGE, headers, body::nothing())
}
