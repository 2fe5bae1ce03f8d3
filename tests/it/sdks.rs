//! The official SDKs as users drive them, against the running gateway and its demo provider.
//!
//! `scripts/test` installs them and says where they are; without them these tests fail, they are not skipped.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::process::Command;
use twinlane_tests::Twinlane;
use twinlane_tests::process::root;

use crate::world::World;

/// A script of `tests/sdk` run to its end: whether it succeeded, and what it printed.
pub(crate) async fn run(script: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(interpreter(script));
    command
        .env("TWINLANE_SILENCE_MS", "1500")
        .arg(root().join("tests/sdk").join(script))
        .args(arguments)
        .kill_on_drop(true);
    let output = command.output().await.expect("the interpreter starts");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

fn interpreter(script: &str) -> PathBuf {
    let variable = match script {
        "v1_langchain.py" => "TWINLANE_LANGCHAIN",
        _ if script.ends_with(".py") => "TWINLANE_PYTHON",
        _ => "TWINLANE_NODE_DIR",
    };
    let place =
        std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run ./scripts/test"));
    if script.ends_with(".py") { place.into() } else { "node".into() }
}

async fn drives(script: &str) {
    let gateway = Twinlane::start(&[("DEMO", "true"), ("KEEP_ALIVE_AFTER", "400")]).await;
    let (good, printed) = run(script, &[&gateway.url()]).await;
    let told: Vec<_> = printed.lines().filter(|line| !line.starts_with("true")).collect();
    assert!(good, "{script}:\n{}", told.join("\n"));
}

#[tokio::test]
async fn openai_s_python_sdk_works() {
    drives("openai_python.py").await;
}

#[tokio::test]
async fn openai_s_node_sdk_works() {
    drives("openai_node.mjs").await;
}

#[tokio::test]
async fn anthropic_s_python_sdk_works() {
    drives("anthropic_python.py").await;
}

#[tokio::test]
async fn anthropic_s_node_sdk_works() {
    drives("anthropic_node.mjs").await;
}

#[tokio::test]
async fn google_s_python_sdk_works() {
    drives("gemini_python.py").await;
}

/// How often the provider is asked when an SDK that repeats by itself meets a fault: what the SDK alone would do, and
/// never more.
#[tokio::test]
async fn an_sdk_and_the_gateway_together_ask_as_often_as_the_sdk_alone() {
    let world = World::new().await;
    let base = format!("{}/gateway/p/v1", world.gateway.url());
    for script in ["retries_python.py", "retries_node.mjs"] {
        for (headers, retries, calls) in [
            (json!({ "x-demo-status": "500" }), "2", 3),
            (json!({ "x-demo-status": "503" }), "2", 3),
            (json!({ "x-demo-status": "429" }), "2", 3),
            (json!({ "x-demo-status": "400" }), "2", 1),
            (json!({ "x-demo-status": "500" }), "0", 1),
            (json!({ "x-demo-cut": "head" }), "0", 1),
            (json!({ "x-demo-status": "503", "idempotency-key": "k" }), "2", 2),
            (json!({ "x-demo-status": "503", "x-demo-times": "1", "x-demo-key": script }), "2", 2),
        ] {
            world.provider.clear();
            let (good, printed) = run(script, &[&base, &headers.to_string(), retries]).await;
            assert!(good, "{script} {headers}: {printed}");
            assert_eq!(world.provider.calls().len(), calls, "{script} {headers} {retries}: {printed}");
            let told: Value =
                serde_json::from_str(printed.lines().last().unwrap_or_default()).expect(&printed);
            assert!(told["ok"].is_boolean(), "{printed}");
        }
    }
}
