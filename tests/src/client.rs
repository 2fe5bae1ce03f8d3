//! A small HTTP client that sends what it is told, byte for byte, and shows what comes back.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::SOON;

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    inner: legacy::Client<HttpConnector, Full<Bytes>>,
}

/// A request being put together.
#[derive(Debug)]
pub struct Sending {
    client: Client,
    request: Request<Full<Bytes>>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether the body came to its proper end.
    pub whole: bool,
}

impl Client {
    /// A client of the server at `address`.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { address, inner: legacy::Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// A request to `target`, a path with its query.
    #[must_use]
    pub fn call(&self, method: &Method, target: &str) -> Sending {
        let mut request = Request::new(Full::default());
        *request.method_mut() = method.clone();
        *request.uri_mut() = format!("http://{}{target}", self.address).parse().expect("a target");
        Sending { client: self.clone(), request }
    }

    /// A GET.
    #[must_use]
    pub fn get(&self, target: &str) -> Sending {
        self.call(&Method::GET, target)
    }

    /// A POST.
    #[must_use]
    pub fn post(&self, target: &str) -> Sending {
        self.call(&Method::POST, target)
    }
}

impl Sending {
    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().expect("a header value"));
        self
    }

    /// Sets several headers.
    #[must_use]
    pub fn headers(self, headers: &[(&'static str, &str)]) -> Self {
        headers.iter().fold(self, |sending, (name, value)| sending.header(name, value))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        self
    }

    /// Sets the body to JSON, and says so.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Sends, and returns when the head of the answer is there.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn open(self) -> Response<Incoming> {
        let answer = tokio::time::timeout(SOON, self.client.inner.request(self.request)).await;
        answer.expect("an answer in time").expect("an answer")
    }

    /// Sends, and returns the whole answer.
    ///
    /// # Panics
    /// When there is no answer, or its body does not end.
    pub async fn send(self) -> Answer {
        let (head, mut body) = self.open().await.into_parts();
        let (mut bytes, mut whole) = (Vec::new(), true);
        let read = async {
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                    Err(_) => whole = false,
                }
            }
        };
        tokio::time::timeout(SOON, read).await.expect("the end of the body in time");
        Answer { status: head.status.as_u16(), headers: head.headers, body: bytes.into(), whole }
    }
}

impl Answer {
    /// A header as text; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("JSON, not {}", self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
