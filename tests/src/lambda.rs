//! Lambda's side of its Runtime API: hands events to a function and hears its answers, chunk by chunk.
//!
//! [`account`] and [`url`] are what stands around it: the services a function asks, and HTTP in front of one.

pub mod account;
pub mod frames;
pub mod url;
pub(crate) mod wire;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::{Program, SOON};

/// The most bytes that an event has, for Function URLs and the Invoke API alike.
pub const MOST_EVENT: usize = 6 * 1024 * 1024;

/// Says in which folder `sam build` has put the functions, when they are to be tested and not what cargo builds.
const SAM_BUILD: &str = "TWINLANE_SAM_BUILD";

/// A function of ours, run as Lambda runs it.
#[derive(Debug)]
pub struct Function {
    /// The process.
    pub process: Program,
    invoker: Invoker,
}

/// What invokes a function.
#[derive(Debug, Clone)]
pub struct Invoker {
    events: mpsc::UnboundedSender<Event>,
    api: Arc<Api>,
}

/// An answer as it arrives at the platform.
#[derive(Debug)]
pub struct Invocation(mpsc::UnboundedReceiver<Part>);

/// A part of an answer.
#[derive(Debug)]
pub enum Part {
    /// The headers with which the function answered the Runtime API.
    Head(HeaderMap),
    /// A chunk of the body.
    Chunk(Bytes),
    /// The body ended properly, with these trailers.
    End(Option<HeaderMap>),
    /// The function reported an error instead of an answer.
    Error(Bytes),
}

/// A whole streamed answer, taken apart.
#[derive(Debug)]
pub struct Streamed {
    /// The JSON before the eight zero bytes: status, headers, cookies.
    pub prelude: Value,
    /// The body after them.
    pub body: Vec<u8>,
}

#[derive(Debug)]
struct Event {
    id: String,
    body: Value,
    lasts: Duration,
}

#[derive(Debug)]
struct Api {
    events: AsyncMutex<mpsc::UnboundedReceiver<Event>>,
    waiting: Mutex<HashMap<String, mpsc::UnboundedSender<Part>>>,
    invoked: AtomicU64,
}

impl Function {
    /// Starts the function `name`.
    ///
    /// # Panics
    /// When the Runtime API cannot be served.
    pub async fn start(name: &str, vars: &[(&str, &str)]) -> Self {
        let (events, received) = mpsc::unbounded_channel();
        let waiting = Mutex::new(HashMap::new());
        let api = Arc::new(Api { events: AsyncMutex::new(received), waiting, invoked: AtomicU64::new(0) });
        let served = Arc::clone(&api);
        let address = wire::serve(move |request| Arc::clone(&served).answer(request)).await.to_string();
        let platform = [
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
            ("AWS_REGION", "eu-central-1"),
        ];
        let vars = [&platform, vars].concat();
        let process = Program::start_file(&file(name), &[], &vars, &std::env::temp_dir());
        Self { process, invoker: Invoker { events, api } }
    }

    /// Invokes the function with an event, which it may take `lasts` to answer.
    ///
    /// # Panics
    /// When the function has gone.
    pub fn invoke(&self, body: Value, lasts: Duration) -> Invocation {
        self.invoker.invoke(body, lasts)
    }

    /// What others invoke it with.
    #[must_use]
    pub fn invoker(&self) -> Invoker {
        self.invoker.clone()
    }

    /// Ends the process at once, and every invocation with it, as a crash does.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn crash(&mut self) {
        self.process.kill().await;
        self.invoker.api.fail_all("Runtime.ExitError");
    }
}

/// The program of a function: what `sam build` has made of it where that is told, else what cargo has.
fn file(name: &str) -> PathBuf {
    let Some(built) = std::env::var_os(SAM_BUILD) else { return crate::process::program(name) };
    let function = if name == "lambda-gateway" { "GatewayFunction" } else { "BackgroundFunction" };
    Path::new(&built).join(function).join("bootstrap")
}

