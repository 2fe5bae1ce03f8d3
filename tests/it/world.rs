//! A gateway in front of a provider that misbehaves on request.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use twinlane_demo::{Demo, Seen};
use twinlane_tests::client::Sending;
use twinlane_tests::{Twinlane, eventually};

/// A gateway whose service `p` is a provider of ours.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) provider: Demo,
    pub(crate) gateway: Twinlane,
}

impl World {
    /// Both, with nothing set but the service.
    pub(crate) async fn new() -> Self {
        Self::with(&[], &json!({})).await
    }

    /// Both, with further settings, and further fields of the service.
    pub(crate) async fn with(vars: &[(&str, &str)], fields: &Value) -> Self {
        let provider = Demo::start().await.expect("a provider");
        let config = proxy_config(&provider, fields);
        let vars = [&[("PROXY_CONFIG", config.as_str())], vars].concat();
        Self { gateway: Twinlane::start(&vars).await, provider }
    }

    pub(crate) fn get(&self, path: &str) -> Sending {
        self.gateway.client.get(&format!("/gateway/p{path}"))
    }

    pub(crate) fn post(&self, path: &str) -> Sending {
        self.gateway.client.post(&format!("/gateway/p{path}"))
    }

    pub(crate) fn call(&self, method: &Method, path: &str) -> Sending {
        self.gateway.client.call(method, &format!("/gateway/p{path}"))
    }

    /// A small chat call, which stays on the edge lane.
    pub(crate) fn chat(&self) -> Sending {
        self.post("/v1/chat/completions").json(&chat(false))
    }

    /// A chat call that asks for a stream.
    pub(crate) fn stream(&self) -> Sending {
        self.post("/v1/chat/completions").json(&chat(true)).header("x-demo-chunk-delay-ms", "5")
    }

    /// A call that goes to the background lane.
    pub(crate) fn embed(&self) -> Sending {
        self.post("/v1/embeddings").json(&json!({ "model": "demo", "input": "hello" }))
    }

    /// The one call that the provider saw.
    pub(crate) fn seen(&self) -> Seen {
        let mut calls = self.provider.calls();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }

    /// Waits until the provider has seen that its client left.
    pub(crate) async fn provider_is_left(&self) {
        let left = || self.provider.calls().iter().any(|call| call.end == twinlane_demo::End::ClientLeft);
        eventually("the provider's connection is closed", left).await;
    }
}

/// `PROXY_CONFIG` with the service `p` at a provider.
pub(crate) fn proxy_config(provider: &Demo, fields: &Value) -> String {
    let mut service = json!({ "host": provider.url(), "forwardHeaders": ["x-demo-*"] });
    for (name, value) in fields.as_object().expect("an object") {
        service[name] = value.clone();
    }
    json!({ "p": service }).to_string()
}

/// The body of a chat call.
pub(crate) fn chat(stream: bool) -> Value {
    json!({ "model": "demo", "stream": stream, "messages": [{ "role": "user", "content": "Write a story" }] })
}

/// A pause of a few milliseconds.
pub(crate) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
