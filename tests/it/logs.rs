//! What is logged of a call, and what never is.

use serde_json::{Value, json};

use crate::world::{World, pause};

#[tokio::test]
async fn a_call_is_one_line_in_and_one_line_out() {
    let world = World::with(&[("LOG_FORMAT", "json")], &json!({})).await;
    let answer = world.embed().header("x-request-id", "call-1").send().await;
    world.gateway.logged_end("call-1").await;
    let printed = world.gateway.process.printed();
    let lines: Vec<Value> = printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let lines: Vec<&Value> = lines.iter().filter(|line| line["id"] == "call-1").collect();
    assert_eq!(lines.len(), 2, "{printed}");
    let end = lines[1];
    for (field, value) in [
        ("level", json!("INFO")),
        ("service", json!("p")),
        ("lane", json!("background")),
        ("reason", json!("embeddings")),
        ("status", json!(200)),
        ("outcome", json!("complete")),
        ("attempts", json!(1)),
        ("bytes_in", json!(32)),
        ("bytes_out", json!(answer.body.len())),
    ] {
        assert_eq!(end[field], value, "{field} in {end}");
    }
    assert!(
        end["first_byte_ms"].is_u64() && end["total_ms"].is_u64() && end["timestamp"].is_string(),
        "{end}"
    );
}

#[tokio::test]
async fn the_decision_is_told_at_debug_only() {
    for (level, expected) in [("DEBUG", true), ("INFO", false)] {
        let world = World::with(&[("LOG_LEVEL", level)], &json!({})).await;
        world.embed().header("x-request-id", "call-2").send().await;
        world.gateway.logged_end("call-2").await;
        let told = world.gateway.process.printed().contains("takes the background lane: embeddings");
        assert_eq!(told, expected, "{level}");
    }
}

#[tokio::test]
async fn the_level_silences_what_is_below_it() {
    let world = World::with(&[("LOG_LEVEL", "WARN")], &json!({})).await;
    world.chat().header("x-request-id", "call-3").send().await;
    world.chat().header("x-request-id", "call-4").header("x-demo-cut", "head").send().await;
    pause(200).await;
    let printed = world.gateway.process.printed();
    assert!(!printed.contains("call-3") && printed.contains("call call-4 failed"), "{printed}");
}

#[tokio::test]
async fn a_service_that_puts_credentials_into_paths_has_them_unlogged() {
    let world = World::with(&[], &json!({ "logPaths": false })).await;
    world.get("/echo/bot123:secret/send").header("x-request-id", "call-5").send().await;
    world.gateway.logged_end("call-5").await;
    assert!(!world.gateway.process.printed().contains("bot123"));
}