impl Invoker {
    /// Invokes the function with an event, which it may take `lasts` to answer. Then comes the axe.
    ///
    /// # Panics
    /// When the function has gone.
    #[must_use]
    pub fn invoke(&self, body: Value, lasts: Duration) -> Invocation {
        let id = format!("invocation-{}", self.api.invoked.fetch_add(1, Ordering::SeqCst));
        let (sender, receiver) = mpsc::unbounded_channel();
        self.api.waiting.lock().expect("no poison").insert(id.clone(), sender);
        let (api, axed) = (Arc::clone(&self.api), id.clone());
        tokio::spawn(async move {
            tokio::time::sleep(lasts).await;
            api.tell(&axed, Part::Error("Sandbox.Timedout".into()));
        });
        self.events.send(Event { id, body, lasts }).expect("a served Runtime API");
        Invocation(receiver)
    }
}

/// The event of a Function URL (payload 2.0) for a text body.
#[must_use]
pub fn event(method: &str, path: &str, query: &str, headers: &Value, body: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
        "requestContext": {
            "accountId": "anonymous", "apiId": "abc", "domainName": "abc.lambda-url.on.aws", "domainPrefix": "abc",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.5", "userAgent": "t" },
            "requestId": "r", "routeKey": "$default", "stage": "$default",
            "time": "20/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_000_000_000_u64
        },
        "body": body, "isBase64Encoded": false
    })
}

impl Invocation {
    /// The next part of the answer.
    ///
    /// # Panics
    /// When none comes.
    pub async fn part(&mut self) -> Part {
        tokio::time::timeout(SOON, self.0.recv()).await.expect("a part in time").expect("a part")
    }

    /// The next part, however long it takes. What ends without a word has failed.
    pub async fn part_whenever(&mut self) -> Part {
        self.0.recv().await.unwrap_or_else(|| Part::Error("gone".into()))
    }

    /// The whole answer, which must be a stream that ends properly and without trailers.
    ///
    /// # Panics
    /// When it is not.
    pub async fn streamed(&mut self) -> Streamed {
        let mut bytes = Vec::new();
        loop {
            match self.part().await {
                Part::Head(headers) => {
                    assert_eq!(headers["lambda-runtime-function-response-mode"], "streaming")
                }
                Part::Chunk(chunk) => bytes.extend_from_slice(&chunk),
                Part::End(None) => return Streamed::take_apart(&bytes),
                Part::End(Some(trailers)) => panic!("trailers {trailers:?}"),
                Part::Error(error) => panic!("an error {error:?}"),
            }
        }
    }
}

impl Streamed {
    fn take_apart(bytes: &[u8]) -> Self {
        let zeros =
            bytes.windows(8).position(|window| window == [0; 8]).expect("the zeros after the prelude");
        let prelude = serde_json::from_slice(&bytes[..zeros]).expect("a JSON prelude");
        Self { prelude, body: bytes[zeros + 8..].to_vec() }
    }
}

impl Api {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.trim_start_matches("/2018-06-01/runtime/").split('/').collect();
        match segments.as_slice() {
            ["invocation", "next"] => self.next().await,
            ["invocation", id, "response"] => self.response(id, request).await,
            ["invocation", id, "error"] => {
                let error = request.into_body().collect().await.expect("an error's body").to_bytes();
                self.tell(id, Part::Error(error));
                accepted()
            }
            _ => accepted(),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let Some(event) = self.events.lock().await.recv().await else { std::future::pending().await };
        let deadline = SystemTime::now() + event.lasts;
        let deadline =
            deadline.duration_since(SystemTime::UNIX_EPOCH).expect("a date after 1970").as_millis();
        Response::builder()
            .header("lambda-runtime-aws-request-id", event.id)
            .header("lambda-runtime-deadline-ms", deadline.to_string())
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:1:function:f")
            .body(Full::new(event.body.to_string().into()))
            .expect("a response")
    }

    async fn response(&self, id: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        self.tell(id, Part::Head(head.headers));
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(chunk)) => self.tell(id, Part::Chunk(chunk)),
                Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
                Err(_) => {
                    self.tell(id, Part::Error("Runtime.ExitError".into()));
                    return accepted();
                }
            }
        }
        self.tell(id, Part::End(trailers));
        accepted()
    }

    /// Tells every invocation that is not over that its function has gone.
    fn fail_all(&self, error: &'static str) {
        for sender in self.waiting.lock().expect("no poison").values() {
            let _ = sender.send(Part::Error(error.into()));
        }
    }

    fn tell(&self, id: &str, part: Part) {
        if let Some(sender) = self.waiting.lock().expect("no poison").get(id) {
            let _ = sender.send(part);
        }
    }
}

fn accepted() -> Response<Full<Bytes>> {
    Response::builder().status(202).body(Full::default()).expect("a response")
}
