//! Vercel's edge before a built deployment: applies the built routing table, keeps to the platform's limits, and passes a
//! request on to the function that the platform would have chosen, as a process of its own.
//!
//! The hop goes through this edge again, as it does there. Not here: caching, the firewall, compression, TLS.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::join_all;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::routes::{Routed, Routes, Target};
use super::{Function, IDENTITY, platform_headers};
use crate::Client;

/// The largest body that reaches a function: the documentation's "4.5 MB", read strictly.
pub const LARGEST_BODY: usize = 4_500_000;

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// A deployment that is being served.
#[derive(Debug)]
pub struct Edge {
    /// A client of it.
    pub client: Client,
    deployment: Arc<Deployment>,
    task: tokio::task::JoinHandle<()>,
}

/// Who may pass Deployment Protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// Everybody: there is none.
    Down,
    /// Who has signed in, and the project's own functions ("Trusted Sources").
    TrustsItsOwn,
    /// Only who has signed in; anybody else is answered with this status.
    TrustsNobody(u16),
}

#[derive(Debug)]
struct Deployment {
    routes: Routes,
    functions: HashMap<String, Function>,
    wall: Mutex<Wall>,
    client: legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Edge {
    /// Serves a build's `.vercel/output`, its functions started with these variables and the address of their hop.
    ///
    /// # Panics
    /// When it cannot be served.
    pub async fn start(output: &Path, vars: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let hop = format!("http://{address}/api/background");
        // The address that the platform would tell is https://; its host is enough for the hop to know its own.
        let vars = [&[("BACKGROUND_URL", hop.as_str()), ("VERCEL_URL", "127.0.0.1")], vars].concat();
        let deployment = Arc::new(Deployment {
            routes: Routes::read(output),
            functions: start_functions(output, &vars).await,
            wall: Mutex::new(Wall::Down),
            client: legacy::Client::builder(TokioExecutor::new()).build_http(),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&deployment)));
        Self { client: Client::to(address), deployment, task }
    }

    /// Puts a wall before every path of the deployment.
    ///
    /// # Panics
    /// Never, unless a test has panicked before.
    pub fn protect(&self, wall: Wall) {
        *self.deployment.wall.lock().expect("no poison") = wall;
    }

    /// A function by its path, such as `api/gateway`.
    #[must_use]
    pub fn function(&self, path: &str) -> &Function {
        &self.deployment.functions[path]
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The functions of a build: their paths, and their folders.
///
/// # Panics
/// When the build cannot be read.
#[must_use]
pub fn functions_of(output: &Path) -> Vec<(String, PathBuf)> {
    let api = std::fs::read_dir(output.join("functions/api")).expect("built functions");
    let folders = api.map(|entry| entry.expect("an entry").path());
    let named = folders.map(|folder| {
        let name = folder.file_stem().expect("a name").to_string_lossy().into_owned();
        (format!("api/{name}"), folder)
    });
    named.collect()
}

async fn start_functions(output: &Path, vars: &[(&str, &str)]) -> HashMap<String, Function> {
    let starting = functions_of(output).into_iter().map(|(path, folder)| async move {
        (path, Function::start_file(&folder.join("executable"), vars).await)
    });
    join_all(starting).await.into_iter().collect()
}

async fn serve(listener: TcpListener, deployment: Arc<Deployment>) {
    while let Ok((stream, _)) = listener.accept().await {
        let deployment = Arc::clone(&deployment);
        let service = service_fn(move |request| {
            let deployment = Arc::clone(&deployment);
            async move { Ok::<_, Infallible>(deployment.answer(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Deployment {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        if let Some(refusal) = self.refusal(&head.headers) {
            return refusal;
        }
        let routed = self.routes.route(head.uri.path(), &head.headers);
        let mut response = match &routed.target {
            Target::File(file) => published(file),
            Target::Nothing(status) => platform_says(*status, "NOT_FOUND"),
            Target::Function(path) => self.invoke(&self.functions[path], head, body, &routed).await,
        };
        for (name, value) in routed.headers {
            let name: HeaderName = name.parse().expect("a header's name");
            response.headers_mut().entry(name).or_insert(value.parse().expect("a header's value"));
        }
        response
    }

    /// What the wall answers to whom it does not let through.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response<Body>> {
        let signed_in = headers.get("cookie").is_some_and(|cookie| cookie == "_vercel_jwt=signed-in");
        let trusted = headers.get("x-vercel-trusted-oidc-idp-token").is_some_and(|token| token == IDENTITY);
        match *self.wall.lock().expect("no poison") {
            Wall::TrustsItsOwn if !signed_in && !trusted => Some(sign_in(401)),
            Wall::TrustsNobody(status) if !signed_in => Some(sign_in(status)),
            _ => None,
        }
    }

    async fn invoke(
        &self,
        function: &Function,
        head: Parts,
        body: Incoming,
        routed: &Routed,
    ) -> Response<Body> {
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        if body.len() > LARGEST_BODY {
            return platform_says(413, "FUNCTION_PAYLOAD_TOO_LARGE");
        }
        let number = function.next_invocation();
        let mut request = Request::from_parts(head, Full::new(body));
        *request.uri_mut() = as_seen_by(function.address, request.uri(), routed.query.as_deref());
        for (name, value) in platform_headers(number) {
            request.headers_mut().insert(name, value.parse().expect("a header's value"));
        }
        match self.client.request(request).await {
            Ok(response) => relayed(response, number),
            Err(_) => platform_says(500, "FUNCTION_INVOCATION_FAILED"),
        }
    }
}

/// A function sees the path that the client asked for, not the one it was led to.
fn as_seen_by(function: SocketAddr, asked: &Uri, added: Option<&str>) -> Uri {
    let query: Vec<&str> = asked.query().into_iter().chain(added).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("http://{function}{}{mark}{}", asked.path(), query.join("&")).parse().expect("a target")
}

/// The function's answer, piece by piece. The number in `x-vercel-id` is the one that the call's `end` will carry.
fn relayed(response: Response<Incoming>, number: u64) -> Response<Body> {
    let mut response = response.map(BodyExt::boxed_unsync);
    let id = HeaderValue::from_str(&format!("iad1::{number}")).expect("a header's value");
    response.headers_mut().insert("x-vercel-id", id);
    response
}

fn published(file: &Path) -> Response<Body> {
    Response::new(whole(std::fs::read(file).expect("a published file")))
}

fn platform_says(status: u16, error: &'static str) -> Response<Body> {
    let mut response = Response::new(whole(format!("An error occurred\n\n{error}\n")));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert("x-vercel-error", HeaderValue::from_static(error));
    response
}

fn sign_in(status: u16) -> Response<Body> {
    let mut response = Response::new(whole("<!doctype html><title>Authentication Required</title>"));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert("location", HeaderValue::from_static("https://vercel.com/sso-api"));
    response
}

fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}
