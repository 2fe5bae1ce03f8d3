//! A real redis-server on a port of its own, that can be killed, frozen and started again.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use redis::{AsyncConnectionConfig, Client};
use twinlane_store::{Budget, Meter, Millis, Reservation, UsageRecord};

pub(crate) const PASSWORD: &str = "hush-hush";

pub(crate) struct Server {
    child: Mutex<Child>,
    port: u16,
    tls: bool,
    folder: PathBuf,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(false)
    }

    /// One that speaks TLS only, with a certificate nobody has signed, and wants a password.
    pub(crate) fn with_tls() -> Self {
        Self::with(true)
    }

    fn with(tls: bool) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("redis-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        if tls {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
            fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        }
        let port = free_port();
        let child = Mutex::new(spawn(&folder, port, tls));
        Self { child, port, tls, folder }
    }

    pub(crate) fn url(&self) -> String {
        match self.tls {
            true => format!("rediss://default:{PASSWORD}@localhost:{}/0", self.port),
            false => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    pub(crate) fn roots(&self) -> Option<Vec<u8>> {
        self.tls.then(|| fs::read(self.folder.join("certificate.pem")).unwrap())
    }

    /// As when the power fails, less what the operating system has been given already.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// On the same port, with what it had written.
    pub(crate) fn start_again(&self) {
        *self.child.lock().unwrap() = spawn(&self.folder, self.port, self.tls);
    }

    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.lock().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    pub(crate) async fn keys_that_stay(&self) -> Vec<String> {
        let mut connection = self.connection().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
        let mut lasting = Vec::new();
        for key in keys {
            let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
            if left < 0 {
                lasting.push(key);
            }
        }
        lasting
    }

    /// How many entries the sorted sets have whose keys end so.
    pub(crate) async fn sizes(&self, endings: &[&str]) -> Vec<u64> {
        let mut connection = self.connection().await;
        let mut sizes = Vec::new();
        for ending in endings {
            let keys: Vec<String> =
                redis::cmd("KEYS").arg(format!("*{ending}")).query_async(&mut connection).await.unwrap();
            let [key] = keys.as_slice() else {
                assert!(keys.is_empty(), "{keys:?}");
                sizes.push(0);
                continue;
            };
            sizes.push(redis::cmd("ZCARD").arg(key).query_async(&mut connection).await.unwrap());
        }
        sizes
    }

    pub(crate) async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection_with_config(&AsyncConnectionConfig::new()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &Path, port: u16, tls: bool) -> Child {
    let mut command = Command::new("redis-server");
    command.arg("--dir").arg(folder).args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    let port_text = port.to_string();
    if tls {
        command.args([
            "--port",
            "0",
            "--tls-port",
            &port_text,
            "--tls-auth-clients",
            "no",
            "--requirepass",
            PASSWORD,
        ]);
        command.arg("--tls-cert-file").arg(folder.join("certificate.pem"));
        command.arg("--tls-key-file").arg(folder.join("key.pem"));
    } else {
        command.args(["--port", &port_text]);
    }
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.unwrap_or_else(|error| {
        panic!("redis-server cannot be started ({error}): install the Debian package redis-server")
    });
    wait_for(port);
    child
}

fn wait_for(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "redis-server does not listen on {port}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn now() -> Millis {
    twinlane_store::millis(SystemTime::UNIX_EPOCH.elapsed().unwrap())
}

/// A meter that does not fill again while a test runs.
pub(crate) fn meter(limit: u64) -> Meter {
    Meter { key: "meter".to_owned(), limit, period: Duration::from_secs(30 * 24 * 3600), cost: 1 }
}

pub(crate) fn budget(now: Millis) -> Budget {
    Budget { key: "budget".to_owned(), limit: 1_000_000_000, until: now + 3_600_000 }
}

pub(crate) fn reservation(id: &str, now: Millis) -> Reservation {
    Reservation { id: id.to_owned(), amount: 7, until: now + 600_000 }
}

pub(crate) fn record(id: &str, time: Millis) -> UsageRecord {
    UsageRecord { id: id.to_owned(), time, status: 200, ..UsageRecord::default() }
}
