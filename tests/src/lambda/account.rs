//! The services of AWS that the functions ask: the Invoke API, and the two stores of secrets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::wire::{self, Breakable, Sender, json_answer};
use super::{Function, Invocation, Invoker, MOST_EVENT, Part, frames};

/// An account with functions in it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Where its services are.
    pub address: SocketAddr,
    services: Arc<Services>,
}

/// How the Invoke API treats those who ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// It invokes.
    #[default]
    Invokes,
    /// It answers a status with an error of this type, and invokes nothing.
    Refuses(u16, &'static str),
    /// It accepts, and the function fails before it has said anything.
    Fails,
    /// It accepts, and the connection breaks after the function's first so many chunks.
    Breaks(usize),
}

/// A request to one of the services.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

#[derive(Debug, Default)]
struct Services {
    functions: Mutex<HashMap<String, Invoker>>,
    mood: Mutex<Mood>,
    secrets: Mutex<HashMap<String, String>>,
    asked: Mutex<Vec<Asked>>,
}

impl Account {
    /// An account without functions.
    pub async fn open() -> Self {
        let services = Arc::new(Services::default());
        let ours = Arc::clone(&services);
        let address = wire::serve(move |request| Arc::clone(&ours).answer(request)).await;
        Self { address, services }
    }

    /// Creates a function, and starts its program with what its role lets it have.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn function(&self, name: &str, program: &str, vars: &[(&str, &str)]) -> Function {
        let url = format!("http://{}", self.address);
        let role = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret/access+key"),
            ("AWS_SESSION_TOKEN", "session/token=="),
        ];
        let function = Function::start(program, &[&role, vars].concat()).await;
        self.services.functions.lock().expect("no poison").insert(name.to_owned(), function.invoker());
        function
    }

    /// Changes how the Invoke API treats those who ask.
    ///
    /// # Panics
    /// Never.
    pub fn is(&self, mood: Mood) {
        *self.services.mood.lock().expect("no poison") = mood;
    }

    /// Keeps a text under an ARN.
    ///
    /// # Panics
    /// Never.
    pub fn keep(&self, arn: &str, text: &str) {
        self.services.secrets.lock().expect("no poison").insert(arn.to_owned(), text.to_owned());
    }

    /// What was asked so far.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.services.asked.lock().expect("no poison").clone()
    }
}

impl Services {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Breakable> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let asked = Asked { path: head.uri.path().to_owned(), headers: head.headers, body };
        self.asked.lock().expect("no poison").push(asked.clone());
        let function = asked.path.strip_prefix("/2021-11-15/functions/");
        match function.and_then(|rest| rest.strip_suffix("/response-streaming-invocations")) {
            Some(name) => self.invoke(name, &asked.body),
            None => self.secret(&asked),
        }
    }

    /// `InvokeWithResponseStream`.
    fn invoke(&self, name: &str, event: &Bytes) -> Response<Breakable> {
        let name = name.replace("%3A", ":");
        let name = name.rsplit(":function:").next().and_then(|name| name.split(':').next());
        let function = self.functions.lock().expect("no poison").get(name.unwrap_or_default()).cloned();
        match (*self.mood.lock().expect("no poison"), function) {
            (Mood::Refuses(status, kind), _) => refusal(status, kind),
            (_, None) => refusal(404, "ResourceNotFoundException"),
            _ if event.len() > MOST_EVENT => refusal(413, "RequestTooLargeException"),
            (mood, Some(function)) => streamed(&function, event, mood),
        }
    }

    /// Secrets Manager and the parameter store, told apart by what is asked of them.
    fn secret(&self, asked: &Asked) -> Response<Breakable> {
        let question: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let arn = question["SecretId"].as_str().or(question["Name"].as_str()).unwrap_or_default();
        let secret = self.secrets.lock().expect("no poison").get(arn).cloned();
        let target = asked.headers.get("x-amz-target").map_or(&[][..], http::HeaderValue::as_bytes);
        match (target, secret) {
            (b"secretsmanager.GetSecretValue", Some(text)) => {
                json_answer(200, &json!({ "SecretString": text }))
            }
            (b"AmazonSSM.GetParameter", Some(text)) if question["WithDecryption"] == true => {
                json_answer(200, &json!({ "Parameter": { "Value": text } }))
            }
            _ => json_answer(400, &json!({ "__type": "ResourceNotFoundException" })),
        }
    }
}

fn refusal(status: u16, kind: &str) -> Response<Breakable> {
    let mut response = json_answer(status, &json!({ "Type": "User", "message": kind }));
    response.headers_mut().insert("x-amzn-errortype", kind.parse().expect("a header value"));
    response
}

/// An invocation, its answer wrapped into an event stream.
fn streamed(function: &Invoker, event: &Bytes, mood: Mood) -> Response<Breakable> {
    let (sender, mut response) = wire::open();
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/vnd.amazon.eventstream"));
    if mood == Mood::Fails {
        sender.says(frames::complete(Some("Unhandled")));
        return response;
    }
    let event = serde_json::from_slice(event).expect("an event");
    tokio::spawn(wrap(function.invoke(event, Duration::from_secs(60)), sender, mood));
    response
}

async fn wrap(mut invocation: Invocation, sender: Sender, mood: Mood) {
    let mut chunks = 0;
    loop {
        match invocation.part_whenever().await {
            _ if mood == Mood::Breaks(chunks) => return sender.breaks(),
            Part::Head(_) => {}
            Part::Chunk(chunk) => sender.says(frames::chunk(&chunk)),
            Part::End(_) => return sender.says(frames::complete(None)),
            Part::Error(_) => return sender.says(frames::complete(Some("Runtime.ExitError"))),
        }
        chunks += 1;
    }
}
