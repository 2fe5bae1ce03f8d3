//! The pages of the usage log: who may read them, and that their numbers are those of the calls that were made.

use http::Method;
use serde_json::{Value, json};
use twinlane_tests::SOON;
use twinlane_tests::client::{Answer, Sending};

use crate::tokens::{ADMIN, SECRET, bearer};
use crate::world::{World, pause};

async fn world(vars: &[(&str, &str)]) -> World {
    let ours = [("STORE", "memory"), ("P_API_KEY", "server-key"), ("DEMO", "false")];
    World::with(&[&ours[..], vars].concat(), &json!({})).await
}

fn get(world: &World, target: &str) -> Sending {
    world.gateway.client.get(target)
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// A page of the log, once it tells of so many calls.
async fn once_there_are(world: &World, calls: u64, target: &str) -> Value {
    let began = std::time::Instant::now();
    loop {
        let answer = get(world, target).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let json = answer.json();
        let seen =
            json["total"]["calls"].as_u64().or(json["calls"].as_array().map(|calls| calls.len() as u64));
        if seen == Some(calls) {
            return json;
        }
        assert!(began.elapsed() < SOON, "{calls} calls in {json}");
        pause(20).await;
    }
}

#[tokio::test]
async fn this_machine_s_own_person_may_read_and_change_nothing() {
    let world = world(&[]).await;
    for page in ["/admin", "/admin/usage", "/admin/calls"] {
        let answer = get(&world, page).send().await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{page}");
        let head = world.gateway.client.call(&Method::HEAD, page).send().await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{page}");
        let posted = world.gateway.client.post(page).send().await;
        assert_eq!(told(&posted), (405, "method_not_allowed".to_owned()), "{page}");
        assert_eq!(posted.header("allow"), "GET, HEAD");
        for (name, value) in [
            ("host", "evil.example"),
            ("x-forwarded-for", "203.0.113.7"),
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let answer = get(&world, page).header(name, value).send().await;
            assert_eq!(told(&answer), (404, "not_found".to_owned()), "{page} {name}");
        }
    }
    for (method, page) in [
        (Method::GET, "/admin/tokens"),
        (Method::POST, "/admin/tokens"),
        (Method::DELETE, "/admin/tokens/id-1"),
    ] {
        let answer = world.gateway.client.call(&method, page).json(&json!({})).send().await;
        assert_eq!(told(&answer).0, 404, "{method} {page}");
    }
    let overview = get(&world, "/admin").send().await.json();
    let expected =
        json!({ "tokens": false, "usage": true, "store": "memory", "lasting": false, "retention_days": 90 });
    assert_eq!(overview, expected);
}

#[tokio::test]
async fn where_a_token_is_set_this_machine_s_own_person_shows_it() {
    let world = world(&[("AUTH_TOKEN", "tok-1")]).await;
    for page in ["/admin", "/admin/usage", "/admin/calls"] {
        assert_eq!(told(&get(&world, page).send().await).0, 401, "{page}");
        assert_eq!(told(&get(&world, page).header("x-auth-token", "wrong").send().await).0, 401, "{page}");
        assert_eq!(bearer(get(&world, page), "tok-1").send().await.status, 200, "{page}");
        let afar = bearer(get(&world, page), "tok-1").header("host", "gateway.example").send().await;
        assert_eq!(told(&afar).0, 404, "{page}");
    }
}

#[tokio::test]
async fn where_there_is_an_administrator_nobody_else_may_read() {
    let secret = ("GATEWAY_SECRET", SECRET);
    let world = world(&[("ADMIN_TOKEN", ADMIN), ("AUTH_TOKEN", "tok-1"), secret]).await;
    for page in ["/admin", "/admin/usage", "/admin/calls", "/admin/calls/id-1"] {
        assert_eq!(told(&get(&world, page).send().await), (401, "unauthorized".to_owned()), "{page}");
        assert_eq!(told(&bearer(get(&world, page), "tok-1").send().await).0, 401, "{page}");
        assert_eq!(told(&get(&world, page).header("x-api-key", ADMIN).send().await).0, 401, "{page}");
    }
    let from_afar = bearer(get(&world, "/admin"), ADMIN).header("host", "gateway.example").send().await;
    assert_eq!((from_afar.status, &from_afar.json()["tokens"]), (200, &json!(true)));
    let unknown = bearer(get(&world, "/admin/calls/id-1"), ADMIN).send().await;
    assert_eq!(told(&unknown), (404, "unknown_call".to_owned()));
}

#[tokio::test]
async fn a_misspelt_filter_does_not_become_none() {
    let world = world(&[]).await;
    for (target, param) in [
        ("/admin/usage?modell=gpt-4o", "modell"),
        ("/admin/calls?token=", "token"),
        ("/admin/usage?from=then", "from"),
    ] {
        let answer = get(&world, target).send().await;
        assert_eq!(told(&answer), (400, "invalid_parameter".to_owned()), "{target}");
        assert_eq!(answer.json()["error"]["param"], param, "{target}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_told() {
    let world = world(&[("STORE", "redis://127.0.0.1:1")]).await;
    for page in [
        "/admin/usage",
        "/admin/usage?format=csv",
        "/admin/calls",
        "/admin/calls?format=csv",
        "/admin/calls/id-1",
    ] {
        assert_eq!(told(&get(&world, page).send().await), (503, "store_unavailable".to_owned()), "{page}");
    }
    assert_eq!(get(&world, "/admin").send().await.json()["store"], "redis");
}

#[tokio::test]
async fn the_numbers_are_those_of_the_calls_that_were_made() {
    let world = world(&[("ENABLE_RETRY", "false")]).await;
    let mut expected = (0, 0);
    for _ in 0..3 {
        let usage = world.chat().send().await.json()["usage"].clone();
        expected.0 += usage["prompt_tokens"].as_u64().expect("tokens");
        expected.1 += usage["completion_tokens"].as_u64().expect("tokens");
    }
    assert_eq!(world.chat().header("x-demo-status", "503").send().await.status, 503);
    let report = once_there_are(&world, 4, "/admin/usage?group=status").await;
    let rows: Vec<Value> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["status"], row["calls"], row["errors"]]))
        .collect();
    assert_eq!(Value::from(rows), json!([[200, 3, 0], [503, 1, 1]]));
    let served = &report["rows"][0];
    assert_eq!(
        (served["tokens_in"].as_u64(), served["tokens_out"].as_u64()),
        (Some(expected.0), Some(expected.1))
    );
    assert!(report["total"]["total_ms"]["p99"].is_u64(), "{report}");
    let failed = get(&world, "/admin/usage?status=503").send().await.json();
    assert_eq!(failed["total"]["calls"], 1);
}

