//! Limits: how many calls, tokens and streams somebody may have, counted exactly, and what the rest are told.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::json;
use twinlane_tests::Answer;
use twinlane_tests::client::Sending;

use crate::tokens::{SECRET, bearer, token};
use crate::world::{World, chat, pause};

async fn world(vars: &[(&str, &str)]) -> World {
    World::with(&[&[("STORE", "memory")], vars].concat(), &json!({})).await
}

/// Sends calls at the same time; says how many were admitted and how many were told to wait.
async fn at_once(calls: Vec<Sending>) -> (usize, usize) {
    let answers = futures_util::future::join_all(calls.into_iter().map(Sending::send)).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(count(200) + count(429), answers.len());
    (count(200), count(429))
}

/// How many units of a limit per minute have come back since, at most.
fn refilled(limit: u64, since: Instant) -> usize {
    usize::try_from(since.elapsed().as_millis() as u64 * limit / 60_000 + 1).unwrap()
}

#[tokio::test]
async fn calls_at_the_same_time_are_counted_one_by_one() {
    let world = world(&[("LIMIT_RPM", "20")]).await;
    let began = Instant::now();
    let (admitted, limited) = at_once((0..60).map(|_| world.chat()).collect()).await;
    assert!((20..=20 + refilled(20, began)).contains(&admitted), "{admitted} admitted, {limited} limited");
    assert_eq!(world.provider.calls().len(), admitted, "no limited call reaches the provider");
}

#[tokio::test]
async fn after_the_time_that_is_told_a_call_is_admitted() {
    let world = world(&[("LIMIT_RPM", "60")]).await;
    let answers = futures_util::future::join_all((0..70).map(|_| world.chat().send())).await;
    let limited =
        answers.iter().find(|answer| answer.status == 429).expect("more than sixty within a second or two");
    let wait: u64 = limited.header("retry-after").parse().unwrap();
    assert_eq!(wait, 1, "sixty a minute are one a second");
    pause(wait * 1000).await;
    assert_eq!(world.chat().send().await.status, 200);
}

#[tokio::test]
async fn an_answer_tells_how_its_limits_stand() {
    let world =
        world(&[("LIMIT_RPM", "100"), ("LIMIT_RPM_PER_ADDRESS", "10"), ("LIMIT_TPM", "100000")]).await;
    let answer = world.chat().send().await;
    assert_eq!(answer.header("x-ratelimit-limit-requests"), "10", "the limit with the least left");
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "9");
    assert!(answer.header("x-ratelimit-reset-requests").ends_with('s'));
    assert_eq!(answer.header("x-ratelimit-limit-tokens"), "100000");
    let unlimited = World::with(&[("STORE", "memory")], &json!({})).await.chat().send().await;
    assert_eq!(unlimited.header("x-ratelimit-limit-requests"), "10000", "the provider's own");
}

fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"].to_string()
}

