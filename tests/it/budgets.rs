//! Budgets: what is set aside before a call and settled after it, so that nobody spends the same money twice.

use std::time::SystemTime;

use serde_json::{Value, json};
use twinlane_tests::client::Sending;

use crate::tokens::{ADMIN, SECRET, bearer, token};
use crate::world::{World, chat, pause};

async fn world(vars: &[(&str, &str)]) -> World {
    let ours = [("STORE", "memory"), ("ADMIN_TOKEN", ADMIN), ("P_API_KEY", "k")];
    World::with(&[&ours, vars].concat(), &json!({})).await
}

/// A chat call whose answer may have this many tokens.
fn asking(world: &World, most: u64) -> Sending {
    let mut body = chat(false);
    body["max_tokens"] = most.into();
    world.post("/v1/chat/completions").json(&body)
}

async fn statuses(calls: Vec<Sending>) -> Vec<u16> {
    let answers = futures_util::future::join_all(calls.into_iter().map(Sending::send)).await;
    answers.iter().map(|answer| answer.status).collect()
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

#[tokio::test]
async fn calls_at_the_same_time_cannot_spend_the_same_tokens() {
    let world = world(&[("BUDGET", "3100tokens/day")]).await;
    let calls = (0..30).map(|_| asking(&world, 300).header("x-demo-delay-ms", "3000")).collect();
    let statuses = statuses(calls).await;
    // Each may cost 300 tokens of the answer and some ten of the prompt.
    assert_eq!((count(&statuses, 200), count(&statuses, 429)), (10, 20), "{statuses:?}");
    assert_eq!(asking(&world, 300).send().await.status, 200, "what the ten did not use is there again");
}

#[tokio::test]
async fn a_budget_that_is_used_up_says_when_it_begins_anew() {
    let world = world(&[("BUDGET", "40tokens/month")]).await;
    assert_eq!(asking(&world, 20).send().await.status, 200);
    let told = asking(&world, 40).send().await;
    let error = &told.json()["error"];
    assert_eq!((told.status, &error["code"]), (429, &"budget_exceeded".into()));
    let message = error["message"].as_str().unwrap();
    for part in ["of all callers together", "40tokens/month", "left", "begins anew at 20"] {
        assert!(message.contains(part), "{message}");
    }
    let wait: u64 = told.header("retry-after").parse().unwrap();
    assert!(wait <= 31 * 24 * 60 * 60, "{wait}");
    assert_eq!(told.header("x-should-retry"), if wait > 60 { "false" } else { "" });
    let now = SystemTime::now() + std::time::Duration::from_secs(wait);
    let anew = humantime::format_rfc3339_seconds(now + std::time::Duration::from_secs(1)).to_string();
    assert!(anew[8..].starts_with("01T00:00:0"), "it begins with the month: {anew}");
    let get = world.get("/v1/models").send().await;
    assert_eq!(get.status, 200, "what makes no model work is free");
}

#[tokio::test]
async fn a_call_that_fails_costs_nothing() {
    let world = world(&[("BUDGET", "120tokens/day"), ("ENABLE_RETRY", "false")]).await;
    for misery in [("x-demo-status", "500"), ("x-demo-status", "429"), ("x-demo-cut", "head")] {
        for _ in 0..3 {
            let answer = asking(&world, 100).header(misery.0, misery.1).send().await;
            assert_ne!(answer.header("x-error-source").to_owned() + &answer.text(), String::new());
            assert!(!answer.text().contains("budget_exceeded"), "{}", answer.text());
        }
    }
    assert_eq!(asking(&world, 100).send().await.status, 200);
}

#[tokio::test]
async fn dollars_are_counted_by_the_model_s_price() {
    let prices = r#"{"demo":{"input":0,"output":10000}}"#; // a cent a token
    let world = world(&[("PRICES", prices), ("BUDGET", "1usd/day")]).await;
    assert_eq!(asking(&world, 101).send().await.status, 429, "101 cents are more than a dollar");
    let answer = asking(&world, 60).send().await;
    let used = answer.json()["usage"]["completion_tokens"].as_u64().unwrap();
    assert_eq!(asking(&world, 100 - used).send().await.status, 200, "{used} cents are spent");
    let id = answer.header("x-gateway-request-id");
    let record = record(&world, id).await;
    assert_eq!(record["cost"].as_f64(), Some(used as f64 / 100.0));
}

async fn record(world: &World, id: &str) -> Value {
    let call = world.gateway.client.get(&format!("/admin/calls/{id}"));
    let answer = bearer(call, ADMIN).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn an_answer_that_does_not_say_what_it_cost_is_estimated_and_never_free() {
    let world = world(&[("BUDGET", "2000tokens/day")]).await;
    let answer = world.stream().send().await;
    assert!(!answer.text().contains("\"usage\":{"), "the demo tells a stream's usage only when asked");
    let record = record(&world, answer.header("x-gateway-request-id")).await;
    assert_eq!(record["estimated"], true);
    assert!(record["tokens_in"].as_u64() > Some(0) && record["tokens_out"].as_u64() > Some(0), "{record}");
}

#[tokio::test]
async fn a_call_whose_model_nobody_can_find_is_not_free() {
    let world = world(&[("BUDGET", "40tokens/day")]).await;
    let (json, utf16) = (chat(false).to_string(), |text: &str| {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    });
    for (path, body) in [
        ("/gateway/p/v1/chat/completions", br#"{"messages":[]}"#.to_vec()),
        ("/gateway/p/v1/chat/completions", utf16(&json)),
        ("/gateway/p/v1/chat/completion%73", json.replace("\"model\"", "\"Model\"").into_bytes()),
        ("/v1/responses", br#"{"prompt":{"id":"pmpt_1"}}"#.to_vec()),
    ] {
        let answer = world.post(path).header("content-type", "application/json").body(body).send().await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["code"]), (429, &"budget_exceeded".into()), "{path}");
    }
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_before_its_answer_has_spent_what_was_set_aside() {
    let world = world(&[("BUDGET", "500tokens/day")]).await;
    for _ in 0..4 {
        let call = asking(&world, 100).header("x-demo-delay-ms", "5000").send();
        let left = tokio::time::timeout(std::time::Duration::from_millis(500), call).await;
        assert!(left.is_err(), "it does not wait");
    }
    world.provider_is_left().await;
    pause(500).await;
    assert_eq!(asking(&world, 100).send().await.status, 429);
}

#[tokio::test]
async fn several_answers_cost_as_much_as_several_calls() {
    let world = world(&[("BUDGET", "500tokens/day")]).await;
    let mut body = chat(false);
    (body["max_tokens"], body["n"]) = (100.into(), 5.into());
    assert_eq!(world.post("/v1/chat/completions").json(&body).send().await.status, 429);
    body["n"] = 4.into();
    assert_eq!(world.post("/v1/chat/completions").json(&body).send().await.status, 200);
}

#[tokio::test]
async fn tokens_may_share_a_budget() {
    let vars = [("AUTH_TOKEN", "tok-1"), ("GATEWAY_SECRET", SECRET)];
    let world = world(&vars).await;
    let shared = ["--budget", "120tokens/day", "--budget-id", "team"];
    let (alice, bob, carol) = (token(&shared), token(&shared), token(&["--budget", "120tokens/day"]));
    let slow = |token: &str| bearer(asking(&world, 100), token).header("x-demo-delay-ms", "1500");
    let statuses = statuses(vec![slow(&alice), slow(&bob), slow(&carol)]).await;
    assert_eq!((count(&statuses[..2], 200), count(&statuses[..2], 429)), (1, 1), "{statuses:?}");
    assert_eq!(statuses[2], 200, "carol has one of her own");
}
