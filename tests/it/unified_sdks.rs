//! The unified API as the official SDKs, the AI SDK and LangChain use it: every client's format towards providers that
//! speak OpenAI's, Anthropic's, Gemini's and 1min.ai's.
//!
//! The scripts and what they prove are in `tests/sdk/v1_*`; each also runs by hand.

use serde_json::json;
use twinlane_demo::Demo;
use twinlane_tests::Twinlane;

use crate::sdks::run;

/// What each SDK sends as its key.
const TOKEN: &str = "gateway-token-of-sixteen";

/// One model of each format, and one that checks the signatures of its thoughts. They are called as real ones are:
/// what a model can do is known by its name.
const MODELS: [&str; 5] = [
    "openai/gpt-5-demo",
    "claude/claude-sonnet-4-6-demo",
    "gemini/gemini-2.5-flash-demo",
    "gemini/gemini-3-pro-demo",
    "onemin/demo",
];

/// A gateway whose providers are all the demo. It forwards none of its headers: a model's name says what shall go wrong.
async fn gateway(provider: &Demo) -> Twinlane {
    let at = json!({ "host": provider.url(), "insecure": true });
    let config = json!({ "openai": at, "claude": at, "gemini": at, "onemin": at }).to_string();
    let vars = [
        ("PROXY_CONFIG", config.as_str()),
        ("OPENAI_API_KEY", "server-key-of-openai"),
        ("ANTHROPIC_API_KEY", "server-key-of-claude"),
        ("GEMINI_API_KEY", "server-key-of-gemini"),
        ("ONEMIN_API_KEY", "server-key-of-onemin"),
        ("AUTH_TOKEN", TOKEN),
        ("KEEP_ALIVE_AFTER", "400"),
    ];
    Twinlane::start(&vars).await
}

async fn drives(script: &str) {
    let provider = Demo::start().await.expect("a provider");
    let gateway = gateway(&provider).await;
    let url = gateway.url();
    let (good, printed) = run(script, &[&[url.as_str(), TOKEN], &MODELS[..]].concat()).await;
    let told: Vec<_> = printed.lines().filter(|line| !line.starts_with("true")).collect();
    assert!(good, "{script}:\n{}", told.join("\n"));
}

#[tokio::test]
async fn openai_s_python_sdk_reaches_every_provider() {
    drives("v1_openai.py").await;
}

#[tokio::test]
async fn openai_s_node_sdk_reaches_every_provider() {
    drives("v1_openai.mjs").await;
}

#[tokio::test]
async fn anthropic_s_python_sdk_reaches_every_provider() {
    drives("v1_anthropic.py").await;
}

#[tokio::test]
async fn anthropic_s_node_sdk_reaches_every_provider() {
    drives("v1_anthropic.mjs").await;
}

#[tokio::test]
async fn google_s_python_sdk_reaches_every_provider() {
    drives("v1_gemini.py").await;
}

#[tokio::test]
async fn the_ai_sdk_reaches_every_provider() {
    drives("v1_ai_sdk.mjs").await;
}

#[tokio::test]
async fn langchain_reaches_every_provider() {
    drives("v1_langchain.py").await;
}
