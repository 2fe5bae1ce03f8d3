//! The servers behind the stores: a real Redis, Upstash's REST before it, and a DynamoDB of this machine.

mod database;
mod rest;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpStream;

use crate::{Program, SOON};

pub use database::Database;
pub use rest::{Rest, TOKEN};

/// A folder of its own for each who asks.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("twinlane-{name}-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A redis-server, which writes down all it is told.
#[derive(Debug)]
pub struct Redis {
    process: Program,
    address: SocketAddr,
    folder: PathBuf,
}

impl Redis {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let (address, folder) = (free_port(), folder("redis"));
        let process = spawn(&folder, address).await;
        Self { process, address, folder }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Ends it at once.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// On the same port, with what it had written.
    pub async fn start_again(&mut self) {
        self.process = spawn(&self.folder, self.address).await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn spawn(folder: &Path, address: SocketAddr) -> Program {
    let port = address.port().to_string();
    let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes"];
    let process = Program::start_file(Path::new("redis-server"), &arguments, &[], folder);
    listens(address).await;
    process
}

/// A port that nobody has just now.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Waits until somebody listens at an address.
async fn listens(address: SocketAddr) {
    let connected = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(SOON * 2, connected).await;
    assert!(
        waited.is_ok(),
        "nobody listens at {address}; is redis-server, or moto, installed? run ./scripts/test"
    );
}
