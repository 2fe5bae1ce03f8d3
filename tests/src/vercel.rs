//! Vercel's side of its runtime's protocol: starts a function, hears its IPC messages, and calls it as the platform does.

pub mod build;
pub mod edge;
pub mod routes;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, UnixListener};

use crate::client::Sending;
use crate::process::program;
use crate::{Client, Program, eventually};

/// As whom the platform presents a request to a function: worth stealing, so it must go no further.
pub const IDENTITY: &str = "oidc-token-of-the-platform";

/// A function of ours, run as Vercel runs it.
#[derive(Debug)]
pub struct Function {
    /// The process.
    pub process: Program,
    /// Where it listens.
    pub address: SocketAddr,
    client: Client,
    messages: Arc<Mutex<Vec<Value>>>,
    invocations: AtomicU64,
    gone: Arc<AtomicBool>,
    socket: PathBuf,
}

impl Function {
    /// Starts the function `name` of this project and waits until it says that it serves.
    pub async fn start(name: &str, vars: &[(&str, &str)]) -> Self {
        Self::start_file(&program(name), vars).await
    }

    /// The same for an executable that the platform's build tool has made.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn start_file(file: &Path, vars: &[(&str, &str)]) -> Self {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::SeqCst);
        let socket = std::env::temp_dir().join(format!("twinlane-ipc-{}-{number}", std::process::id()));
        let listener = UnixListener::bind(&socket).expect("a unix socket");
        let address = free_port().await;
        let (port, path) = (address.port().to_string(), socket.display().to_string());
        let platform =
            [("VERCEL", "1"), ("VERCEL_IPC_PATH", path.as_str()), ("VERCEL_DEV_PORT", port.as_str())];
        let process = Program::start_file(file, &[], &[&platform, vars].concat(), &std::env::temp_dir());
        let messages = Arc::new(Mutex::new(Vec::new()));
        let gone = Arc::new(AtomicBool::new(false));
        tokio::spawn(hear(listener, Arc::clone(&messages), Arc::clone(&gone)));
        let function = Self {
            process,
            address,
            client: Client::to(address),
            messages,
            invocations: AtomicU64::new(1),
            gone,
            socket,
        };
        eventually("the function serves", || !function.messages("server-started").is_empty()).await;
        function
    }

    /// A call as the platform would pass it on; returns the id that its `end` will carry.
    pub fn invoke(&self, sending: impl FnOnce(&Client) -> Sending) -> (u64, Sending) {
        let number = self.next_invocation();
        let headers = platform_headers(number);
        let sending =
            headers.iter().fold(sending(&self.client), |sending, (name, value)| sending.header(name, value));
        (number, sending)
    }

    /// The id of the next call.
    pub fn next_invocation(&self) -> u64 {
        self.invocations.fetch_add(1, Ordering::SeqCst)
    }

    /// The IPC messages of a kind so far.
    ///
    /// # Panics
    /// Never, unless a test has panicked before.
    #[must_use]
    pub fn messages(&self, kind: &str) -> Vec<Value> {
        self.messages
            .lock()
            .expect("no poison")
            .iter()
            .filter(|message| message["type"] == kind)
            .cloned()
            .collect()
    }

    /// Whether a call has been said to have ended.
    #[must_use]
    pub fn has_ended(&self, number: u64) -> bool {
        self.messages("end").iter().any(|end| end["payload"]["context"]["requestId"] == number)
    }

    /// Whether the process has ended: nobody holds the other end of its IPC socket.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// What the platform adds to a request, over whatever a client sent by those names.
fn platform_headers(number: u64) -> [(&'static str, String); 10] {
    [
        ("x-vercel-internal-invocation-id", format!("invocation-{number}")),
        ("x-vercel-internal-request-id", number.to_string()),
        ("x-vercel-oidc-token", IDENTITY.to_owned()),
        ("x-vercel-id", format!("iad1::{number}")),
        ("x-vercel-forwarded-for", "203.0.113.5".to_owned()),
        ("x-vercel-proxy-signature", "Bearer of-the-platform".to_owned()),
        ("x-forwarded-for", "203.0.113.5".to_owned()),
        ("x-forwarded-host", "twinlane.example".to_owned()),
        ("forwarded", "for=203.0.113.5;proto=https".to_owned()),
        ("x-real-ip", "203.0.113.5".to_owned()),
    ]
}

async fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Messages are JSON, each ended by a zero byte.
async fn hear(listener: UnixListener, messages: Arc<Mutex<Vec<Value>>>, gone: Arc<AtomicBool>) {
    let Ok((stream, _)) = listener.accept().await else { return };
    let mut frames = BufReader::new(stream).split(0);
    while let Ok(Some(frame)) = frames.next_segment().await {
        let message = serde_json::from_slice(&frame).expect("a JSON message");
        messages.lock().expect("no poison").push(message);
    }
    gone.store(true, Ordering::SeqCst);
}