#[tokio::test]
async fn a_call_is_found_by_the_id_in_its_answer() {
    let world = world(&[]).await;
    let answer = world.chat().send().await;
    let id = answer.header("x-gateway-request-id");
    let list = once_there_are(&world, 1, "/admin/calls").await;
    assert_eq!((&list["calls"][0]["id"], &list["next"]), (&json!(id), &Value::Null));
    let call = get(&world, &format!("/admin/calls/{id}")).send().await.json();
    assert_eq!(
        (&call["status"], &call["service"], &call["outcome"]),
        (&json!(200), &json!("p"), &json!("complete"))
    );
    let tail = get(&world, "/admin/calls?after=2026-01-01").send().await.json();
    let since = tail["as_of"].as_str().expect("a time");
    assert_eq!(tail["calls"][0]["id"], id);
    assert_eq!(get(&world, &format!("/admin/calls?after={since}")).send().await.status, 200);
}

#[tokio::test]
async fn tables_go_into_a_spreadsheet_and_do_nothing_there() {
    let world = world(&[]).await;
    let mut chat = crate::world::chat(false);
    chat["model"] = "=1+1".into();
    world.post("/v1/chat/completions").json(&chat).send().await;
    once_there_are(&world, 1, "/admin/usage").await;
    for (target, name) in [
        ("/admin/usage?group=model&format=csv", "twinlane-usage-"),
        ("/admin/calls?format=csv", "twinlane-calls-"),
    ] {
        let table = get(&world, target).send().await;
        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert!(table.header("content-disposition").contains(name), "{target}");
        let text = table.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("'=1+1,") && text.ends_with("\r\n"), "{text}");
    }
}
