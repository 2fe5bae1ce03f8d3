//! Requests and servers below HTTP's good manners.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::SOON;

/// Sends bytes and returns all that comes back until the other side closes.
///
/// # Panics
/// When the other side neither answers nor closes.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let _ = stream.write_all(request).await;
    until_closed(&mut stream).await
}

/// All that comes until the other side closes.
///
/// # Panics
/// When it does not close.
pub async fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection to be closed in time");
    String::from_utf8_lossy(&answer).into_owned()
}

/// What a [`Canned`] server does with a connection once a request has arrived.
#[derive(Debug, Clone)]
pub enum Then {
    /// Answers these bytes and closes.
    Says(String),
    /// Never answers.
    Hangs,
    /// Closes without an answer.
    Closes,
}

/// A server that reads a request's head and does one thing.
#[derive(Debug)]
pub struct Canned {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Canned {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, then.clone(), Arc::clone(&count)));
            }
        });
        Self { address, asked, task }
    }

    /// How many requests have come.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, then: Then, asked: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    asked.fetch_add(1, Ordering::SeqCst);
    match then {
        Then::Says(answer) => {
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
        Then::Hangs => std::future::pending().await,
        Then::Closes => {}
    }
}
