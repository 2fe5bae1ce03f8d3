//! The usage log: one record for each call, with numbers that are true, and nothing that was said.

use http_body_util::BodyExt;
use serde_json::{Value, json};
use twinlane_tests::SOON;

use crate::tokens::{ADMIN, SECRET, bearer, token};
use crate::world::{World, chat, pause};

async fn world(vars: &[(&str, &str)]) -> World {
    let ours = [("STORE", "memory"), ("ADMIN_TOKEN", ADMIN), ("P_API_KEY", "k"), ("DEFAULT_SERVICE", "p")];
    World::with(&[&ours, vars].concat(), &json!({})).await
}

/// The records of all calls, newest first, once there are so many.
async fn records(world: &World, wanted: usize) -> Vec<Value> {
    let began = std::time::Instant::now();
    loop {
        let answer = bearer(world.gateway.client.get("/admin/calls?limit=1000"), ADMIN).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let calls = answer.json()["calls"].as_array().expect("calls").clone();
        if calls.len() >= wanted {
            assert_eq!(calls.len(), wanted, "{calls:#?}");
            return calls;
        }
        assert!(began.elapsed() < SOON, "{} of {wanted} records", calls.len());
        pause(20).await;
    }
}

#[tokio::test]
async fn a_record_tells_the_truth_about_its_call() {
    let world = world(&[("AUTH_TOKEN", "tok-1"), ("GATEWAY_SECRET", SECRET)]).await;
    let alice = token(&["--name", "alice"]);
    let call = bearer(world.chat(), &alice).header("x-session-id", "s-1");
    let answer = call.send().await;
    let (usage, size) = (answer.json()["usage"].clone(), answer.body.len());
    let record = records(&world, 1).await.remove(0);
    assert_eq!(record["id"], answer.header("x-gateway-request-id"));
    for (name, expected) in [
        ("token_name", json!("alice")),
        ("session", json!("s-1")),
        ("service", json!("p")),
        ("provider", json!("p")),
        ("model", json!("demo")),
        ("method", json!("POST")),
        ("status", json!(200)),
        ("lane", json!("edge")),
        ("outcome", json!("complete")),
        ("error", Value::Null),
        ("attempts", json!(1)),
        ("tokens_in", usage["prompt_tokens"].clone()),
        ("tokens_out", usage["completion_tokens"].clone()),
        ("estimated", json!(false)),
        ("stream", json!(false)),
        ("bytes_in", json!(chat(false).to_string().len())),
        ("bytes_out", json!(size)),
    ] {
        assert_eq!(record[name], expected, "{name} in {record:#}");
    }
    assert!(record["token"].as_str().is_some_and(|id| alice.len() > id.len()), "{record}");
    assert!(record["first_byte_ms"].as_u64() <= record["total_ms"].as_u64());
    let whole = record.to_string();
    for said in ["Write a story", &alice, answer.json()["choices"][0]["message"]["content"].as_str().unwrap()]
    {
        assert!(!whole.contains(said), "{whole}");
    }
}