#[tokio::test]
async fn a_limit_is_told_in_the_words_of_the_client_s_api() {
    let keys = [("DEFAULT_SERVICE", "p"), ("P_API_KEY", "k"), ("LIMIT_RPM", "1")];
    let world = world(&keys).await;
    assert_eq!(world.chat().send().await.status, 200);
    let client = &world.gateway.client;
    let told = world.chat().send().await;
    assert_eq!((told.status, &told.json()["error"]["type"]), (429, &"RATE_LIMIT".into()));
    assert!(
        told.json()["error"]["message"].as_str().unwrap().contains("1 requests per minute"),
        "{}",
        told.text()
    );
    assert_eq!(told.header("x-error-source"), "gateway");
    let openai = client.post("/v1/chat/completions").json(&chat(false)).send().await;
    assert_eq!((openai.status, code(&openai)), (429, "\"rate_limit_exceeded\"".to_owned()));
    assert_eq!(openai.json()["error"]["type"], "rate_limit_error");
    let message =
        json!({ "model": "demo", "max_tokens": 5, "messages": [{ "role": "user", "content": "x" }] });
    let anthropic = client.post("/v1/messages").json(&message).send().await;
    assert_eq!(anthropic.json()["error"]["type"], "rate_limit_error");
    assert_eq!((anthropic.status, anthropic.json()["type"].as_str()), (429, Some("error")));
    let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": "x" }] }] });
    let gemini = client.post("/v1beta/models/demo:generateContent").json(&gemini).send().await;
    assert_eq!((gemini.status, &gemini.json()["error"]["status"]), (429, &"RESOURCE_EXHAUSTED".into()));
    for answer in [&told, &openai, &anthropic, &gemini] {
        assert!((1..=60).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    }
}

#[tokio::test]
async fn each_token_session_and_address_has_its_own_count() {
    let world = world(&[
        ("AUTH_TOKEN", "tok-one,tok-two"),
        ("GATEWAY_SECRET", SECRET),
        ("P_API_KEY", "k"),
        ("LIMIT_RPM_PER_TOKEN", "2"),
        ("LIMIT_RPM_PER_SESSION", "1"),
    ])
    .await;
    let status = async |token: &str, session: &str| {
        bearer(world.chat(), token).header("x-session-id", session).send().await.status
    };
    assert_eq!([status("tok-one", "a").await, status("tok-one", "a").await], [200, 429], "the session's");
    assert_eq!(status("tok-two", "a").await, 200, "a session of somebody else's");
    assert_eq!(status("tok-one", "b").await, 200);
    assert_eq!(status("tok-one", "c").await, 429, "the token's");
    let generous = token(&["--rpm", "5"]);
    let (admitted, _) = at_once((0..12).map(|_| bearer(world.chat(), &generous)).collect()).await;
    assert!((5..=6).contains(&admitted), "what the token says goes before the setting: {admitted}");
}

#[tokio::test]
async fn tokens_are_counted_as_they_were_really_used() {
    let world = world(&[("LIMIT_TPM", "6000")]).await;
    let call = || {
        let mut body = chat(false);
        body["max_tokens"] = 4000.into();
        world.post("/v1/chat/completions").json(&body)
    };
    let first = call().send().await;
    let left: u64 = first.header("x-ratelimit-remaining-tokens").parse().unwrap();
    assert!((1950..=2000).contains(&left), "the estimate is all that may be answered: {left}");
    let used = first.json()["usage"]["total_tokens"].as_u64().unwrap();
    let second = call().send().await;
    assert_eq!(second.status, 200, "the first took {used} tokens, not 4000");
    let (admitted, limited) =
        at_once((0..3).map(|_| call().header("x-demo-delay-ms", "1500")).collect()).await;
    assert_eq!((admitted, limited), (1, 2), "at the same time the estimates count");
}

#[tokio::test]
async fn streams_at_once_are_as_many_as_allowed_and_a_place_comes_free() {
    let world = world(&[("LIMIT_STREAMS", "2")]).await;
    let slow = || world.stream().header("x-demo-chunks", "500").header("x-demo-chunk-delay-ms", "100");
    let first = slow().open().await;
    let mut second = slow().open().await.into_body();
    second.frame().await.unwrap().unwrap();
    let third = slow().send().await;
    assert_eq!(third.status, 429);
    assert!(third.text().contains("2 streams at once"), "{}", third.text());
    assert_eq!(world.chat().send().await.status, 200, "what is no stream needs no place");
    drop((first, second));
    let began = Instant::now();
    while slow().open().await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "a client that leaves gives its place back");
        pause(50).await;
    }
}

#[tokio::test]
async fn a_call_over_the_hop_is_counted_once() {
    let provider = twinlane_demo::Demo::start().await.unwrap();
    let config = crate::world::proxy_config(&provider, &json!({}));
    let vars = [
        ("PROXY_CONFIG", config.as_str()),
        ("GATEWAY_SECRET", SECRET),
        ("LIMIT_RPM", "3"),
        ("STORE", "memory"),
    ];
    let background = twinlane_tests::Twinlane::start_background(&vars).await;
    let url = background.url();
    let edge =
        twinlane_tests::Twinlane::start(&[&[("BACKGROUND_URL", url.as_str())], &vars[..]].concat()).await;
    let embed =
        || edge.client.post("/gateway/p/v1/embeddings").json(&json!({ "model": "demo", "input": "x" }));
    for _ in 0..3 {
        let answer = embed().send().await;
        assert_eq!((answer.status, answer.header("x-processing-mode")), (200, "background"));
    }
    assert_eq!(embed().send().await.status, 429);
    let own =
        background.client.post("/gateway/p/v1/embeddings").json(&json!({ "model": "demo", "input": "x" }));
    let own = own.send().await;
    assert_eq!(own.header("x-ratelimit-remaining-requests"), "2", "nothing was counted here before");
}
