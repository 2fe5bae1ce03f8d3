//! Vercel's side of its runtime's protocol: starts a function, hears its IPC messages, and calls it as the platform does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, UnixListener};

use crate::client::Sending;
use crate::{Client, Program, eventually};

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
    socket: PathBuf,
}

impl Function {
    /// Starts the function `name` and waits until it says that it serves.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn start(name: &str, vars: &[(&str, &str)]) -> Self {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::SeqCst);
        let socket = std::env::temp_dir().join(format!("twinlane-ipc-{}-{number}", std::process::id()));
        let listener = UnixListener::bind(&socket).expect("a unix socket");
        let address = free_port().await;
        let (port, path) = (address.port().to_string(), socket.display().to_string());
        let platform =
            [("VERCEL", "1"), ("VERCEL_IPC_PATH", path.as_str()), ("VERCEL_DEV_PORT", port.as_str())];
        let process = Program::start(name, &[], &[&platform, vars].concat(), &std::env::temp_dir());
        let messages = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(hear(listener, Arc::clone(&messages)));
        let function = Self {
            process,
            address,
            client: Client::to(address),
            messages,
            invocations: AtomicU64::new(1),
            socket,
        };
        eventually("the function serves", || !function.messages("server-started").is_empty()).await;
        function
    }

    /// A call as the platform would pass it on; returns the id that its `end` will carry.
    pub fn invoke(&self, sending: impl FnOnce(&Client) -> Sending) -> (u64, Sending) {
        let number = self.invocations.fetch_add(1, Ordering::SeqCst);
        let sending = sending(&self.client)
            .header("x-vercel-internal-invocation-id", &format!("invocation-{number}"))
            .header("x-vercel-internal-request-id", &number.to_string())
            .header("x-vercel-oidc-token", "oidc-token-of-the-platform")
            .header("x-vercel-id", "iad1::abc")
            .header("x-real-ip", "203.0.113.5")
            .header("x-forwarded-for", "203.0.113.5");
        (number, sending)
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
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

async fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Messages are JSON, each ended by a zero byte.
async fn hear(listener: UnixListener, messages: Arc<Mutex<Vec<Value>>>) {
    let Ok((stream, _)) = listener.accept().await else { return };
    let mut frames = BufReader::new(stream).split(0);
    while let Ok(Some(frame)) = frames.next_segment().await {
        let message = serde_json::from_slice(&frame).expect("a JSON message");
        messages.lock().expect("no poison").push(message);
    }
}
