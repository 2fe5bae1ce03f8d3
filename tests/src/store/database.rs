//! A DynamoDB of this machine (moto), with a table as `template.yaml` makes it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{folder, free_port, listens};
use crate::process::root;
use crate::{Client, Program};

/// Where moto is installed.
const PYTHON: &str = "TWINLANE_DYNAMODB_PYTHON";

/// The database, with one table in it.
#[derive(Debug)]
pub struct Database {
    _process: Program,
    address: SocketAddr,
    folder: PathBuf,
}

impl Database {
    /// Starts one, and creates a table there.
    ///
    /// # Panics
    /// When moto is not there, or will not.
    pub async fn with_table(name: &str) -> Self {
        let python = std::env::var_os(PYTHON)
            .unwrap_or_else(|| panic!("{PYTHON} is not set: ./scripts/test installs moto and sets it"));
        let script = root().join("shared/stores/dynamodb/tests/moto_server.py");
        let (address, folder) = (free_port(), folder("dynamodb"));
        let (script, port) = (script.display().to_string(), address.port().to_string());
        let process = Program::start_file(Path::new(&python), &[&script, &port, "journal"], &[], &folder);
        listens(address).await;
        let database = Self { _process: process, address, folder };
        database.create(name).await;
        database
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn create(&self, name: &str) {
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let table = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "AttributeDefinitions": [attribute("pk"), attribute("sk")],
        });
        self.ask("CreateTable", &table).await;
    }

    /// All items of a table.
    pub async fn items(&self, table: &str) -> Value {
        self.ask("Scan", &json!({ "TableName": table })).await["Items"].clone()
    }

    async fn ask(&self, action: &str, request: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{action}");
        let answer =
            Client::to(self.address).post("/").json(request).header("x-amz-target", &target).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
