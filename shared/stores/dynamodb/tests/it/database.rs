//! A local DynamoDB on a port of its own, that can be killed and started again, and tables in it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use twinlane_store::{Budget, Meter, Millis, Reservation, Unavailable, UsageRecord};
use twinlane_store_conformance::Shared;
use twinlane_store_dynamodb::{Credentials, DynamoDb, Http, Settings};

use crate::shared;

pub(crate) struct Database {
    child: Mutex<Child>,
    port: u16,
    journal: PathBuf,
    tables: AtomicUsize,
}

impl Database {
    pub(crate) fn start() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let journal =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dynamodb-{}-{count}", std::process::id()));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Mutex::new(spawn(port, &journal));
        Self { child, port, journal, tables: AtomicUsize::new(0) }
    }

    /// An engine on a new table.
    pub(crate) async fn table(&self) -> Shared {
        self.table_over(http()).await
    }

    /// The same, over a client that is not to be relied on.
    pub(crate) async fn table_over(&self, http: Http) -> Shared {
        let table = format!("table-{}", self.tables.fetch_add(1, Ordering::Relaxed));
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let request = json!({
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "AttributeDefinitions": [attribute("pk"), attribute("sk")],
        });
        self.ask("CreateTable", &request).await;
        shared(self.engine(&table, http))
    }

    pub(crate) fn engine(&self, table: &str, http: Http) -> DynamoDb {
        let endpoint = Some(format!("http://127.0.0.1:{}", self.port));
        // Not the usual patience: a crowd of two hundred waits in one line here.
        let patience = Duration::from_secs(20);
        let settings = Settings { endpoint, patience, ..Settings::new(table, "eu-central-1") };
        DynamoDb::new(
            settings,
            Arc::new(|| Some(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))),
            http,
        )
    }

    /// All items of the first table.
    pub(crate) async fn items(&self) -> Vec<Value> {
        let answer = self.ask("Scan", &json!({ "TableName": "table-0" })).await;
        answer["Items"].as_array().unwrap().clone()
    }

    async fn ask(&self, action: &str, request: &Value) -> Value {
        let request = Request::post(format!("http://127.0.0.1:{}/", self.port))
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .body(Bytes::from(request.to_string()))
            .unwrap();
        let reply = http()(request).await.unwrap();
        assert!(reply.status().is_success(), "{reply:?}");
        serde_json::from_slice(reply.body()).unwrap()
    }

    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// On the same port, with all it had taken.
    pub(crate) fn start_again(&self) {
        *self.child.lock().unwrap() = spawn(self.port, &self.journal);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_file(&self.journal);
    }
}

#[expect(clippy::disallowed_methods, reason = "tests read where scripts/test has put their tools")]
fn spawn(port: u16, journal: &Path) -> Child {
    let python = std::env::var("TWINLANE_DYNAMODB_PYTHON").unwrap_or_else(|_| {
        panic!("TWINLANE_DYNAMODB_PYTHON is not set: ./scripts/test installs moto, which these tests run against, and sets it")
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto_server.py");
    let mut command = Command::new(&python);
    command.arg(script).arg(port.to_string()).arg(journal).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{python} cannot be started: {error}"));
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "moto has ended at once: is all of tests/requirements.txt installed?"
        );
        assert!(begun.elapsed() < Duration::from_secs(60), "moto does not listen on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// The client a door would lend.
pub(crate) fn http() -> Http {
    // A connection for each request: after a kill none is left over.
    let client: Client<_, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    Arc::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            let lost = |error: &dyn std::fmt::Display| Unavailable(error.to_string());
            let reply = client.request(request.map(Full::new)).await.map_err(|error| lost(&error))?;
            let (head, body) = reply.into_parts();
            let body = body.collect().await.map_err(|error| lost(&error))?.to_bytes();
            Ok(Response::from_parts(head, body))
        })
    })
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