#[tokio::test]
async fn every_call_has_a_record_however_it_ends() {
    let world = world(&[("LIMIT_STREAMS", "1"), ("ENABLE_RETRY", "false")]).await;
    world.chat().send().await;
    world.chat().header("x-demo-status", "503").send().await;
    world.stream().header("x-demo-cut", "body").send().await;
    let mut left = world
        .stream()
        .header("x-demo-chunks", "500")
        .header("x-demo-chunk-delay-ms", "50")
        .open()
        .await
        .into_body();
    left.frame().await.unwrap().unwrap();
    assert_eq!(world.stream().send().await.status, 429);
    drop(left);
    world.embed().send().await;
    world.gateway.client.post("/v1/chat/completions").json(&chat(false)).send().await;
    let records = records(&world, 7).await;
    let told: Vec<String> = records
        .iter()
        .map(|record| {
            format!(
                "{} {} {}",
                record["status"],
                record["outcome"].as_str().unwrap(),
                record["lane"].as_str().unwrap_or("-")
            )
        })
        .collect();
    let mut told = told;
    told.sort();
    let expected = [
        "200 client_left edge",
        "200 complete background",
        "200 complete edge",
        "200 complete edge",
        "200 truncated edge",
        "429 complete -",
        "503 complete edge",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn pages_of_the_gateway_s_own_are_no_calls() {
    let world = world(&[]).await;
    for page in ["/health", "/v1/models", "/v1/route-check?model=demo", "/gateway/services"] {
        assert_eq!(world.gateway.client.get(page).send().await.status, 200, "{page}");
    }
    world.chat().send().await;
    records(&world, 1).await;
}

#[tokio::test]
async fn calls_under_one_id_have_a_record_each() {
    let world = world(&[]).await;
    for _ in 0..3 {
        assert_eq!(world.chat().header("x-request-id", "same").send().await.header("x-request-id"), "same");
    }
    for record in records(&world, 3).await {
        assert_eq!(record["request_id"], "same");
        assert!(record["id"].as_str().unwrap().starts_with("same~"), "{record}");
    }
}

#[tokio::test]
async fn the_numbers_of_every_dialect_are_those_that_its_provider_told() {
    let world = world(&[]).await;
    let message =
        json!({ "model": "demo", "max_tokens": 50, "messages": [{ "role": "user", "content": "x y z" }] });
    let answer = world.post("/v1/messages").json(&message).send().await;
    let usage = &answer.json()["usage"];
    let record = records(&world, 1).await.remove(0);
    assert_eq!(
        (&record["tokens_in"], &record["tokens_out"]),
        (&usage["input_tokens"], &usage["output_tokens"])
    );
    let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": "x y z" }] }] });
    let answer = world.post("/v1beta/models/demo:generateContent").json(&gemini).send().await;
    let usage = &answer.json()["usageMetadata"];
    let record = records(&world, 2).await.remove(0);
    assert_eq!((&record["tokens_in"], &record["model"]), (&usage["promptTokenCount"], &"demo".into()));
    let mut stream = chat(true);
    stream["stream_options"] = json!({ "include_usage": true });
    let answer = world.post("/v1/chat/completions").json(&stream).send().await;
    let usage = answer.text().lines().rev().find_map(|line| {
        let event: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
        event["usage"].is_object().then(|| event["usage"].clone())
    });
    let record = records(&world, 3).await.remove(0);
    let usage = usage.expect("a usage");
    assert_eq!((&record["tokens_out"], &record["stream"]), (&usage["completion_tokens"], &json!(true)));
}

#[tokio::test]
async fn bodies_are_kept_of_those_calls_only_for_which_the_operator_asks() {
    let world = world(&[("AUTH_TOKEN", "tok-1"), ("GATEWAY_SECRET", SECRET), ("LOG_BODIES", "alice")]).await;
    let (alice, bob) = (token(&["--name", "alice"]), token(&["--name", "bob"]));
    bearer(world.chat(), &bob).send().await;
    let answer = bearer(world.chat(), &alice).send().await;
    let listed = records(&world, 2).await;
    let whole = async |listed: &Value| {
        let call = world.gateway.client.get(&format!("/admin/calls/{}", listed["id"].as_str().unwrap()));
        bearer(call, ADMIN).send().await.json()
    };
    let (of_alice, of_bob) = (whole(&listed[0]).await, whole(&listed[1]).await);
    assert_eq!(of_alice["request"]["body"], chat(false).to_string());
    assert_eq!(of_alice["response"]["body"], answer.text());
    assert_eq!(of_alice["request"]["headers"]["authorization"], "(redacted)");
    assert!(!of_alice.to_string().contains(&alice));
    assert!(of_bob.get("request").is_none() && of_bob.get("response").is_none(), "{of_bob}");
}

#[tokio::test]
async fn the_log_can_be_switched_off() {
    let world = world(&[("USAGE_LOG", "off")]).await;
    world.chat().send().await;
    pause(100).await;
    records(&world, 0).await;
}
