//! What a hostile provider or client puts on the wire never comes out of an error: not in what a client is told, not in
//! what is logged.
//!
//! Input: bytes as they stand on the wire, answered to one of our requests or sent as one. `{SECRET}` stands for a key.
#![no_main]

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use twinlane_fuzz::runtime;
use twinlane_gateway::body::BoxError;
use twinlane_gateway::error::{Error, causes};
use twinlane_gateway::route::Surface;
use twinlane_gateway::upstream::Fault;

const SECRET: &[u8] = b"s3cr3t-planted-here";

const FAULTS: [Fault; 4] = [Fault::Cut, Fault::Malformed, Fault::Unfinished, Fault::FirstByte];

fuzz_target!(|wire: &[u8]| {
    let wire = planted(wire);
    runtime().block_on(async {
        if let Err(source) = as_a_reply(&wire).await {
            let fault = FAULTS[wire.len() % FAULTS.len()];
            tells_nothing(&Error::Upstream { service: "openai".to_owned(), fault, source: Some(source) });
        }
        for source in as_a_request(&wire).await {
            tells_nothing(&Error::BodyBroken { source });
        }
    });
});

fn planted(wire: &[u8]) -> Vec<u8> {
    let mut planted = Vec::with_capacity(wire.len() * 2);
    let mut rest = wire;
    while let Some(at) = rest.windows(8).position(|window| window == b"{SECRET}") {
        planted.extend_from_slice(&rest[..at]);
        planted.extend_from_slice(SECRET);
        rest = &rest[at + 8..];
    }
    planted.extend_from_slice(rest);
    planted
}

fn tells_nothing(error: &Error) {
    let mut told = vec![error.to_string(), causes(error)];
    told.extend(
        [Surface::Gateway, Surface::V1, Surface::V1Anthropic]
            .map(|surface| error.json(surface, "id").to_string()),
    );
    for text in told {
        // Half a key is a leak, too.
        let leaks = SECRET.windows(8).any(|part| text.as_bytes().windows(8).any(|window| window == part));
        assert!(!leaks, "{text}");
    }
}

/// The other side of a connection on which these bytes come, and then its end.
async fn sends(wire: &[u8]) -> (DuplexStream, DuplexStream) {
    let (ours, mut theirs) = duplex(wire.len().max(64 * 1024));
    let _ = theirs.write_all(wire).await;
    let _ = theirs.shutdown().await;
    (ours, theirs)
}

async fn as_a_reply(wire: &[u8]) -> Result<(), BoxError> {
    let (ours, _theirs) = sends(wire).await;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(ours)).await?;
    let request = Request::get("/v1/models?key=s3cr3t-planted-here").header("host", "up.example");
    let reply =
        sender.send_request(request.header("x-api-key", "s3cr3t-planted-here").body(Empty::<Bytes>::new())?);
    let read = async { Ok(reply.await?.into_body().collect().await?) };
    let (closed, read) = tokio::join!(connection, read);
    read.map(drop).and(closed.map_err(Into::into))
}

/// The errors of the body and of the connection, as the gateway and its door would meet them.
async fn as_a_request(wire: &[u8]) -> Vec<BoxError> {
    let (ours, _theirs) = sends(wire).await;
    let errors = std::cell::RefCell::new(Vec::<BoxError>::new());
    let read = service_fn(|request: Request<Incoming>| async {
        if let Err(error) = request.into_body().collect().await {
            errors.borrow_mut().push(error.into());
        }
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"ok"))))
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(ours), read).await;
    if let Err(error) = served {
        errors.borrow_mut().push(error.into());
    }
    errors.into_inner()
}
