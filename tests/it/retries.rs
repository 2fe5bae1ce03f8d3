//! What is tried again, counted at the provider.

use http::Method;
use serde_json::json;

use crate::world::World;

/// A fault, and whether a call that may be repeated is tried again after it.
const FAULTS: [(&[(&str, &str)], bool); 9] = [
    (&[("x-demo-cut", "head")], true),
    (&[("x-demo-cut", "reset")], true),
    (&[("x-demo-status", "502")], true),
    (&[("x-demo-status", "503")], true),
    (&[("x-demo-status", "504")], true),
    (&[("x-demo-status", "503"), ("x-demo-retry-after", "1")], false),
    (&[("x-demo-status", "429")], false),
    (&[("x-demo-status", "500")], false),
    (&[("x-demo-status", "400")], false),
];

const WRITES: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

async fn executions(
    world: &World,
    method: &Method,
    path: &str,
    headers: &[(&'static str, &str)],
) -> (usize, twinlane_tests::Answer) {
    world.provider.clear();
    let answer = world.call(method, path).headers(headers).send().await;
    (world.provider.calls().len(), answer)
}

#[tokio::test]
async fn reads_are_tried_again_only_after_what_another_try_may_mend() {
    let world = World::new().await;
    for (fault, again) in FAULTS {
        for method in [Method::GET, Method::HEAD] {
            let (count, answer) = executions(&world, &method, "/echo", fault).await;
            assert_eq!(count, if again { 2 } else { 1 }, "{method} {fault:?}");
            assert_eq!(answer.header("x-attempts"), count.to_string(), "{method} {fault:?}");
            let told = if again { "false" } else { "" };
            assert_eq!(answer.header("x-should-retry"), told, "{method} {fault:?}");
        }
    }
}

#[tokio::test]
async fn writes_are_sent_once_whatever_comes_back_on_both_lanes() {
    let world = World::new().await;
    for (fault, _) in FAULTS {
        for method in WRITES {
            for path in ["/echo", "/echo/embeddings"] {
                let (count, answer) = executions(&world, &method, path, fault).await;
                assert_eq!(count, 1, "{method} {path} {fault:?}");
                assert_eq!(answer.header("x-attempts"), "1", "{method} {path} {fault:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_write_with_an_idempotency_key_may_be_tried_again() {
    let world = World::new().await;
    for path in ["/echo", "/echo/embeddings"] {
        for (fault, again) in FAULTS {
            let headers = [fault, &[("idempotency-key", "k-1")]].concat();
            let (count, _) = executions(&world, &Method::POST, path, &headers).await;
            assert_eq!(count, if again { 2 } else { 1 }, "{path} {fault:?}");
            let keys = world.provider.calls();
            assert!(keys.iter().all(|call| call.headers["idempotency-key"] == "k-1"));
        }
    }
}

#[tokio::test]
async fn a_call_that_timed_out_is_not_sent_again_whatever_its_method() {
    let world = World::with(&[("DEFAULT_TIMEOUT", "300")], &json!({})).await;
    let silence = [("x-demo-silence", "head"), ("idempotency-key", "k")];
    for method in [Method::GET, Method::POST] {
        let (count, answer) = executions(&world, &method, "/echo", &silence).await;
        assert_eq!((count, answer.status), (1, 504), "{method}: the provider may be at work on it still");
    }
}

#[tokio::test]
async fn the_operator_may_list_methods_as_harmless() {
    let world = World::with(&[], &json!({ "retryableMethods": ["POST"], "maxRetries": 2 })).await;
    let fault = [("x-demo-status", "503")];
    assert_eq!(executions(&world, &Method::POST, "/echo", &fault).await.0, 3);
    assert_eq!(executions(&world, &Method::PUT, "/echo", &fault).await.0, 1);
}

#[tokio::test]
async fn a_retry_that_helps_is_the_answer() {
    let world = World::new().await;
    let headers = [("x-demo-status", "503"), ("x-demo-times", "1"), ("x-demo-key", "k")];
    let (count, answer) = executions(&world, &Method::GET, "/echo", &headers).await;
    assert_eq!((count, answer.status, answer.header("x-attempts")), (2, 200, "2"));
    assert!(!answer.headers.contains_key("x-should-retry"));
}

#[tokio::test]
async fn retries_can_be_switched_off() {
    for (vars, fields) in [
        (&[("ENABLE_RETRY", "false")][..], json!({})),
        (&[], json!({ "maxRetries": 0 })),
        (&[], json!({ "retryable": false })),
    ] {
        let world = World::with(vars, &fields).await;
        let (count, _) = executions(&world, &Method::GET, "/echo", &[("x-demo-status", "503")]).await;
        assert_eq!(count, 1, "{vars:?} {fields}");
    }
}

#[tokio::test]
async fn what_could_not_be_sent_is_tried_again_whatever_its_method() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = json!({ "p": { "host": format!("http://{closed}") } }).to_string();
    let gateway = twinlane_tests::Twinlane::start(&[("PROXY_CONFIG", &config)]).await;
    for path in ["/gateway/p/v1/chat/completions", "/gateway/p/v1/embeddings"] {
        let answer = gateway.client.post(path).body("{}").send().await;
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (502, &"CONNECTION".into()));
        assert_eq!(answer.header("x-attempts"), "2", "{path}");
    }
}

#[tokio::test]
async fn a_pooled_connection_that_died_costs_no_call() {
    let world = World::new().await;
    assert_eq!(world.chat().send().await.status, 200);
    let address = world.provider.addr();
    drop(world.provider);
    crate::world::pause(50).await;
    let provider = twinlane_demo::Demo::start_on(address).await.unwrap();
    let answer = world
        .gateway
        .client
        .post("/gateway/p/v1/chat/completions")
        .json(&crate::world::chat(false))
        .send()
        .await;
    assert_eq!((answer.status, provider.calls().len()), (200, 1));
}

#[tokio::test]
async fn an_sdk_that_repeats_by_itself_leaves_the_gateway_less_to_repeat() {
    let world = World::new().await;
    for (count, expected) in [("0", 2), ("1", 1), ("2", 1)] {
        let headers = [("x-demo-status", "503"), ("x-stainless-retry-count", count)];
        assert_eq!(executions(&world, &Method::GET, "/echo", &headers).await.0, expected, "{count}");
    }
}
