//! Which lane carries a call, seen in its answer.

use serde_json::json;

use crate::world::{World, chat};

#[tokio::test]
async fn an_answer_tells_its_lane_and_the_reason() {
    let world = World::new().await;
    let lane = |answer: &twinlane_tests::Answer| {
        (answer.header("x-processing-mode").to_owned(), answer.header("x-lane-reason").to_owned())
    };
    let told = |lane: &str, why: &str| (lane.to_owned(), why.to_owned());
    assert_eq!(lane(&world.get("/v1/models").send().await), told("edge", "read"));
    assert_eq!(lane(&world.chat().send().await), told("edge", "small-body"));
    assert_eq!(lane(&world.stream().send().await), told("edge", "stream"));
    assert_eq!(lane(&world.embed().send().await), told("background", "embeddings"));
    let large = world.post("/echo").body(vec![b'x'; 1024 * 1024 + 1]).send().await;
    assert_eq!(lane(&large), told("background", "large-body"));
    let limit = world.post("/echo").body(vec![b'x'; 1024 * 1024]).send().await;
    assert_eq!(lane(&limit), told("edge", "small-body"));
}

#[tokio::test]
async fn a_stream_stays_at_the_edge_however_large() {
    let world = World::new().await;
    let mut body = chat(true);
    body["messages"][0]["content"] = "x".repeat(2 * 1024 * 1024).into();
    let answer = world.post("/v1/chat/completions").json(&body).header("x-demo-chunks", "2").send().await;
    assert_eq!((answer.status, answer.header("x-lane-reason")), (200, "stream"));
}

#[tokio::test]
async fn without_a_background_everything_stays_at_the_edge() {
    let world = World::with(&[("BACKGROUND", "off")], &json!({})).await;
    let answer = world.embed().send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (answer.header("x-processing-mode"), answer.header("x-lane-reason")),
        ("edge", "background-off")
    );
}

#[tokio::test]
async fn the_size_that_sends_a_body_to_the_background_is_a_setting() {
    let world = World::with(&[("LARGE_BODY_SIZE", "10")], &json!({})).await;
    assert_eq!(world.post("/echo").body("x".repeat(10)).send().await.header("x-processing-mode"), "edge");
    assert_eq!(
        world.post("/echo").body("x".repeat(11)).send().await.header("x-processing-mode"),
        "background"
    );
}

#[tokio::test]
async fn a_service_that_cannot_stream_is_not_asked_to() {
    let world = World::with(&[], &json!({ "supportsStreaming": false })).await;
    let mut body = chat(true);
    body["input"] = "x".into();
    let answer = world.post("/v1/embeddings").json(&body).send().await;
    assert_eq!(answer.header("x-lane-reason"), "embeddings");
}
